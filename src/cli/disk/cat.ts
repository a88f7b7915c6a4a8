import { readFile } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { parseFilePlace } from "../place-in-image.ts";

/** `holdfast disk cat` */
export const cat = defineCommand({
  words: ["disk", "cat"],
  summary: "print files of an image on standard output",
  operands: {
    place: { arity: "one-or-more", parse: parseFilePlace, help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {},
  examples: [{ line: "holdfast disk cat big:/etc/fstab", help: "a file of its only or root file system" }],
  async run(context, args) {
    for (const place of args.place) {
      for await (const piece of readFile(place, { signal: context.signal })) await context.stdout.write(piece);
    }
  },
});
