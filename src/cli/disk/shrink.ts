import { shrinkDisk } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { resize, resizeOptions } from "./resize-command.ts";

/** `holdfast disk shrink` */
export const shrink = defineCommand({
  words: ["disk", "shrink"],
  summary: "make a disk smaller: the file system in its last partition, that partition, the table and the file",
  description: `Files that stand behind the new end are moved to before it. What was cut off, by a loss of power too, is finished by the same command given again; no file is lost.

Without --size the disk comes to what its content needs.`,
  operands: { file: { arity: "one", help: "the disk: a file" } },
  options: resizeOptions({
    size: "what the file comes to; else what its content needs",
    partition: "the partition that is meant, which has to be the last",
  }),
  examples: [
    { line: "holdfast disk shrink big", help: "no larger than what is in it" },
    { line: "holdfast disk shrink big --size 4GB", help: "to this size, if what is in it fits" },
  ],
  run: (context, args) => resize(context, args, shrinkDisk),
});
