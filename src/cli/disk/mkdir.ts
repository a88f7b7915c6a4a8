import { parseFilePlace, inOneFileSystem } from "../place-in-image.ts";
import { parseModeChange } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk mkdir` */
export const mkdir = defineCommand({
  words: ["disk", "mkdir"],
  summary: "make directories in an image",
  operands: {
    place: { arity: "one-or-more", parse: parseFilePlace, help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    parents: { kind: "flag", short: "p", help: "those on the way too; one that is there already is no error" },
    mode: {
      kind: "string",
      value: "MODE",
      short: "m",
      parse: parseModeChange,
      help: "permissions, as for chmod (755)",
    },
  },
  examples: [{ line: "holdfast disk mkdir -p big:/srv/www/htdocs", help: "three directories, where they are missing" }],
  async run(context, { place: places, parents, mode }) {
    const { place, paths } = inOneFileSystem(places);
    await applyEdits(context, place, [{ verb: "mkdir", paths, parents, ...(mode === undefined ? {} : { mode }) }]);
  },
});
