import { Failure } from "../../base/index.ts";
import type { FilePlace } from "../place-in-image.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk ln` */
export const ln = defineEditVerb({
  words: ["disk", "ln"],
  summary: "make a link in an image",
  operands: {
    target: {
      arity: "one",
      help: "the file in the same file system, IMAGE:/path or /path; with -s what the link says",
    },
    place: { arity: "one", help: "the link, IMAGE:/path, or the directory that it goes into" },
  },
  options: {
    symbolic: { kind: "flag", short: "s", help: "a symbolic link; else a further name of the file" },
    force: { kind: "flag", short: "f", help: "replace a file of that name" },
    "no-dereference": { kind: "flag", short: "n", help: "replace a link to a directory instead of going into it" },
  },
  examples: [
    { line: "holdfast disk ln -s /usr/share/zoneinfo/UTC big:/etc/localtime", help: "a symbolic link" },
    { line: "holdfast disk ln big:/boot/vmlinuz-6.1 big:/boot/vmlinuz", help: "a further name" },
  ],
  plan({ target, place: word, symbolic, force, noDereference }, placeOf) {
    const place = placeOf(word);
    const isPath = target.startsWith("/") && !target.startsWith(`${place.image}:`);
    const named = symbolic || isPath ? target : pathBeside(place, placeOf(target));
    return { place, edit: { verb: "ln", target: named, path: place.path, symbolic, force, noDereference } };
  },
});

function pathBeside(link: FilePlace, target: FilePlace): string {
  if (link.image === target.image && link.partition === target.partition) return target.path;
  throw new Failure("usage", "cannot give a file a name in another file system: a link stays in its own", {
    hint: "get and put copy it, ln -s makes a symbolic link",
  });
}
