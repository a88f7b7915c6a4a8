import { Failure } from "../../base/index.ts";
import { Bitmap } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import type { Extent } from "../../filesystem/index.ts";
import { blockCountLimit, encodeHeader, imageHeader, rawCrc32 } from "./header.ts";

/** What is to be written: which file system, in which blocks. */
export interface ImageRequest {
  /** As the header has it: `EXTFS`. */
  readonly fileSystem: string;
  readonly blockBytes: number;
  readonly sizeBytes: number;
  /** The device's, where the header tells more than the blocks. */
  readonly deviceBytes?: number;
  /** What is in use; blocks that it touches are saved whole. */
  readonly usedExtents: AsyncIterable<Extent>;
}

/** An image before its blocks are read. */
export interface ImagePlan {
  readonly blockBytes: number;
  readonly stripBlocks: number;
  readonly bitmap: Bitmap;
  readonly usedBytes: number;
  /** Header and bitmap as they are written. */
  readonly head: Uint8Array;
}

const tool = "holdfast";
const stripBytes = 1024 * 1024;
const stripsOfPart = 4;
const checksumBytes = 4;
/** The most that a part takes. */
export const partLimitBytes = stripsOfPart * (stripBytes + checksumBytes);

/** Finds out which blocks an image will have. */
export async function planImage(request: ImageRequest): Promise<ImagePlan> {
  const { blockBytes, sizeBytes } = request;
  const blockCount = Math.floor(sizeBytes / blockBytes);
  if (blockCount > blockCountLimit) {
    throw new Failure("unsupported", `it has ${blockCount} blocks, at most ${blockCountLimit} are saved`);
  }
  const bitmap = new Bitmap(blockCount);
  for await (const { startBytes, lengthBytes } of request.usedExtents) {
    const first = Math.floor(startBytes / blockBytes);
    const end = Math.min(Math.ceil((startBytes + lengthBytes) / blockBytes), blockCount);
    if (end > first) bitmap.setRange(first, end - first);
  }
  const usedBlocks = bitmap.countSet();
  const stripBlocks = Math.max(1, Math.floor(stripBytes / blockBytes));
  const deviceBytes = request.deviceBytes ?? blockCount * blockBytes;
  const { fileSystem } = request;
  const header = encodeHeader({ tool, fileSystem, deviceBytes, blockBytes, blockCount, stripBlocks, usedBlocks });
  const head = Buffer.alloc(imageHeader.sizeBytes + bitmap.bytes.length + checksumBytes);
  head.set(header);
  head.set(bitmap.bytes, imageHeader.sizeBytes);
  head.writeUInt32LE(rawCrc32(bitmap.bytes), imageHeader.sizeBytes + bitmap.bytes.length);
  return { blockBytes, stripBlocks, bitmap, usedBytes: usedBlocks * blockBytes, head };
}

/** A stretch of blocks and its place in a part of the image. */
interface Gathered {
  readonly from: number;
  readonly at: number;
  readonly lengthBytes: number;
}

/** Some whole strips of an image, with their checksums: where they come from. */
export interface ImagePart {
  readonly lengthBytes: number;
  readonly dataBytes: number;
  readonly stretches: readonly Gathered[];
  readonly strips: readonly { readonly at: number; readonly lengthBytes: number }[];
}

/** The image behind its head, in parts of a few strips each. */
export function* partsOf(plan: ImagePlan): Generator<ImagePart, void, void> {
  const { bitmap, blockBytes } = plan;
  const wholeStripBytes = plan.stripBlocks * blockBytes;
  const stripLimit = Math.max(1, Math.floor(partLimitBytes / (wholeStripBytes + checksumBytes)));
  let part = new PartBuilder(wholeStripBytes);
  for (let first = bitmap.nextSet(0); first >= 0;) {
    const clear = bitmap.nextClear(first);
    const end = clear < 0 ? bitmap.length : clear;
    for (let from = first * blockBytes; from < end * blockBytes;) {
      from += part.add(from, end * blockBytes - from);
      if (part.wholeStrips < stripLimit) continue;
      yield part.finish();
      part = new PartBuilder(wholeStripBytes);
    }
    first = clear < 0 ? -1 : bitmap.nextSet(clear);
  }
  if (!part.isEmpty) yield part.finish();
}

class PartBuilder {
  readonly #wholeStripBytes: number;
  readonly #stretches: Gathered[] = [];
  readonly #strips: { readonly at: number; lengthBytes: number }[] = [];

  constructor(wholeStripBytes: number) {
    this.#wholeStripBytes = wholeStripBytes;
  }

  get isEmpty(): boolean {
    return this.#strips.length === 0;
  }

  get wholeStrips(): number {
    return this.#strips.filter(({ lengthBytes }) => lengthBytes === this.#wholeStripBytes).length;
  }

  /** Takes as many of the bytes as the strip at hand has room for. */
  add(from: number, lengthBytes: number): number {
    let strip = this.#strips.at(-1);
    if (strip === undefined || strip.lengthBytes === this.#wholeStripBytes) {
      const at = strip === undefined ? 0 : strip.at + strip.lengthBytes + checksumBytes;
      strip = { at, lengthBytes: 0 };
      this.#strips.push(strip);
    }
    const count = Math.min(lengthBytes, this.#wholeStripBytes - strip.lengthBytes);
    this.#stretches.push({ from, at: strip.at + strip.lengthBytes, lengthBytes: count });
    strip.lengthBytes += count;
    return count;
  }

  finish(): ImagePart {
    const dataBytes = this.#strips.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    const lengthBytes = dataBytes + this.#strips.length * checksumBytes;
    return { lengthBytes, dataBytes, stretches: this.#stretches, strips: this.#strips };
  }
}

/** Reads the blocks of a part; the checksums behind its strips are still to be put there. */
export async function fillPart(reader: BlockReader, part: ImagePart, into: Buffer): Promise<void> {
  for (const { from, at, lengthBytes } of part.stretches) await reader.read(from, into.subarray(at, at + lengthBytes));
}
