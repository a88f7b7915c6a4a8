import { defineCommand, jsonOption } from "../command.ts";
import { parsePlace } from "../place.ts";
import { takeOut } from "./take-out.ts";

/** `holdfast disk get` */
export const get = defineCommand({
  words: ["disk", "get"],
  summary: "take files out of an image, into a folder or as a tar",
  description:
    "A folder is taken with all below it. Times, modes, links, holes and extended attributes are kept, owners and devices too where this is run by root. A tar keeps everything whoever runs it.",
  operands: {
    place: { arity: "one", parse: parsePlace, help: "IMAGE, IMAGE:/path, or IMAGE:2/path for partition 2" },
    to: {
      arity: "optional",
      help: "the folder to put it in, made if need be; - is a tar on standard output; else here",
    },
  },
  options: {
    force: { kind: "flag", short: "f", help: "replace files that are there already" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk get big:/etc backup-of-etc", help: "a folder with what is in /etc" },
    { line: "holdfast disk get big:2/ - | zstd > home.tar.zst", help: "all of partition 2 as a tar" },
  ],
  async run(context, args) {
    await takeOut(context, args.place, { to: args.to, force: args.force, json: args.json });
  },
});
