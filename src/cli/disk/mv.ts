import { Failure } from "../../base/index.ts";
import { parseFilePlace, inOneFileSystem } from "../place-in-image.ts";
import { defineCommand } from "../command.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk mv` */
export const mv = defineCommand({
  words: ["disk", "mv"],
  summary: "move or rename files within a file system of an image",
  operands: {
    place: { arity: "one-or-more", parse: parseFilePlace, help: "what to move, IMAGE:/path, and last where it goes" },
  },
  options: {},
  examples: [
    { line: "holdfast disk mv big:/etc/fstab big:/etc/fstab.old", help: "another name" },
    { line: "holdfast disk mv big:/a big:/b big:/srv", help: "into a directory" },
  ],
  async run(context, { place: places }) {
    const { place, paths } = inOneFileSystem(places);
    const to = paths.at(-1);
    if (to === undefined || paths.length < 2)
      throw new Failure("usage", "cannot move: name what to move, and where to");
    await applyEdits(context, place, [{ verb: "mv", from: paths.slice(0, -1), to }]);
  },
});
