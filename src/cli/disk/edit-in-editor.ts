import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { readFile } from "../../disk/index.ts";
import type { CommandContext } from "../command.ts";
import type { FilePlace } from "../place-in-image.ts";
import { applyEdits } from "./apply-edits.ts";

/** An editor is for text: a larger file is taken out and put back by hand. */
const editedBytesLimit = 64 * 1024 * 1024;

/** Takes a file out, has it edited, and puts it back where it was changed and nobody else changed it meanwhile. */
export async function editInEditor(context: CommandContext, place: FilePlace): Promise<void> {
  const before = await wholeFile(place);
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "holdfast-edit-"));
  const copy = path.join(folder, path.posix.basename(place.path));
  await fs.writeFile(copy, before, { mode: 0o600 });
  const status = await runEditor(context, copy);
  const after = await fs.readFile(copy);
  const forget = () => fs.rm(folder, { recursive: true, force: true });
  if (status !== 0) {
    const message = `cannot edit "${place.path}": the editor ended with status ${status}`;
    if (!before.equals(after)) throw new Failure("failed", message, { hint: `what was written is in "${copy}"` });
    await forget();
    throw new Failure("failed", message);
  }
  if (before.equals(after)) {
    await context.stderr.write("nothing was changed\n");
    return forget();
  }
  if (!before.equals(await wholeFile(place))) {
    throw new Failure("mismatch", `cannot put "${place.path}" back: it was changed in the image meanwhile`, {
      hint: `what was written is in "${copy}"`,
    });
  }
  try {
    await applyEdits(context, place, [{ verb: "write", path: place.path, bytes: after, isAppended: false }]);
  } catch (error) {
    await context.stderr.write(`what was written is in "${copy}"\n`);
    throw error;
  }
  await forget();
}

async function wholeFile(place: FilePlace): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let lengthBytes = 0;
  for await (const piece of readFile(place)) {
    lengthBytes += piece.length;
    if (lengthBytes > editedBytesLimit) {
      throw new Failure("failed", `cannot edit "${place.path}": it has more than ${editedBytesLimit} bytes`, {
        hint: "take it out with disk get, put it back with disk put",
      });
    }
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** Runs the editor as git does: its words are the shell's to divide. */
async function runEditor({ env }: CommandContext, file: string): Promise<number> {
  const editor = env["VISUAL"] ?? env["EDITOR"] ?? "vi";
  const child = spawn("sh", ["-c", `${editor} "$@"`, editor, file], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
}
