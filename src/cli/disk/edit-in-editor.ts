import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
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
  await putBack(context, place, { copy, before });
  await fs.rm(folder, { recursive: true, force: true });
}

/** Once it is through, the copy is of no use any more. Where something goes wrong, the failure names the copy. */
async function putBack(
  context: CommandContext,
  place: FilePlace,
  { copy, before }: { readonly copy: string; readonly before: Buffer },
): Promise<void> {
  try {
    const status = await context.lendTerminal(() => runEditor(context, copy));
    if (status !== 0) {
      throw new Failure("failed", `cannot edit "${printableName(place.path)}": the editor ended with status ${status}`);
    }
    const after = await fs.readFile(copy);
    if (before.equals(after)) {
      await context.stderr.write("nothing was changed\n");
      return;
    }
    const edit = { verb: "write", path: place.path, bytes: after, expected: before } as const;
    await applyEdits(context, place, [{ edit }], { dryRun: false, json: false });
  } catch (error) {
    throw namingCopy(error, place, copy);
  }
}

function namingCopy(error: unknown, place: FilePlace, copy: string): unknown {
  const hint = `nothing was put back; the copy that was edited is "${copy}"`;
  if (error instanceof Failure) return new Failure(error.code, error.message, { hint, cause: error });
  if (!isSystemError(error, "ENOENT", "EACCES", "EISDIR")) return error;
  const message = `cannot edit "${printableName(place.path)}": ${systemReason(error)}`;
  return new Failure("failed", message, { hint, cause: error });
}

async function wholeFile(place: FilePlace): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let lengthBytes = 0;
  for await (const piece of readFile(place)) {
    lengthBytes += piece.length;
    if (lengthBytes > editedBytesLimit) {
      throw new Failure(
        "failed",
        `cannot edit "${printableName(place.path)}": it has more than ${editedBytesLimit} bytes`,
        { hint: "take it out with disk get, put it back with disk put" },
      );
    }
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** Runs the editor as git does: its words are the shell's to divide. */
async function runEditor({ env }: CommandContext, file: string): Promise<number> {
  const editor = [env["VISUAL"], env["EDITOR"]].find((one) => one !== undefined && one !== "") ?? "vi";
  const child = spawn("sh", ["-c", `${editor} "$@"`, editor, file], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
}
