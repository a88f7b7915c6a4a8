import { growDisk } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { resize, resizeOptions } from "./resize-command.ts";

/** `holdfast disk grow` */
export const grow = defineCommand({
  words: ["disk", "grow"],
  summary: "make a disk larger: the file, its table, the last partition and the file system in it",
  description: `The file is sparse where it is new. A file system that takes the whole disk grows too. What was cut off, by a loss of power too, is finished by the same command given again.

Without --size the file stays as large as it is, and the partition and its file system fill what room there is.`,
  operands: { file: { arity: "one", help: "the disk: a file" } },
  options: resizeOptions({
    size: "what the file comes to: 8GB is 8·10⁹ bytes, 8GiB 8·2³⁰",
    partition: "the partition to grow; else the last",
  }),
  examples: [
    { line: "holdfast disk grow big --size 8GB", help: "give it more room" },
    { line: "holdfast disk grow big", help: "fill what room there is, as after: truncate -s 8G big" },
  ],
  run: (context, args) => resize(context, args, growDisk),
});
