import { parseFilePlace } from "../place-in-image.ts";
import { defineCommand } from "../command.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk ln` */
export const ln = defineCommand({
  words: ["disk", "ln"],
  summary: "make a link in an image",
  operands: {
    target: { arity: "one", help: "a path in the same file system; with -s whatever the link is to say" },
    place: { arity: "one", parse: parseFilePlace, help: "the link, IMAGE:/path, or the directory that it goes into" },
  },
  options: { symbolic: { kind: "flag", short: "s", help: "a symbolic link; else a further name of the file" } },
  examples: [{ line: "holdfast disk ln -s /usr/share/zoneinfo/UTC big:/etc/localtime", help: "a symbolic link" }],
  async run(context, { target, place, symbolic }) {
    await applyEdits(context, place, [{ verb: "ln", target, path: place.path, symbolic }]);
  },
});
