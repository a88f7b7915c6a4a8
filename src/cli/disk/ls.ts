import { defineCommand, jsonOption } from "../command.ts";
import { parsePlace } from "../place.ts";
import { printListing } from "./print-listing.ts";

/** `holdfast disk ls` */
export const ls = defineCommand({
  words: ["disk", "ls"],
  summary: "list the files in an image",
  operands: {
    place: { arity: "one", parse: parsePlace, help: "IMAGE, IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    long: { kind: "flag", short: "l", help: "with mode, links, owner, group, size, time in UTC" },
    recursive: { kind: "flag", short: "R", help: "with everything below" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk ls big", help: "the root of its only or root file system" },
    { line: "holdfast disk ls -lR big:2/etc", help: "all below /etc in partition 2" },
  ],
  async run(context, args) {
    await printListing(context, args.place, { isLong: args.long, isRecursive: args.recursive, json: args.json });
  },
});
