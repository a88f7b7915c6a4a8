import { Failure } from "../../base/index.ts";
import { createKey, createKeyOnDevice, isDevice, type KeyOnDevice } from "../../key/index.ts";
import { cacheFolderIn } from "../cache-folder.ts";
import { confirmOptions } from "../confirm-device.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { parseNewFile } from "../new-file.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { sourceDateEpochIn } from "../source-date-epoch.ts";
import { approver, showPlan } from "./confirm-device.ts";
import { keyLines } from "./key-text.ts";
import { writtenLine } from "./write-text.ts";

/** `holdfast key create` */
export const create = defineCommand({
  words: ["key", "create"],
  summary: "make a key: an image or a stick that starts every ISO file on it, by BIOS and UEFI",
  description: `A key has two partitions: a small one with GRUB and its menu, and isos over the rest. What is copied onto isos, by key add or a file manager, is in the menu when the key starts. No root is needed; GRUB comes from the machine's packages, or apt fetches it.

A device is written over as key write does it: what it is and what is on it is shown, and its serial number asked for. The disk that the system runs from is refused, and so is what is mounted or in use. That needs root.

With SOURCE_DATE_EPOCH set and --uuid given, the same words give the same bytes.`,
  operands: {
    key: {
      arity: "one",
      parse: parseNewFile,
      help: "the image to make, or the device of a whole stick, such as /dev/sdb",
    },
  },
  options: {
    size: {
      kind: "size",
      short: "s",
      value: "SIZE",
      words: ["auto"],
      help: "size of an image: 8GB is 8·10⁹ bytes; auto, as if not given: the smallest there is, with room for the ISO files of --add and no others",
    },
    table: { kind: "choice", value: "KIND", choices: ["mbr", "gpt"], default: "mbr", help: "the partition table" },
    fs: {
      kind: "choice",
      value: "KIND",
      choices: ["fat32", "exfat", "ext4"],
      help: "what isos is formatted as: fat32, which everything reads; for files of 4 GiB and more ext4, which the systems in ISO files read, or exfat, which Windows and macOS do, but not every such system; fat32 unless told, or --add has such a file",
    },
    add: {
      kind: "string",
      value: "ISO",
      repeatable: true,
      help: "put this ISO file onto it, as key add does; the key appears with all of them or not at all",
    },
    label: { kind: "string", value: "NAME", help: "the name of isos, ISOS unless told" },
    "secure-boot": {
      kind: "flag",
      help: "it starts where Secure Boot is on, too: by a distribution's signed shim and GRUB",
    },
    serial: { kind: "flag", help: "menu and kernels use the first serial port too" },
    timeout: {
      kind: "number",
      value: "SECONDS",
      minimum: 0,
      maximum: 3600,
      help: "start the first entry after so long; else the menu waits",
    },
    grub: {
      kind: "string",
      value: "DIR|DEB",
      repeatable: true,
      help: "take GRUB from these folders or packages before what is installed",
    },
    uuid: {
      kind: "string",
      value: "UUID",
      help: "derive every random number from it, so that the key can be made again",
    },
    force: { kind: "flag", short: "f", help: "replace an existing file" },
    ...confirmOptions,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast key create key.img --size 8GB", help: "for a stick of 8 GB" },
    { line: "holdfast key create key.img --size 64GB --fs ext4", help: "for ISO files of any size" },
    { line: "holdfast key create key.img --add debian-live-12.iso", help: "as large as that needs" },
    { line: "sudo holdfast key create /dev/sdb", help: "of a whole stick; asks for its serial number" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const cacheFolder = cacheFolderIn(context.env);
    const job = { signal: context.signal, onProgress: progress.onProgress };
    const request = {
      path: args.key,
      table: args.table,
      isos: args.add,
      ...(args.fs === undefined ? {} : { isosKind: args.fs }),
      serial: args.serial,
      secureBoot: args.secureBoot,
      grubFrom: args.grub,
      ...(args.label === undefined ? {} : { label: args.label }),
      ...(args.timeout === undefined ? {} : { timeoutSeconds: args.timeout }),
      ...(args.uuid === undefined ? {} : { uuid: args.uuid }),
      ...(cacheFolder === undefined ? {} : { cacheFolder }),
      nowMs: Date.now(),
      ...sourceDateEpochIn(context.env),
    };
    if (isDevice(args.key)) {
      if (args.size !== "auto" && args.size !== undefined) throw wholeDevice(args.key);
      const confirmed = args.confirm === undefined ? {} : { confirm: args.confirm };
      const device = { ...request, ...confirmed, isRehearsal: args.dryRun };
      const made = await createKeyOnDevice(device, { ...job, approve: approver(context, args) });
      progress.clear();
      return await printKeyOnDevice(context, made, args);
    }
    refuseForImage(args);
    const { report, warnings } = await createKey(
      { ...request, sizeBytes: args.size ?? "auto", force: args.force },
      job,
    );
    progress.clear();
    await printWarnings(context, warnings);
    if (args.json) return await printJson(context, { ...report, warnings });
    await printLines(context, keyLines(report, context.stdout));
  },
});

function wholeDevice(path: string): Failure {
  return new Failure("usage", `cannot make a key of a part of "${path}": a key takes all of a device`, {
    hint: "leave out --size",
  });
}

function refuseForImage({ confirm, dryRun }: { readonly confirm: string | undefined; readonly dryRun: boolean }): void {
  if (confirm === undefined && !dryRun) return;
  throw new Failure("usage", `cannot use ${dryRun ? "--dry-run" : "--confirm"} with an image: it is for devices`);
}

async function printKeyOnDevice(
  context: CommandContext,
  { written, report, warnings }: KeyOnDevice,
  args: { readonly dryRun: boolean; readonly json: boolean; readonly confirm: string | undefined },
): Promise<void> {
  if (args.dryRun) await showPlan(context, written.plan, args);
  await printWarnings(context, warnings);
  if (args.json) return printJson(context, { ...written, ...report, warnings, isRehearsal: args.dryRun });
  if (report !== undefined) await printLines(context, [writtenLine(written), ...keyLines(report, context.stdout)]);
}
