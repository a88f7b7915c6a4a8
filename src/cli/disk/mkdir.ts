import { parseModeChange, parseOwner } from "../../disk/index.ts";
import { inOneFileSystem } from "../place-in-image.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk mkdir` */
export const mkdir = defineEditVerb({
  words: ["disk", "mkdir"],
  summary: "make directories in an image",
  operands: {
    place: { arity: "one-or-more", help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    parents: { kind: "flag", short: "p", help: "those on the way too; one that is there already is no error" },
    mode: {
      kind: "string",
      value: "MODE",
      short: "m",
      parse: parseModeChange,
      help: "permissions, as for chmod; else 755",
    },
    owner: {
      kind: "string",
      value: "USER[:GROUP]",
      parse: parseOwner,
      help: "whose they are, as for chown; else root",
    },
  },
  examples: [{ line: "holdfast disk mkdir -p big:/srv/www/htdocs", help: "three directories, where they are missing" }],
  plan({ place: words, parents, mode, owner }, placeOf) {
    const { place, paths } = inOneFileSystem(words.map(placeOf));
    const wish = { ...(mode === undefined ? {} : { mode }), ...(owner === undefined ? {} : { owner }) };
    return { place, edit: { verb: "mkdir", paths, parents, ...wish } };
  },
});
