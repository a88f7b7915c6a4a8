import { parseFilePlace, inOneFileSystem } from "../place-in-image.ts";
import { parseModeChange } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk chmod` */
export const chmod = defineCommand({
  words: ["disk", "chmod"],
  summary: "change permissions of files in an image",
  operands: {
    mode: { arity: "one", parse: parseModeChange, help: "644, or u+x,go-w; without u, g, o or a it is for all" },
    place: { arity: "one-or-more", parse: parseFilePlace, help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: { recursive: { kind: "flag", short: "R", help: "all that is in a directory too" } },
  examples: [{ line: "holdfast disk chmod 600 big:/etc/shadow", help: "for its owner only" }],
  async run(context, { mode, place: places, recursive }) {
    const { place, paths } = inOneFileSystem(places);
    await applyEdits(context, place, [{ verb: "chmod", mode, paths, recursive }]);
  },
});
