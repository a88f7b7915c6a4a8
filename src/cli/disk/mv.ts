import { Failure } from "../../base/index.ts";
import { inOneFileSystem } from "../place-in-image.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk mv` */
export const mv = defineEditVerb({
  words: ["disk", "mv"],
  summary: "move or rename files within a file system of an image",
  operands: {
    place: { arity: "one-or-more", help: "what to move, IMAGE:/path, and last where it goes" },
  },
  options: {},
  examples: [
    { line: "holdfast disk mv big:/etc/fstab big:/etc/fstab.old", help: "another name" },
    { line: "holdfast disk mv big:/a big:/b big:/srv", help: "into a directory" },
  ],
  plan({ place: words }, placeOf) {
    const { place, paths } = inOneFileSystem(words.map(placeOf));
    const to = paths.at(-1);
    if (to === undefined || paths.length < 2) {
      throw new Failure("usage", "cannot move: name what to move, and where to");
    }
    return { place, edit: { verb: "mv", from: paths.slice(0, -1), to } };
  },
});
