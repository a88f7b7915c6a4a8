import { saveBackup, type SavedBackup, type UnreadableReport } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { formatSize, shellWord } from "../../bytes/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { layOutTable } from "../table.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

const smallestVolumeBytes = 1024 * 1024;
const levels = {
  zstd: { minimum: 1, maximum: 19 },
  gzip: { minimum: 1, maximum: 9 },
  xz: undefined,
  lz4: undefined,
  none: undefined,
} as const;
const packedAs = { zstd: "zst", gzip: "gz", xz: "xz", lz4: "lz4", none: "uncomp" } as const;

/** `holdfast backup save` */
export const save = defineCommand({
  words: ["backup", "save"],
  summary: "save a disk, or partitions of it, as a dated folder that Clonezilla can restore too",
  description: `Of file systems that are read (ext2, ext3, ext4, FAT, exFAT, NTFS, XFS, btrfs) only what they use is saved; of swap its UUID and label; everything else whole, where zeros take no room. File systems are looked through for damage first, and a damaged one is refused. A disk that is mounted, or that a virtual machine is running from, is refused too.

As long as the backup is being written its folder is called NAME.part. Interrupted, cut off, or with the target full, it stays, and --resume goes on behind what is finished in it, if the disk has not changed since.`,
  operands: {
    source: { arity: "one", help: "the disk: a file or a block device; or the device of one partition" },
    folder: { arity: "one", help: "where the backup's own folder is made" },
  },
  options: {
    partition: {
      kind: "number",
      short: "p",
      value: "N",
      minimum: 1,
      maximum: 9999,
      repeatable: true,
      help: "only this partition; may be given several times",
    },
    name: {
      kind: "string",
      value: "NAME",
      parse: parseName,
      help: "of the backup's folder; else the date, time and disk",
    },
    compress: {
      kind: "choice",
      value: "HOW",
      choices: ["zstd", "gzip", "xz", "lz4", "none"],
      default: "zstd",
      help: "how data is packed; only zstd and gzip have levels",
    },
    level: { kind: "number", value: "N", minimum: 1, maximum: 19, help: "zstd 1 to 19, else 3; gzip 1 to 9, else 6" },
    "volume-size": {
      kind: "size",
      value: "SIZE",
      default: 2_000_000_000,
      help: "the largest that a file becomes; else 2GB",
    },
    "disk-name": {
      kind: "string",
      value: "NAME",
      parse: parseDiskName,
      help: "what the disk is called in the backup; else its device's name, or sda",
    },
    retries: {
      kind: "number",
      value: "N",
      minimum: 0,
      maximum: 100,
      default: 2,
      help: "how often a sector that cannot be read is read again before zeros take its place; else 2",
    },
    fsck: {
      kind: "flag",
      help: "let e2fsck, fsck.fat and their kin look at file systems first, too, without changing them",
    },
    freeze: {
      kind: "flag",
      help: "save a device that is mounted: its file systems stand still meanwhile, and whoever writes waits",
    },
    snapshot: {
      kind: "flag",
      help: "save a logical volume of LVM from a snapshot, which is removed at the end: nobody waits, the running system's own can be saved",
    },
    "snapshot-size": {
      kind: "size",
      value: "SIZE",
      help: "room for what is overwritten meanwhile; else most of what is free in its group",
    },
    resume: { kind: "flag", help: "go on with a backup of the same disk that was broken off, where there is one" },
    "ignore-room": { kind: "flag", help: "begin even where the target seems to have too little room" },
    unchecked: { kind: "flag", help: "save file systems without looking for damage first" },
    ...storeOptions,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast backup save big backups", help: "a disk image, into backups/2026-11-30-1205-sda" },
    { line: "sudo holdfast backup save /dev/sdb backups --name laptop", help: "a disk that is not in use" },
    { line: "sudo holdfast backup save /dev/sdb2 backups", help: "one partition; others may be in use" },
    { line: "sudo holdfast backup save /dev/vg/root backups --snapshot", help: "the running system, on LVM" },
  ],
  async run(context, args) {
    const range = levels[args.compress];
    if (args.level !== undefined && (range === undefined || args.level > range.maximum)) {
      throw new Failure("usage", `cannot use the level ${args.level} with --compress ${args.compress}`);
    }
    if (args.volumeSize < smallestVolumeBytes) {
      throw new Failure("usage", `cannot write volumes of ${args.volumeSize} bytes: 1MiB is the least`);
    }
    if (args.snapshotSize !== undefined && !args.snapshot) {
      throw new Failure("usage", "cannot use --snapshot-size without --snapshot");
    }
    using progress = showProgress(context, args);
    const saved = await saveBackup(
      {
        source: args.source,
        ...(args.partition.length === 0 ? {} : { partitions: args.partition }),
        into: args.folder,
        ...(args.name === undefined ? {} : { name: args.name }),
        ...(args.diskName === undefined ? {} : { disk: args.diskName }),
        packedAs: packedAs[args.compress],
        ...(args.level === undefined ? {} : { level: args.level }),
        volumeBytes: args.volumeSize,
        isUnchecked: args.unchecked,
        retries: args.retries,
        isCheckedBySystem: args.fsck,
        isFrozen: args.freeze,
        ...(args.snapshot ? { snapshot: sizeOf(args.snapshotSize) } : {}),
        isResumed: args.resume,
        isRoomIgnored: args.ignoreRoom,
        nowMs: Date.now(),
        command: ["holdfast", "backup", "save", args.source, args.folder].map(shellWord).join(" "),
        ...storeAccess(context, args),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    await printWarnings(context, saved.warnings);
    await (args.json ? printJson(context, saved) : printLines(context, savedLines(saved, context)));
    if (saved.unreadable !== undefined) throw unreadableFailure(args.source, saved.unreadable);
  },
});

function sizeOf(sizeBytes: number | undefined): { readonly sizeBytes?: number } {
  return sizeBytes === undefined ? {} : { sizeBytes };
}

/** The backup is there, but not all of the disk is in it. */
function unreadableFailure(source: string, { sectors, files, list }: UnreadableReport): Failure {
  const what = sectors === 1 ? "a sector" : `${sectors} sectors`;
  const hit = files.length === 0 ? "" : `, in ${files.length === 1 ? "one file" : `${files.length} files`}`;
  return new Failure("damaged", `cannot read ${what} of "${source}"${hit}: zeros stand for what is missing`, {
    hint: `the backup is finished; "${list}" in it names what is missing`,
  });
}

function parseName(text: string): string {
  if (/^[^/\0]+$/.test(text) && !text.startsWith(".") && !text.endsWith(".part")) return text;
  throw new Failure("usage", `cannot call a backup "${text}"`, { hint: "a name has no / in it, and no . in front" });
}

function parseDiskName(text: string): string {
  if (/^[a-z][a-z0-9]{1,30}$/.test(text)) return text;
  throw new Failure("usage", `cannot call a disk "${text}"`, { hint: "write it as Linux does: sda, nvme0n1" });
}

const howSaved = { image: "what is used", whole: "whole", swap: "UUID and label" } as const;

function savedLines({ path, sizeBytes, packedBytes, parts }: SavedBackup, { stdout }: CommandContext): string[] {
  const rows = layOutTable(
    [
      { text: ({ name }) => `  ${name}` },
      { text: ({ type }) => (type === "" ? "-" : type) },
      { text: ({ saved }) => howSaved[saved] },
      { align: "right", text: ({ usedBytes }) => formatSize(usedBytes) },
      { text: () => "->" },
      { align: "right", text: ({ packedBytes: bytes }) => formatSize(bytes) },
    ],
    parts,
  );
  return [`${stdout.style("bold", path)}: ${formatSize(sizeBytes)} in ${formatSize(packedBytes)}`, ...rows];
}
