import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { resolvePath, type EditableFileSystem } from "../filesystem/index.ts";
import type { WriteEdit } from "./edit.ts";
import { existingAt, type EditContext } from "./edit-places.ts";

/** Gives a file this content, or adds it to its end. What is not there is made; a link is followed. */
export async function writeContent({ fileSystem, now }: EditContext, edit: WriteEdit): Promise<void> {
  const { bytes, expected } = edit;
  const { place, id: found } = await existingAt(fileSystem, edit.path);
  const content = bytes.length === 0 ? [] : [{ at: 0, bytes }];
  if (found === undefined && expected === undefined) {
    const owner = { uid: 0, gid: 0 };
    await fileSystem.create(place, {
      kind: "file",
      mode: 0o644,
      ...owner,
      modified: now,
      sizeBytes: bytes.length,
      content,
    });
    return;
  }
  const id = await resolvePath(fileSystem, edit.path);
  const { kind, sizeBytes } = await fileSystem.stat(id);
  if (kind !== "file") {
    throw new Failure("exists", `cannot write "${printableName(edit.path)}": there is a ${kind} of that name`);
  }
  if (expected !== undefined && !(await holds(fileSystem, id, expected))) {
    throw new Failure("mismatch", `cannot write "${printableName(edit.path)}": it was changed in the image meanwhile`);
  }
  if (edit.verb === "append") await fileSystem.write(id, sizeBytes, bytes);
  else await fileSystem.replaceContent(id, { sizeBytes: bytes.length, content });
}

async function holds(fileSystem: EditableFileSystem, id: number, expected: Uint8Array): Promise<boolean> {
  const { sizeBytes } = await fileSystem.stat(id);
  if (sizeBytes !== expected.length) return false;
  const found = Buffer.alloc(sizeBytes);
  for await (const { at, bytes } of fileSystem.content(id)) found.set(bytes, at);
  return found.equals(expected);
}

/** Pipes give their bytes in small pieces; a file is written in larger ones. */
const writeBytes = 1024 * 1024;

/** Gives a file that is there all that a stream gives. */
export async function writeStream(
  { fileSystem }: EditContext,
  filePath: string,
  chunks: AsyncIterable<Uint8Array>,
  job: JobOptions,
): Promise<void> {
  const id = await resolvePath(fileSystem, filePath);
  const gathered = Buffer.alloc(writeBytes);
  let at = 0;
  let held = 0;
  for await (const chunk of chunks) {
    stopIfAborted(job.signal);
    for (let done = 0; done < chunk.length;) {
      const count = Math.min(chunk.length - done, writeBytes - held);
      gathered.set(chunk.subarray(done, done + count), held);
      done += count;
      held += count;
      if (held < writeBytes) continue;
      await fileSystem.write(id, at, gathered);
      at += held;
      held = 0;
    }
    job.onProgress?.({ phase: "putting", doneBytes: at + held });
  }
  await fileSystem.write(id, at, gathered.subarray(0, held));
}
