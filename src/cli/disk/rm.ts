import { inOneFileSystem } from "../place-in-image.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk rm` */
export const rm = defineEditVerb({
  words: ["disk", "rm"],
  summary: "remove files from an image",
  operands: {
    place: { arity: "one-or-more", help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    recursive: { kind: "flag", short: "r", help: "directories too, with all that is in them" },
    force: { kind: "flag", short: "f", help: "what is not there is no error" },
  },
  examples: [{ line: "holdfast disk rm -r big:/var/cache/apt", help: "a directory with all that is in it" }],
  plan({ place: words, recursive, force }, placeOf) {
    const { place, paths } = inOneFileSystem(words.map(placeOf));
    return { place, edit: { verb: "rm", paths, recursive, force } };
  },
});
