import { Failure } from "../../base/index.ts";
import { defineCommand } from "../command.ts";
import { parsePlace } from "../place.ts";
import { applyEdits } from "./apply-edits.ts";
import { editOptions } from "./edit-command.ts";
import { editInEditor } from "./edit-in-editor.ts";
import { parseEditScript } from "./edit-script.ts";
import { readWholeText } from "./read-text.ts";

/** `holdfast disk edit` */
export const edit = defineCommand({
  words: ["disk", "edit"],
  summary: "change a file of an image in your editor, or make many changes as one",
  description: `With a path, the file is opened in $VISUAL or $EDITOR and put back when it was changed; its owner, permissions and attributes stay. Where the editor fails, or the file was changed in the image meanwhile, nothing is put back, and the copy is kept.

With --script, one change a line, in the words of the verbs of holdfast disk, all their options too. All changes are made or, where one fails, none.`,
  terms: {
    heading: "lines of a script",
    rows: [
      { term: "put ./motd /etc/motd", text: "a file of this machine, its path from where the command is run" },
      { term: "write /etc/hostname anna", text: "a file with this one line" },
      {
        term: "append /etc/hosts <<END",
        text: "the lines that follow, up to END, at the end of a file; so with write",
      },
      { term: "rm -r /tmp/x", text: "so with mkdir, mv, ln, chmod and chown" },
      { term: "# a comment", text: "words are divided as in a shell: '…', \"…\" and \\; nothing is expanded" },
    ],
  },
  operands: { place: { arity: "one", parse: parsePlace, help: "IMAGE:/path; with --script IMAGE, or IMAGE:2" } },
  options: {
    script: { kind: "string", value: "FILE", help: "many changes, all or none; - is standard input" },
    ...editOptions,
  },
  examples: [
    { line: "holdfast disk edit big:/etc/fstab", help: "one file" },
    { line: "holdfast disk edit big --script changes.txt", help: "many changes at once" },
  ],
  async run(context, { place, script, dryRun, json }) {
    const { path } = place;
    if (script !== undefined) {
      if (path !== undefined && path !== "/") {
        throw new Failure("usage", "cannot use --script with a path: the script has the paths");
      }
      const edits = parseEditScript(await readWholeText(script));
      const readsInput = edits.some((one) => one.edit.verb === "put" && one.edit.sources.includes("-"));
      if (script === "-" && readsInput) {
        throw new Failure("usage", "cannot put standard input: the script is read from it");
      }
      return applyEdits(context, place, edits, { dryRun, json });
    }
    if (dryRun || json) throw new Failure("usage", `cannot use --${dryRun ? "dry-run" : "json"} without --script`);
    if (path === undefined) {
      throw new Failure("usage", `cannot edit "${place.image}": it names no file in the image`, {
        hint: `write the path after a colon, as in ${place.image}:/etc/fstab, or use --script`,
      });
    }
    await editInEditor(context, { ...place, path });
  },
});
