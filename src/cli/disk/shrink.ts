import { shrinkDisk } from "../../disk/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, showProgress } from "../print.ts";
import { resizedLines } from "./resized-text.ts";

/** `holdfast disk shrink` */
export const shrink = defineCommand({
  words: ["disk", "shrink"],
  summary: "make a disk smaller: the file system in its last partition, that partition, the table and the file",
  description: `Files that stand behind the new end are moved to before it. What was cut off, by a loss of power too, is finished by the same command given again; no file is lost.

Without --size the disk comes to what its content needs.`,
  operands: { file: { arity: "one", help: "the disk: a file" } },
  options: {
    size: { kind: "size", short: "s", value: "SIZE", help: "what the file comes to; else what its content needs" },
    partition: {
      kind: "number",
      short: "p",
      value: "N",
      minimum: 1,
      maximum: 8192,
      help: "the partition that is meant, which has to be the last",
    },
    "dry-run": { kind: "flag", help: "say what would become of each part, and change nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk shrink big", help: "no larger than what is in it" },
    { line: "holdfast disk shrink big --size 4GB", help: "to this size, if what is in it fits" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const resized = await shrinkDisk(
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
