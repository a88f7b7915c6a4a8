import { parseFilePlace, inOneFileSystem } from "../place-in-image.ts";
import { defineCommand } from "../command.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk rm` */
export const rm = defineCommand({
  words: ["disk", "rm"],
  summary: "remove files from an image",
  operands: {
    place: { arity: "one-or-more", parse: parseFilePlace, help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    recursive: { kind: "flag", short: "r", help: "directories too, with all that is in them" },
    force: { kind: "flag", short: "f", help: "what is not there is no error" },
  },
  examples: [{ line: "holdfast disk rm -r big:/var/cache/apt", help: "a directory with all that is in it" }],
  async run(context, { place: places, recursive, force }) {
    const { place, paths } = inOneFileSystem(places);
    await applyEdits(context, place, [{ verb: "rm", paths, recursive, force }]);
  },
});
