import type { Piece } from "../partclone/index.ts";

/** Chunks are of this length, but for the last one. */
const plainChunkBytes = 4 * 1024 * 1024;

/** The whole content that pieces in ascending order make, zeros between them and up to `leastBytes`, in chunks. */
export async function* plainChunks(
  batches: AsyncIterable<readonly Piece[]>,
  leastBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  const zeros = Buffer.alloc(plainChunkBytes);
  let [start, end] = [0, 0];
  let chunk: Buffer | undefined;
  for await (const batch of batches) {
    for (const { at, bytes } of batch) {
      for (let done = 0; done < bytes.length;) {
        for (; at + done >= start + plainChunkBytes; start += plainChunkBytes) {
          yield chunk ?? zeros;
          chunk = undefined;
        }
        chunk ??= Buffer.alloc(plainChunkBytes);
        const part = bytes.subarray(done, done + start + plainChunkBytes - (at + done));
        chunk.set(part, at + done - start);
        done += part.length;
      }
      end = Math.max(end, at + bytes.length);
    }
  }
  for (const total = Math.max(end, leastBytes); start < total; start += plainChunkBytes) {
    yield (chunk ?? zeros).subarray(0, total - start);
    chunk = undefined;
  }
}
