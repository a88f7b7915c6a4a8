import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { Failure } from "../../base/index.ts";
import { FileReader, type BlockReader } from "../../device/index.ts";
import { inOrder } from "./in-order.ts";
import { partsUnderWay } from "./packing.ts";
import { encodeSeekTable, readSeekTable, type Frame } from "./seek-table.ts";
import { frameDecoders, FrameReader } from "./unpack-frames.ts";

const zstdCompress = promisify(zlib.zstdCompress);
const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants;
/** What is kept for oneself only is to be written quickly. */
const params = { [ZSTD_c_compressionLevel]: 1, [ZSTD_c_checksumFlag]: 1 };

/** Compresses chunks and hands them to `write` in their order, with a table behind them by which any can be found. */
export async function packFrames(
  chunks: AsyncIterable<Uint8Array>,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const frames: Frame[] = [];
  const pack = async (chunk: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly plainBytes: number }> => {
    const chunkSize = chunk.length + Math.ceil(chunk.length / 128) + 1024;
    const bytes = await zstdCompress(chunk, { params, pledgedSrcSize: chunk.length, chunkSize });
    return { bytes, plainBytes: chunk.length };
  };
  for await (const { bytes, plainBytes } of inOrder(chunks, partsUnderWay, pack)) {
    await write(bytes);
    frames.push({ packedBytes: bytes.length, plainBytes });
  }
  await write(encodeSeekTable(frames));
}

/** The content of a file that has such frames, to be read anywhere. Throws `damaged` where it is not whole. */
export async function openFrames(path: string): Promise<BlockReader> {
  await using stack = new AsyncDisposableStack();
  const reader = stack.use(await FileReader.open(path));
  const table = await readSeekTable(reader);
  if (table === undefined) throw new Failure("damaged", `cannot read "${path}": it does not end with a seek table`);
  stack.move();
  return new FrameReader(reader, table, frameDecoders.zst);
}
