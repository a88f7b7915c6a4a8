import { showDisk } from "../../disk/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, showProgress } from "../print.ts";
import { reportLines } from "./report-text.ts";

/** `holdfast disk show` */
export const show = defineCommand({
  words: ["disk", "show"],
  summary: "say what is on a disk: table, partitions, file systems, space used and free",
  description:
    "Nothing is changed. File systems that are not read are told too (f2fs, squashfs, a btrfs of several devices), and so are swap, LUKS and LVM2; what is wrong with any of them is printed below the table. On a terminal the disk is also drawn to scale; how full a field is shows how much of the file system is used, not where.",
  operands: { file: { arity: "one", help: "the disk: a file or a block device" } },
  options: { json: jsonOption },
  examples: [
    { line: "holdfast disk show big", help: "what is on it" },
    { line: "holdfast disk show big --json", help: "the same for a program" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const report = await showDisk(args.file, { signal: context.signal, onProgress: progress.onProgress });
    progress.clear();
    if (args.json) return await printJson(context, report);
    await printLines(context, reportLines(report, context.stdout));
  },
});
