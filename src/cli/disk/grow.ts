import { growDisk } from "../../disk/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, showProgress } from "../print.ts";
import { resizedLines } from "./resized-text.ts";

/** `holdfast disk grow` */
export const grow = defineCommand({
  words: ["disk", "grow"],
  summary: "make a disk larger: the file, its table, the last partition and the file system in it",
  description: `The file is sparse where it is new. A file system that takes the whole disk grows too. What was cut off, by a loss of power too, is finished by the same command given again.

Without --size the file stays as large as it is, and the partition and its file system fill what room there is.`,
  operands: { file: { arity: "one", help: "the disk: a file" } },
  options: {
    size: { kind: "size", short: "s", value: "SIZE", help: "what the file comes to: 8GB is 8·10⁹ bytes, 8GiB 8·2³⁰" },
    partition: {
      kind: "number",
      short: "p",
      value: "N",
      minimum: 1,
      maximum: 8192,
      help: "the partition to grow; else the last",
    },
    "dry-run": { kind: "flag", help: "say what would become of each part, and change nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk grow big --size 8GB", help: "give it more room" },
    { line: "holdfast disk grow big", help: "fill what room there is, as after: truncate -s 8G big" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const resized = await growDisk(
      {
        path: args.file,
        ...(args.size === undefined ? {} : { sizeBytes: args.size }),
        ...(args.partition === undefined ? {} : { partition: args.partition }),
        isRehearsal: args.dryRun,
        nowMs: Date.now(),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    if (args.json) return await printJson(context, { isDryRun: args.dryRun, ...resized });
    await printLines(context, resizedLines(resized));
  },
});
