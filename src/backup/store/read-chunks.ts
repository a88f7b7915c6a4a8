import type { BlockReader } from "../../device/index.ts";

const usualChunkBytes = 4 * 1024 * 1024;

/** All bytes of a reader. While one chunk is out, the next one is read; a chunk is valid until the next is asked for. */
export async function* readChunks(
  reader: BlockReader,
  chunkBytes = usualChunkBytes,
): AsyncGenerator<Uint8Array, void, void> {
  const size = Math.min(chunkBytes, reader.sizeBytes);
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  const start = async (at: number, turn: number): Promise<Uint8Array> => {
    const count = Math.min(size, reader.sizeBytes - at);
    const into = (buffers[turn] ?? Buffer.alloc(0)).subarray(0, Math.max(0, count));
    if (count > 0) await reader.read(at, into);
    return into;
  };
  let turn = 0;
  let next = start(0, turn);
  next.catch(() => undefined); // seen when its turn comes
  try {
    for (let at = 0; at < reader.sizeBytes;) {
      const chunk = await next;
      at += chunk.length;
      turn = 1 - turn;
      next = start(at, turn);
      next.catch(() => undefined);
      yield chunk;
    }
  } finally {
    await next.catch(() => undefined);
  }
}
