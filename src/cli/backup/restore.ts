import { restoreBackup, type RestoredBackup } from "../../backup/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { parseNewFile } from "../new-file.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { layOutTable } from "../table.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

/** `holdfast backup restore` */
export const restore = defineCommand({
  words: ["backup", "restore"],
  summary: "make a disk image of a backup, or of one partition in it",
  description: `Reads what Holdfast and Clonezilla save: partclone images, old and new, and plain ones, compressed by zstd, gzip, xz, lz4, or not; bzip2, lzo, lzma and lzip by their programs, where they are installed. The image appears once all is in it and every checksum was right.

A larger disk keeps the partitions as they were; "holdfast disk grow" makes the last one larger.`,
  operands: {
    backup: { arity: "one", help: "the backup's folder" },
    target: { arity: "one", parse: parseNewFile, help: "the new image file" },
  },
  options: {
    partition: {
      kind: "string",
      short: "p",
      value: "N",
      help: "only this partition, as a file of its own: 2, or as the backup calls it",
    },
    disk: { kind: "string", value: "NAME", help: "which disk, where the backup has several: sda" },
    size: { kind: "size", short: "s", value: "SIZE", help: "of the new file; else as large as what was saved" },
    force: { kind: "flag", short: "f", help: "replace a file that is there already" },
    ...storeOptions,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast backup restore backups/2026-11-30-1205-sda big", help: "the whole disk" },
    { line: "holdfast backup restore backups/2026-11-30-1205-sda root.img -p 2", help: "its second partition" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const restored = await restoreBackup(
      {
        backup: args.backup,
        target: args.target,
        ...(args.partition === undefined ? {} : { partition: args.partition }),
        ...(args.disk === undefined ? {} : { disk: args.disk }),
        ...(args.size === undefined ? {} : { sizeBytes: args.size }),
        force: args.force,
        ...storeAccess(context, args),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    await printWarnings(context, restored.warnings);
    if (args.json) return await printJson(context, restored);
    await printLines(context, restoredLines(restored, context));
  },
});

function restoredLines({ path, sizeBytes, parts }: RestoredBackup, { stdout }: CommandContext): string[] {
  const rows = layOutTable(
    [
      { text: ({ name }) => `  ${name}` },
      { text: ({ kind }) => (kind === "dd" ? "plain bytes" : kind) },
      { align: "right", text: ({ restoredBytes }) => formatSize(restoredBytes) },
    ],
    parts,
  );
  return [`${stdout.style("bold", path)}: ${formatSize(sizeBytes)}`, ...rows];
}
