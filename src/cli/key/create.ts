import { createKey } from "../../key/index.ts";
import { cacheFolderIn } from "../cache-folder.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { parseNewFile } from "../new-file.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { sourceDateEpochIn } from "../source-date-epoch.ts";
import { keyLines } from "./key-text.ts";

/** `holdfast key create` */
export const create = defineCommand({
  words: ["key", "create"],
  summary: "make a key: an image that starts every ISO file on it, by BIOS and UEFI",
  description: `A key has two partitions: a small one with GRUB and its menu, and isos over the rest. What is copied onto isos, by key add or a file manager, is in the menu when the key starts. No root is needed; GRUB comes from the machine's packages, or apt fetches it.

With SOURCE_DATE_EPOCH set and --uuid given, the same words give the same bytes.`,
  operands: { key: { arity: "one", parse: parseNewFile, help: "the image to make" } },
  options: {
    size: {
      kind: "size",
      short: "s",
      value: "SIZE",
      words: ["auto"],
      required: true,
      help: "size of the key: 8GB is 8·10⁹ bytes; auto: the smallest there is, without room for ISO files",
    },
    table: { kind: "choice", value: "KIND", choices: ["mbr", "gpt"], default: "mbr", help: "the partition table" },
    fs: {
      kind: "choice",
      value: "KIND",
      choices: ["fat32", "ext4"],
      default: "fat32",
      help: "what isos is formatted as: fat32, which everything reads, or ext4 for files of 4 GiB and more",
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
    json: jsonOption,
  },
  examples: [
    { line: "holdfast key create key.img --size 8GB", help: "for a stick of 8 GB" },
    { line: "holdfast key create key.img --size 64GB --fs ext4", help: "for ISO files of any size" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const cacheFolder = cacheFolderIn(context.env);
    const { report, warnings } = await createKey(
      {
        path: args.key,
        sizeBytes: args.size,
        table: args.table,
        isosKind: args.fs,
        serial: args.serial,
        secureBoot: args.secureBoot,
        grubFrom: args.grub,
        force: args.force,
        ...(args.label === undefined ? {} : { label: args.label }),
        ...(args.timeout === undefined ? {} : { timeoutSeconds: args.timeout }),
        ...(args.uuid === undefined ? {} : { uuid: args.uuid }),
        ...(cacheFolder === undefined ? {} : { cacheFolder }),
        nowMs: Date.now(),
        ...sourceDateEpochIn(context.env),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    await printWarnings(context, warnings);
    if (args.json) return printJson(context, { ...report, warnings });
    await printLines(context, keyLines(report, context.stdout));
  },
});
