import { Failure } from "../../base/index.ts";
import { parseModeChange, parseOwner } from "../../disk/index.ts";
import { defineEditVerb } from "./edit-command.ts";

/** `holdfast disk put` */
export const put = defineEditVerb({
  words: ["disk", "put"],
  summary: "put files, folders and tars into an image",
  description: `A file or a folder, with all below it, goes into the directory that is named last, or gets that name where there is no such directory. As with cp, a file that is there already keeps its owner and permissions and gets the new content, and a directory keeps what is in it. What is new belongs to root and has the permissions and times of its source, without set-id bits.

A tar is a file like any other, unless --unpack is given: then what is in folders, tars (plain, gz, xz, zst) and Debian packages goes into the directory, as when a disk is made of them: a later file replaces an earlier one, and a tar's owners and permissions are kept.`,
  operands: { words: { arity: "one-or-more", help: "files and folders, - is standard input; and last IMAGE:/path" } },
  options: {
    unpack: { kind: "flag", short: "u", help: "put what is in folders, tars and Debian packages" },
    preserve: { kind: "flag", short: "p", help: "keep owners, all permission bits and extended attributes" },
    mkdir: { kind: "flag", help: "make the directories on the way" },
    owner: { kind: "string", value: "USER[:GROUP]", parse: parseOwner, help: "whose the files become, as for chown" },
    mode: { kind: "string", value: "MODE", parse: parseModeChange, help: "their permissions, as for chmod" },
  },
  examples: [
    { line: "holdfast disk put sshd_config big:/etc/ssh/", help: "a file into a directory" },
    {
      line: "holdfast disk put --owner 1000:1000 ~/.ssh/id_ed25519.pub big:/home/joe/.ssh/authorized_keys",
      help: "a key",
    },
    { line: "holdfast disk put --unpack root.tar.xz big:/", help: "a tar into the root of a file system" },
    { line: "date | holdfast disk put - big:/etc/made-on", help: "what another program prints" },
  ],
  plan({ words, unpack, preserve, mkdir, owner, mode }, placeOf) {
    const last = words.at(-1);
    if (last === undefined || words.length < 2) {
      throw new Failure("usage", "cannot put: name what to put, and last where it goes");
    }
    const place = placeOf(last);
    const wish = { ...(owner === undefined ? {} : { owner }), ...(mode === undefined ? {} : { mode }) };
    const sources = words.slice(0, -1);
    return {
      place,
      edit: { verb: "put", sources, to: place.path, unpack, preserve, makeParents: mkdir, ...wish },
    };
  },
});
