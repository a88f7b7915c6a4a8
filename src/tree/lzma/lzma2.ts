import { QuickParser } from "./quick-parser.ts";
import { SymbolWriter } from "./symbol-writer.ts";

/** How far back matches reach. Parts of a few MiB gain little by more. */
const dictionaryBytes = 1024 * 1024;
/** The same, as LZMA2 tells it: 2 << (16 / 2 + 11). */
export const dictionaryCode = 16;

/** LZMA2 (xz's specification §5.3.1): what a chunk begins with. */
const control = { end: 0, storedFirst: 1, stored: 2, lzma: 0x80, lzmaFirst: 0xe0 };
/** lc=3, lp=0, pb=2. */
const properties = 0x5d;
const chunkPlainLimit = 2 ** 21;
const chunkPackedLimit = 2 ** 16;
const storedChunkLimit = 2 ** 16;
/** A step adds at most so much to either side. */
const stepPlainBytes = 273;
const stepPackedBytes = 64;

/** The last bytes are stored: in how many chunks is what brings the whole to words of four bytes. */
const tailBytes = 4;

/** At least four bytes as LZMA2, complete in itself. Its length is a multiple of four. */
export function encodeLzma2(data: Uint8Array): Uint8Array<ArrayBuffer> {
  if (data.length < tailBytes) throw new RangeError(`${data.length} bytes are too few`);
  const body = data.subarray(0, data.length - tailBytes);
  const chunks = chunksOf(body) ?? storedChunks(body);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0) + tailBytes + 1;
  // Each chunk of the tail has a head of three bytes: with one to four of them any remainder is met.
  const tailCount = length % 4 === 0 ? 4 : length % 4;
  for (let n = 0; n < tailCount; n++) {
    const end = n === tailCount - 1 ? data.length : body.length + n + 1;
    chunks.push(storedChunk(data.subarray(body.length + n, end), chunks.length === 0));
  }
  return Buffer.concat([...chunks, Buffer.of(control.end)]);
}

/** Undefined where nothing is gained. */
function chunksOf(data: Uint8Array): Uint8Array[] | undefined {
  const writer = new SymbolWriter(data);
  const parser = new QuickParser(data, Math.min(dictionaryBytes, Math.max(1, data.length)));
  const chunks: Uint8Array[] = [];
  let packedBytes = 0;
  for (let start = 0; start < data.length; start = writer.position) {
    while (
      writer.position < data.length &&
      writer.position - start < chunkPlainLimit - stepPlainBytes &&
      writer.sizeBytes < chunkPackedLimit - stepPackedBytes
    ) {
      writer.write(parser.nextStep(writer));
    }
    const packed = writer.finishChunk();
    packedBytes += packed.length;
    if (packedBytes > writer.position && packedBytes > chunkPackedLimit) return undefined;
    chunks.push(lzmaChunk(packed, writer.position - start, chunks.length === 0));
  }
  return packedBytes < data.length ? chunks : undefined;
}

function lzmaChunk(packed: Uint8Array, plainBytes: number, isFirst: boolean): Uint8Array {
  const head = Buffer.alloc(isFirst ? 6 : 5);
  head[0] = (isFirst ? control.lzmaFirst : control.lzma) | ((plainBytes - 1) >>> 16);
  head.writeUInt16BE((plainBytes - 1) & 0xffff, 1);
  head.writeUInt16BE(packed.length - 1, 3);
  if (isFirst) head[5] = properties;
  return Buffer.concat([head, packed]);
}

function storedChunks(data: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += storedChunkLimit) {
    chunks.push(storedChunk(data.subarray(at, at + storedChunkLimit), at === 0));
  }
  return chunks;
}

function storedChunk(bytes: Uint8Array, isFirst: boolean): Uint8Array {
  const head = Buffer.of(isFirst ? control.storedFirst : control.stored, 0, 0);
  head.writeUInt16BE(bytes.length - 1, 1);
  return Buffer.concat([head, bytes]);
}
