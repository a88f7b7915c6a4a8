import { Failure } from "../../base/index.ts";
import { createDisk, type CreateDiskRequest } from "../../disk/index.ts";
import { cacheFolderIn } from "../cache-folder.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { parseNewFile } from "../new-file.ts";
import { sourceDateEpochIn } from "../source-date-epoch.ts";
import { parsePartitionSpec, specKeys } from "./partition-spec.ts";
import { debianIn, debianOptions } from "./debian-options.ts";
import { reportLines } from "./report-text.ts";

/** `holdfast disk create` */
export const create = defineCommand({
  words: ["disk", "create"],
  summary: "make a hard disk of a new file: table, partitions, file systems, files",
  description: `With no --partition there is one Linux partition over all the space, with ext4 on it. The file is sparse: it takes no space until something is written to it. It appears under its name once it is whole.

With SOURCE_DATE_EPOCH set and --uuid given, the same words and files give the same bytes.`,
  terms: {
    heading: String.raw`keys of SPEC, written key=value and joined by commas (a comma in a value is \,)`,
    rows: Object.entries(specKeys).map(([key, { help }]) => ({ term: key, text: help })),
  },
  operands: {
    file: { arity: "one", parse: parseNewFile, help: "the file to make" },
  },
  options: {
    size: {
      kind: "size",
      short: "s",
      value: "SIZE",
      words: ["auto"],
      required: true,
      help: "size of the disk: 4GB is 4·10⁹ bytes, 4GiB and 4G are 4·2³⁰; auto: what its files need",
    },
    table: { kind: "choice", value: "KIND", choices: ["mbr", "gpt"], default: "mbr", help: "the partition table" },
    layout: {
      kind: "choice",
      value: "LAYOUT",
      choices: ["aligned", "classic"],
      default: "aligned",
      help: "where partitions begin and end: at whole MiB, or at cylinders as disks were divided before 2008",
    },
    partition: {
      kind: "string",
      short: "p",
      value: "SPEC",
      repeatable: true,
      parse: parsePartitionSpec,
      help: "a partition, in the order of the disk",
    },
    from: {
      kind: "string",
      value: "DIR|TAR",
      repeatable: true,
      help: "fill the only or root partition from a folder or tar (plain, gz, xz, zst; - is standard input); later ones win",
    },
    boot: {
      kind: "string",
      value: "HOW",
      parse: parseBoot,
      help: "make it start by GRUB: bios, uefi or bios,uefi; the menu has the kernels in /boot of its root. Or chain: by the boot sector of its active partition",
    },
    serial: { kind: "flag", help: "with --boot: menu and kernel use the first serial port too; with --debian they do" },
    timeout: {
      kind: "number",
      value: "SECONDS",
      minimum: 0,
      maximum: 3600,
      help: "with --boot: how long the menu waits before it starts the first entry, 3 unless told",
    },
    "secure-boot": {
      kind: "flag",
      help: "with --boot uefi: a distribution's signed shim and GRUB, which start where Secure Boot is on",
    },
    grub: {
      kind: "string",
      value: "DIR|DEB",
      repeatable: true,
      help: "with --boot: take GRUB, or signed programs, from these folders or packages before what is installed",
    },
    ...debianOptions,
    geometry: {
      kind: "string",
      value: "HEADSxSECTORS",
      parse: parseGeometry,
      help: "what a cylinder is, where it is not 255x63",
    },
    uuid: {
      kind: "string",
      value: "UUID",
      help: "derive every random number from it, so that the disk can be made again",
    },
    preallocate: { kind: "flag", help: "reserve all the space now instead of making a sparse file" },
    force: { kind: "flag", short: "f", help: "replace an existing file" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk create big --size 4GB", help: "one ext4 partition, empty" },
    { line: "holdfast disk create big --size auto --from root.tar.xz", help: "just large enough for a tree of files" },
    {
      line: "holdfast disk create big --size 8GiB --table gpt --partition size=2GiB,fs=ext4,label=root,from=./tree --partition size=rest,fs=ext4,label=home",
      help: "two partitions, the first one filled from a folder",
    },
    {
      line: "holdfast disk create vm --size 4GB --table gpt --from root.tar --boot bios,uefi --serial",
      help: "a disk that starts by itself, on machines of either kind",
    },
    {
      line: "holdfast disk create vm --size 4GB --debian bookworm --boot bios,uefi --ssh-key ~/.ssh/id_ed25519.pub",
      help: "a Debian that starts, from its own packages",
    },
    {
      line: "holdfast disk create vm --size 4GB --table gpt --from root.tar --boot uefi --secure-boot",
      help: "the same for machines with Secure Boot on",
    },
    {
      line: "holdfast disk create big --size 4141875200 --layout classic --partition fs=ext3",
      help: "a disk as they were twenty years ago: 503 cylinders, first sector 63",
    },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const { report, warnings } = await createDisk(
      {
        path: args.file,
        sizeBytes: args.size,
        table: args.table,
        layout: args.layout,
        partitions: args.partition,
        from: args.from,
        force: args.force,
        preallocate: args.preallocate,
        ...bootIn(args, context.env),
        ...debianIn(args, context.env),
        ...(args.geometry === undefined ? {} : { geometry: args.geometry }),
        ...(args.uuid === undefined ? {} : { uuid: args.uuid }),
        nowMs: Date.now(),
        ...sourceDateEpochIn(context.env),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    await printWarnings(context, warnings);
    if (args.json) return await printJson(context, { ...report, warnings });
    await printLines(context, reportLines(report, context.stdout));
  },
});

const bootWords = ["bios", "uefi", "chain"] as const;
type BootWord = (typeof bootWords)[number];

function parseBoot(text: string): readonly BootWord[] {
  const hint = "--boot takes bios, uefi or chain; bios,uefi or chain,uefi for both kinds of firmware";
  const words = text.split(",").map((word) => {
    const known = bootWords.find((one) => one === word);
    if (known !== undefined) return known;
    throw new Failure("usage", `cannot start a disk by "${word}"`, { hint });
  });
  if (!words.includes("bios") || !words.includes("chain")) return words;
  throw new Failure("usage", "cannot start a disk by GRUB and by its active partition: BIOS starts one", { hint });
}

interface BootWords {
  readonly boot?: readonly BootWord[] | undefined;
  readonly serial: boolean;
  readonly timeout?: number | undefined;
  readonly secureBoot: boolean;
  readonly grub: readonly string[];
  readonly debian?: string | undefined;
}

function bootIn(words: BootWords, env: NodeJS.ProcessEnv): Pick<CreateDiskRequest, "boot"> {
  const { boot, serial, timeout, secureBoot, grub, debian } = words;
  const option = optionForGrub(words);
  if (boot === undefined) {
    if (option !== undefined) throw new Failure("usage", `cannot use ${option} without --boot`);
    return {};
  }
  if (secureBoot && !boot.includes("uefi")) {
    throw new Failure("usage", "cannot use --secure-boot without UEFI: BIOS knows no signatures", {
      hint: "add it: --boot bios,uefi",
    });
  }
  const cacheFolder = cacheFolderIn(env);
  const cache = cacheFolder === undefined ? {} : { cacheFolder };
  const firmwares = boot.filter((word) => word !== "chain");
  if (firmwares.length === 0 && option !== undefined) {
    throw new Failure("usage", `cannot use ${option} without GRUB: the active partition starts in its own way`);
  }
  return {
    boot: {
      firmwares,
      chain: boot.includes("chain"),
      serial: serial || debian !== undefined,
      secureBoot,
      grubFrom: grub,
      ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
      ...cache,
    },
  };
}

/** One of the options that only GRUB can follow, if any was given. */
function optionForGrub({ serial, timeout, secureBoot, grub }: BootWords): string | undefined {
  if (serial) return "--serial";
  if (timeout !== undefined) return "--timeout";
  if (secureBoot) return "--secure-boot";
  return grub.length > 0 ? "--grub" : undefined;
}

function parseGeometry(text: string): { readonly heads: number; readonly sectors: number } {
  const match = /^(\d+)[x,](\d+)$/i.exec(text);
  if (match === null) {
    throw new Failure("usage", `cannot understand the geometry "${text}"`, {
      hint: "write heads x sectors of a track, as in 255x63",
    });
  }
  return { heads: Number(match[1]), sectors: Number(match[2]) };
}
