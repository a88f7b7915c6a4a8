import { Failure } from "../../base/index.ts";
import { parseEditScript } from "../../disk/index.ts";
import { defineCommand, type CommandContext } from "../command.ts";
import { parsePlace } from "../place.ts";
import { applyEdits } from "./apply-edits.ts";
import { editInEditor } from "./edit-in-editor.ts";
import { readWholeText } from "./read-text.ts";

/** `holdfast disk edit` */
export const edit = defineCommand({
  words: ["disk", "edit"],
  summary: "change a file of an image in your editor, or make many changes as one",
  description:
    "With a path, the file is opened in $VISUAL or $EDITOR and put back when it was changed; owner and permissions stay.\n\nWith --script, one change a line: put, write, append, rm, mkdir, mv, ln, chmod and chown, with the words of the verbs of this program, paths beginning at the root of the file system. All are made, or, where one fails, none.",
  terms: {
    heading: "Lines of a script",
    rows: [
      {
        term: "put ./motd /etc/motd",
        text: "a file of this machine; --unpack, --preserve and --mkdir as for disk put",
      },
      { term: "write /etc/hostname anna", text: "a file with this line; <<END takes the lines up to END" },
      { term: "append /etc/hosts <<END", text: "the same at the end of a file" },
      { term: "rm -r -f /tmp/x", text: "so with mkdir -p, mv, ln -s, chmod -R and chown -R" },
      { term: "# a comment", text: "quotes are a shell's: '…', \"…\" and \\" },
    ],
  },
  operands: { place: { arity: "one", parse: parsePlace, help: "IMAGE:/path; with --script IMAGE, or IMAGE:2" } },
  options: { script: { kind: "string", value: "FILE", help: "many changes, all or none; - is standard input" } },
  examples: [
    { line: "holdfast disk edit big:/etc/fstab", help: "one file" },
    { line: "holdfast disk edit big --script changes.txt", help: "many changes at once" },
  ],
  async run(context, { place, script }) {
    if (script === undefined) return editOne(context, place);
    if (place.path !== undefined && place.path !== "/") {
      throw new Failure("usage", "cannot use --script with a path: the script has the paths");
    }
    await applyEdits(context, place, parseEditScript(await readWholeText(script)));
  },
});

async function editOne(context: CommandContext, place: ReturnType<typeof parsePlace>): Promise<void> {
  const { path } = place;
  if (path === undefined) {
    throw new Failure("usage", `cannot edit "${place.image}": it names no file in the image`, {
      hint: `write the path after a colon, as in ${place.image}:/etc/fstab, or use --script`,
    });
  }
  await editInEditor(context, { ...place, path });
}
