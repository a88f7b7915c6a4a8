import { Failure } from "../base/index.ts";
import type { ChunkCursor } from "./chunk-cursor.ts";
import { decodeLzmaProperties, LzmaDecoder } from "./lzma-decoder.ts";

/** Streams may ask for a dictionary of this size at most; `xz -9` makes 64 MiB. */
export const dictionaryLimitBytes = 128 * 1024 * 1024;

const firstBufferBytes = 4 * 1024 * 1024;
const chunkOutputLimitBytes = 2 * 1024 * 1024;

/**
 * LZMA2 (the .xz file format 1.2, §5.3.1): chunks of at most 64 KiB that hold LZMA or plain bytes. Yields the
 * output of each; it is valid until the next is asked for. The cursor is then behind the end mark.
 */
export async function* decodeLzma2(
  cursor: ChunkCursor,
  dictionaryBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  const output = new Dictionary(dictionaryBytes);
  const decoder = new LzmaDecoder();
  for (let isFirst = true; ; isFirst = false) {
    await need(cursor, 1);
    const control = cursor.buffer[cursor.at++] as number;
    if (control === 0x00) return;
    const resetsDictionary = control === 0x01 || control >= 0xe0;
    if (isFirst && !resetsDictionary) throw broken();
    if (resetsDictionary) output.reset();
    if (control >= 0x80) yield await lzmaChunk(cursor, control, decoder, output);
    else if (control <= 0x02) yield await plainChunk(cursor, output);
    else throw broken();
  }
}

async function lzmaChunk(
  cursor: ChunkCursor,
  control: number,
  decoder: LzmaDecoder,
  output: Dictionary,
): Promise<Uint8Array> {
  const setsProperties = control >= 0xc0;
  const headBytes = setsProperties ? 5 : 4;
  await need(cursor, headBytes);
  const head = cursor.buffer.subarray(cursor.at, cursor.at + headBytes);
  cursor.at += headBytes;
  const outputBytes = ((control & 0x1f) << 16) + head.readUInt16BE(0) + 1;
  const inputBytes = head.readUInt16BE(2) + 1;
  if (setsProperties) {
    const properties = decodeLzmaProperties(head.readUInt8(4));
    if (properties === undefined) throw broken();
    decoder.setProperties(properties);
  } else if (!decoder.hasProperties) {
    throw broken();
  } else if (control >= 0xa0) {
    decoder.resetState();
  }
  await need(cursor, inputBytes);
  const place = output.makeRoom(outputBytes);
  const input = { bytes: cursor.buffer, at: cursor.at, end: cursor.at + inputBytes };
  cursor.at += inputBytes;
  if (!decoder.decode(input, place)) throw broken();
  return place.bytes.subarray(place.at, place.end);
}

async function plainChunk(cursor: ChunkCursor, output: Dictionary): Promise<Uint8Array> {
  await need(cursor, 2);
  const lengthBytes = cursor.buffer.readUInt16BE(cursor.at) + 1;
  cursor.at += 2;
  await need(cursor, lengthBytes);
  const place = output.makeRoom(lengthBytes);
  place.bytes.set(cursor.buffer.subarray(cursor.at, cursor.at + lengthBytes), place.at);
  cursor.at += lengthBytes;
  return place.bytes.subarray(place.at, place.end);
}

interface OutputPlace {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  readonly position: number;
}

/** The output so far, as far back as matches may reach. Grows with the output, then slides. */
class Dictionary {
  #bytes = new Uint8Array(0);
  #end = 0;
  #position = 0;
  readonly #keptBytes: number;

  constructor(sizeBytes: number) {
    this.#keptBytes = sizeBytes;
  }

  /** What came before can no longer be reached. */
  reset(): void {
    this.#end = 0;
    this.#position = 0;
  }

  makeRoom(lengthBytes: number): OutputPlace {
    if (this.#end + lengthBytes > this.#bytes.length) this.#growOrSlide();
    const place = { bytes: this.#bytes, at: this.#end, end: this.#end + lengthBytes, position: this.#position };
    this.#end += lengthBytes;
    this.#position += lengthBytes;
    return place;
  }

  #growOrSlide(): void {
    const kept = Math.min(this.#end, this.#keptBytes);
    const limit = Math.max(this.#keptBytes * 2, this.#keptBytes + firstBufferBytes);
    const size = Math.min(limit, Math.max(firstBufferBytes, this.#bytes.length * 2));
    const from = this.#bytes.subarray(this.#end - kept, this.#end);
    if (kept + chunkOutputLimitBytes <= this.#bytes.length && this.#bytes.length === limit) {
      this.#bytes.copyWithin(0, this.#end - kept, this.#end);
    } else {
      const larger = new Uint8Array(Math.max(size, kept + chunkOutputLimitBytes));
      larger.set(from);
      this.#bytes = larger;
    }
    this.#end = kept;
  }
}

async function need(cursor: ChunkCursor, lengthBytes: number): Promise<void> {
  if (!(await cursor.ensure(lengthBytes))) throw new Failure("damaged", "it ends before its end");
}

function broken(): Failure {
  return new Failure("damaged", "its LZMA2 data is broken");
}
