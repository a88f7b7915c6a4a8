import { parseOwner } from "../../disk/index.ts";
import { inOneFileSystem } from "../place-in-image.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk chown` */
export const chown = defineEditVerb({
  words: ["disk", "chown"],
  summary: "change the owner of files in an image",
  description:
    "Names are looked up in the image's own /etc/passwd and /etc/group. As where the kernel does it, programs lose their set-id bits and capabilities.",
  operands: {
    owner: { arity: "one", parse: parseOwner, help: "USER, USER:GROUP, USER: with his own group, or :GROUP" },
    place: { arity: "one-or-more", help: "IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    recursive: { kind: "flag", short: "R", help: "all that is in a directory too; links are changed themselves" },
    "no-dereference": { kind: "flag", help: "change a link itself instead of what it leads to" },
  },
  examples: [
    { line: "holdfast disk chown -R www-data: big:/srv/www", help: "a name out of the image's own /etc/passwd" },
    { line: "holdfast disk chown 1000:1000 big:/home/joe/.ssh/authorized_keys", help: "numbers" },
  ],
  plan({ owner, place: words, recursive, noDereference }, placeOf) {
    const { place, paths } = inOneFileSystem(words.map(placeOf));
    return { place, edit: { verb: "chown", owner, paths, recursive, noDereference } };
  },
});
