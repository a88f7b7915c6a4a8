import { parseModeChange } from "../../disk/index.ts";
import { inOneFileSystem } from "../place-in-image.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk chmod` */
export const chmod = defineEditVerb({
  words: ["disk", "chmod"],
  summary: "change permissions of files in an image",
  description:
    "Links that are named are followed; links below a directory are left alone. Without u, g, o or a it is for all, but for what a umask of 022 withholds.",
  operands: {
    mode: { arity: "one", parse: parseModeChange, help: "644, or u+x,go-w, a=rX, g=u" },
    place: { arity: "one-or-more", help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: { recursive: { kind: "flag", short: "R", help: "all that is in a directory too" } },
  operandPattern: /^-[rwxXstugo0-7][-+=,rwxXstugoa0-7]*$/,
  examples: [
    { line: "holdfast disk chmod 600 big:/etc/shadow", help: "for its owner only" },
    { line: "holdfast disk chmod -R u=rwX,go=rX big:/srv", help: "to be read by all; directories can be entered" },
  ],
  plan({ mode, place: words, recursive }, placeOf) {
    const { place, paths } = inOneFileSystem(words.map(placeOf));
    return { place, edit: { verb: "chmod", mode, paths, recursive } };
  },
});
