import { crc32 } from "node:zlib";
import { Failure } from "../../base/index.ts";
import { Struct, bytes, u16be, u32 } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { encodeXzIndex, encodeXzStart } from "../../tree/lzma/index.ts";
import { plainFrameLimitBytes, type PlacedFrame, type SeekTable } from "./seek-table.ts";

// The .xz file format 1.2.0 §2.1
export const xzStart = new Struct("xz stream header", 12, { magic: [0, bytes(6)], flags: [6, u16be], crc: [8, u32] });
export const xzFoot = new Struct("xz stream footer", 12, {
  crc: [0, u32],
  indexWords: [4, u32],
  flags: [8, u16be],
  magic: [10, u16be],
});

const footMagic = 0x595a; // "YZ"
const indexLimitBytes = 64 * 1024 * 1024;
/** What parallel compressors write has one stream, or one for each block. */
const streamLimit = 65_536;

/** How a block is told from others of its kind; without it a decoder cannot be satisfied. */
export interface XzFrame extends PlacedFrame {
  readonly unpaddedBytes: number;
  readonly flags: number;
}

interface XzTable extends SeekTable {
  readonly frames: readonly XzFrame[];
}

/** The blocks of xz streams by their indexes; undefined where some are too large to be read alone. */
export async function readXzTable(reader: BlockReader): Promise<XzTable | undefined> {
  const streams: XzFrame[][] = [];
  for (let end = reader.sizeBytes; end > 0;) {
    const stream = streams.length < streamLimit ? await readStream(reader, end) : undefined;
    if (stream === undefined) return undefined;
    streams.push(stream.frames);
    end = stream.at;
  }
  let plainAt = 0;
  const frames = streams.toReversed().flatMap((stream) => {
    return stream.map((frame) => {
      plainAt += frame.plainBytes;
      return { ...frame, plainAt: plainAt - frame.plainBytes };
    });
  });
  if (frames.some(({ plainBytes }) => plainBytes > plainFrameLimitBytes)) return undefined;
  return { frames, plainBytes: plainAt };
}

async function readStream(
  reader: BlockReader,
  end: number,
): Promise<{ readonly at: number; readonly frames: XzFrame[] } | undefined> {
  const footAt = end - xzFoot.sizeBytes;
  if (footAt < xzStart.sizeBytes) return undefined;
  const foot = await readBytes(reader, footAt, xzFoot.sizeBytes);
  const { crc, indexWords, flags, magic } = xzFoot.decode(foot);
  if (magic !== footMagic || crc !== crc32(foot.subarray(4, 10))) return undefined; // padding, or no xz
  const indexBytes = (indexWords + 1) * 4;
  const indexAt = footAt - indexBytes;
  if (indexBytes > indexLimitBytes || indexAt < xzStart.sizeBytes) throw damaged();
  const blocks = blocksOf(Buffer.from((await readBytes(reader, indexAt, indexBytes)).buffer));
  const packedBytes = blocks.reduce((sum, block) => sum + padded(block.unpaddedBytes), 0);
  const at = indexAt - packedBytes - xzStart.sizeBytes;
  if (at < 0) throw damaged();
  const start = xzStart.decode(await readBytes(reader, at, xzStart.sizeBytes));
  if (start.flags !== flags) throw damaged();
  let packedAt = at + xzStart.sizeBytes;
  const frames = blocks.map(({ unpaddedBytes, plainBytes }) => {
    const block = { packedAt, packedBytes: padded(unpaddedBytes), plainBytes, plainAt: 0, unpaddedBytes, flags };
    packedAt += block.packedBytes;
    return block;
  });
  return { at, frames };
}

function blocksOf(index: Buffer): { readonly unpaddedBytes: number; readonly plainBytes: number }[] {
  const end = index.length - 4;
  if (index[0] !== 0 || index.readUInt32LE(end) !== crc32(index.subarray(0, end))) throw damaged();
  let at = 1;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = at < end ? (index[at++] ?? 0) : 0xff;
      value += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(value) || factor > 2 ** 56) throw damaged();
      if (byte < 0x80) return value;
    }
  };
  const count = number();
  if (count > end) throw damaged();
  return Array.from({ length: count }, () => ({ unpaddedBytes: number(), plainBytes: number() }));
}

function padded(unpaddedBytes: number): number {
  return Math.ceil(unpaddedBytes / 4) * 4;
}

/** A block as a stream of its own, which any decoder takes. */
export function streamOfBlock(block: Uint8Array, { unpaddedBytes, plainBytes, flags }: XzFrame): Uint8Array {
  return Buffer.concat([encodeXzStart(flags), block, encodeXzIndex([{ unpaddedBytes, plainBytes }], flags)]);
}

function damaged(): Failure {
  return new Failure("damaged", "the index at the end of its xz data contradicts itself");
}
