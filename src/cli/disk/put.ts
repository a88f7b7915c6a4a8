import { Failure } from "../../base/index.ts";
import { parseModeChange, parseOwner } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { parseFilePlace } from "../place-in-image.ts";
import { applyEdits } from "./apply-edits.ts";

/** `holdfast disk put` */
export const put = defineCommand({
  words: ["disk", "put"],
  summary: "put files, folders and tars into an image",
  description:
    "A file that is there already keeps its owner and permissions and gets the new content, as with cp. What is new belongs to root and has the permissions and times of its source. A folder goes into the image with all below it; with --unpack what is in a folder, a tar or a Debian package goes into a directory of the image, and a tar's owners stay.",
  operands: { words: { arity: "one-or-more", help: "files and folders, - is standard input; and last IMAGE:/path" } },
  options: {
    unpack: { kind: "flag", short: "u", help: "put what is in folders, tars and Debian packages" },
    preserve: { kind: "flag", short: "p", help: "keep owners and all permission bits" },
    mkdir: { kind: "flag", help: "make the directories on the way" },
    owner: { kind: "string", value: "USER[:GROUP]", parse: parseOwner, help: "whose the files become" },
    mode: { kind: "string", value: "MODE", parse: parseModeChange, help: "permissions of a single file, as for chmod" },
  },
  examples: [
    { line: "holdfast disk put sshd_config big:/etc/ssh/", help: "a file into a directory" },
    {
      line: "holdfast disk put --owner 1000:1000 ~/.ssh/id_ed25519.pub big:/home/joe/.ssh/authorized_keys",
      help: "a key",
    },
    { line: "holdfast disk put --unpack root.tar.xz big:/", help: "a tar into the root of a file system" },
  ],
  async run(context, { words, unpack, preserve, mkdir, owner, mode }) {
    const last = words.at(-1);
    if (last === undefined || words.length < 2) {
      throw new Failure("usage", "cannot put: name what to put, and last IMAGE:/path where it goes");
    }
    const place = parseFilePlace(last);
    await applyEdits(context, place, [
      {
        verb: "put",
        sources: words.slice(0, -1),
        to: place.path,
        unpack,
        preserve,
        makeParents: mkdir,
        ...(owner === undefined ? {} : { owner }),
        ...(mode === undefined ? {} : { mode }),
      },
    ]);
  },
});
