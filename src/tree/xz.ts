import xz from "xz-decompress";
import { Failure } from "../base/index.ts";

/** What the decoder, xz-embedded, says when a file needs more than it has: its error codes 4 and 6. */
const beyondDecoder = /error code [46]$/;

/** The content of .xz streams, one or several. */
export async function* decompressXz(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  const compressed = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done === true) controller.close();
        // A copy: the chunk is its maker's again once the next one is asked for.
        else controller.enqueue(next.value.slice());
      },
    },
    { highWaterMark: 0 },
  );
  try {
    yield* new xz.XzReadableStream(compressed);
  } catch (error) {
    if (error instanceof Error && beyondDecoder.test(error.message)) {
      throw new Failure("unsupported", "it needs an xz filter, check or dictionary that is not known here", {
        hint: "unpack it on the way: xz -dc FILE | holdfast … --from -",
        cause: error,
      });
    }
    throw error;
  } finally {
    await iterator.return?.();
  }
}
