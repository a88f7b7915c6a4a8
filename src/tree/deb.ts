import * as fs from "node:fs/promises";
import { Failure, isSystemError, systemReason } from "../base/index.ts";
import { listArchive, type ArMember } from "./ar.ts";
import type { TreeSource } from "./entry.ts";
import { tarOver } from "./open-tar.ts";

const pieceBytes = 1024 * 1024;

/** The files that a Debian package installs (deb(5): the member `data.tar` in whatever compression) as a tree. */
export async function openDeb(path: string): Promise<TreeSource> {
  const file = await openFile(path);
  try {
    const data = (await listArchive(file, path)).find(({ name }) => /^data\.tar(\.\w+)?$/.test(name));
    if (data === undefined) throw new Failure("damaged", `cannot read "${path}": it has no data.tar, as packages have`);
    const source = { chunks: chunksOf(file, data), [Symbol.asyncDispose]: () => file.close() };
    return await tarOver(source, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(path, "r");
  } catch (error) {
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot open "${path}": ${systemReason(error)}`, { cause: error });
  }
}

async function* chunksOf(file: fs.FileHandle, member: ArMember): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < member.sizeBytes;) {
    // A new buffer each time: a decompressor may still be at work on the one before.
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, member.sizeBytes - done));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, member.at + done);
    if (bytesRead === 0) return; // the tar in it then ends too soon, and says so
    yield buffer.subarray(0, bytesRead);
    done += bytesRead;
  }
}
