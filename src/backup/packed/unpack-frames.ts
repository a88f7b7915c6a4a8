import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { Failure } from "../../base/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { decompress } from "../../tree/index.ts";
import { inOrder } from "./in-order.ts";
import { partsUnderWay } from "./packing.ts";
import type { PlacedFrame, SeekTable } from "./seek-table.ts";
import { streamOfBlock, type XzFrame } from "./xz-table.ts";

const zstdDecompress = promisify(zlib.zstdDecompress);
const gunzip: (packed: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer> = promisify(zlib.gunzip);

/** Unpacks one frame, given alone: Node's zstd stops behind the first one in its input. */
export type FrameDecoder = (packed: Uint8Array<ArrayBuffer>, frame: PlacedFrame) => Promise<Uint8Array>;

/** How frames are unpacked, by Clonezilla's names. */
export const frameDecoders = {
  // Some bytes more than are expected, so that one that is too long is noticed and not cut.
  zst: (packed, { plainBytes }) =>
    zstdDecompress(packed, { chunkSize: plainBytes + 64, maxOutputLength: plainBytes + 64 }),
  gz: (packed, { plainBytes }) => gunzip(packed, { chunkSize: plainBytes + 64, maxOutputLength: plainBytes + 64 }),
  lz4: (packed, { plainBytes }) => decompressed(packed, plainBytes),
  xz: (packed, frame) => decompressed(isOfXz(frame) ? streamOfBlock(packed, frame) : packed, frame.plainBytes),
} satisfies Readonly<Record<string, FrameDecoder>>;

function isOfXz(frame: PlacedFrame): frame is XzFrame {
  return "unpaddedBytes" in frame;
}

async function decompressed(packed: Uint8Array, plainBytes: number): Promise<Uint8Array> {
  const plain = Buffer.alloc(plainBytes);
  let length = 0;
  const once = async function* (): AsyncGenerator<Uint8Array> {
    yield packed;
  };
  for await (const piece of (await decompress(once(), "frame")).chunks) {
    plain.set(piece.subarray(0, plainBytes - length), length);
    length += piece.length;
    if (length > plainBytes) throw new Failure("damaged", "it is longer than it should be");
  }
  return plain.subarray(0, length);
}

/** The content of frames in their order, several unpacked at a time. */
export function unpackFrames(
  reader: BlockReader,
  { frames }: SeekTable,
  decode: FrameDecoder,
): AsyncGenerator<Uint8Array, void, void> {
  return inOrder(frames, partsUnderWay, (frame) => unpackFrame(reader, frame, decode));
}

/** A frame must come to its length. */
async function unpackFrame(reader: BlockReader, frame: PlacedFrame, decode: FrameDecoder): Promise<Uint8Array> {
  const packed = await readBytes(reader, frame.packedAt, frame.packedBytes);
  let plain: Uint8Array;
  try {
    plain = await decode(packed, frame);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("damaged", `the packed frame at byte ${frame.packedAt} is damaged (${why})`, { cause: error });
  }
  if (plain.length === frame.plainBytes) return plain;
  throw new Failure(
    "damaged",
    `the packed frame at byte ${frame.packedAt} holds ${plain.length} bytes, ${frame.plainBytes} are needed`,
  );
}

/** As many frames are kept as take so much. */
const keptBytes = 32 * 1024 * 1024;

/** The content of compressed data with a seek table, readable anywhere. It owns the reader of the compressed data. */
export class FrameReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #packed: BlockReader;
  readonly #frames: readonly PlacedFrame[];
  readonly #decode: FrameDecoder;
  /** By number, those used last at the end. */
  readonly #kept = new Map<number, Promise<Uint8Array>>();
  readonly #keptLimit: number;

  constructor(packed: BlockReader, table: SeekTable, decode: FrameDecoder) {
    this.#packed = packed;
    this.#decode = decode;
    this.#frames = table.frames;
    this.sizeBytes = table.plainBytes;
    const largest = table.frames.reduce((most, { plainBytes }) => Math.max(most, plainBytes), 1);
    this.#keptLimit = Math.max(2, Math.floor(keptBytes / largest));
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    if (at < 0 || at + into.length > this.sizeBytes) {
      throw new Failure("damaged", `cannot reach byte ${at} of the content: it ends at ${this.sizeBytes}`);
    }
    for (let done = 0, n = this.#frameAt(at); done < into.length; n++) {
      const frame = this.#frames[n];
      if (frame === undefined) throw new TypeError("a frame is missing");
      const plain = await this.#content(n, frame);
      const part = plain.subarray(at + done - frame.plainAt, at + into.length - frame.plainAt);
      into.set(part, done);
      done += part.length;
    }
  }

  #content(n: number, frame: PlacedFrame): Promise<Uint8Array> {
    const kept = this.#kept.get(n) ?? unpackFrame(this.#packed, frame, this.#decode);
    this.#kept.delete(n);
    this.#kept.set(n, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#keptLimit) break;
      this.#kept.delete(oldest);
    }
    return kept;
  }

  /** The number of the frame with a byte of the content, by halving. */
  #frameAt(at: number): number {
    let [low, high] = [0, this.#frames.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#frames[middle]?.plainAt ?? Infinity) <= at) low = middle;
      else high = middle;
    }
    return low;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#kept.values());
    await this.#packed[Symbol.asyncDispose]();
  }
}
