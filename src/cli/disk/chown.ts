import { parseFilePlace, inOneFileSystem } from "../place-in-image.ts";
import { parseOwner } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk chown` */
export const chown = defineCommand({
  words: ["disk", "chown"],
  summary: "change the owner of files in an image",
  operands: {
    owner: {
      arity: "one",
      parse: parseOwner,
      help: "USER, USER:GROUP or :GROUP, as numbers or as the image knows them",
    },
    place: { arity: "one-or-more", parse: parseFilePlace, help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: { recursive: { kind: "flag", short: "R", help: "all that is in a directory too" } },
  examples: [
    { line: "holdfast disk chown -R www-data: big:/srv/www", help: "a name out of the image's own /etc/passwd" },
  ],
  async run(context, { owner, place: places, recursive }) {
    const { place, paths } = inOneFileSystem(places);
    await applyEdits(context, place, [{ verb: "chown", owner, paths, recursive }]);
  },
});
