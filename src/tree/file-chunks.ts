import * as fs from "node:fs/promises";
import { Failure, isSystemError, systemReason } from "../base/index.ts";

const chunkBytes = 4 * 1024 * 1024;

/** The name under which the user gives standard input. */
export const standardInput = "-";

/** An open file or standard input, to be read once. */
export interface ChunkSource extends AsyncDisposable {
  /** Of an ordinary file. */
  readonly sizeBytes?: number;
  /** A chunk is valid until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Opens a file, or standard input for `-`. */
export async function openChunks(path: string): Promise<ChunkSource> {
  if (path === standardInput) {
    return { chunks: process.stdin as AsyncIterable<Uint8Array>, async [Symbol.asyncDispose]() {} };
  }
  const file = await openFile(path);
  const status = await file.stat();
  if (status.isDirectory()) {
    await file.close();
    throw new Failure("failed", `cannot read "${path}": it is a folder, a file is needed`);
  }
  return {
    ...(status.isFile() ? { sizeBytes: status.size } : {}),
    chunks: readAhead(file, path),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function openFile(path: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(path, "r");
  } catch (error) {
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot open "${path}": ${systemReason(error)}`, { cause: error });
  }
}

/** While one chunk is out, the next one is read into the buffer of the one before. */
async function* readAhead(file: fs.FileHandle, path: string): AsyncGenerator<Uint8Array, void, void> {
  let spare = Buffer.allocUnsafeSlow(chunkBytes);
  let filling = Buffer.allocUnsafeSlow(chunkBytes);
  let reading = file.read(filling, 0, chunkBytes, null);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      const chunk = filling.subarray(0, bytesRead);
      [filling, spare] = [spare, filling];
      reading = file.read(filling, 0, chunkBytes, null);
      yield chunk;
    }
  } catch (error) {
    throw new Failure("failed", `cannot read "${path}": ${systemReason(error)}`, { cause: error });
  } finally {
    await reading.catch(() => undefined); // the file is closed next; why a read failed has been thrown already
  }
}
