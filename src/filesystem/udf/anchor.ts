import { readBytes, type BlockReader } from "../../device/index.ts";
import { anchor, descriptorTag, tagIds } from "./records.ts";
import { tagProblem } from "./tag.ts";

/** Where the volume descriptors are, twice. */
export interface Anchor {
  readonly blockSizeBytes: number;
  /** In blocks, from the start of the device. */
  readonly block: number;
  readonly main: { readonly block: number; readonly lengthBytes: number };
  readonly reserve: { readonly block: number; readonly lengthBytes: number };
}

/** In the order in which they are likely. */
const blockSizes = [2048, 512, 4096, 1024, 8192, 16384, 32768];
/** Where the recognition sequence begins, whatever the block size (ECMA-167 2/8.3). */
const recognitionAt = 32768;
const recognitionBytes = 64 * 2048;

/** Whether the volume recognition sequence of a device names UDF (NSR02 or NSR03). */
export async function isRecognised(reader: BlockReader): Promise<boolean> {
  const lengthBytes = Math.min(recognitionBytes, reader.sizeBytes - recognitionAt);
  if (lengthBytes < 2048) return false;
  const bytes = Buffer.from(await readBytes(reader, recognitionAt, lengthBytes));
  for (let at = 0; at + 6 <= bytes.length; at += 2048) {
    if (/^NSR0[23]$/.test(bytes.toString("latin1", at + 1, at + 6))) return true;
  }
  return false;
}

/** The first good anchor of a device: at block 256, or near its end, by whichever block size there is one. */
export async function findAnchor(reader: BlockReader): Promise<Anchor | undefined> {
  for (const blockSizeBytes of blockSizes) {
    for (const block of anchorBlocks(reader, blockSizeBytes)) {
      const found = await anchorAt(reader, block, blockSizeBytes);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The places at which anchors can be (UDF 2.60 §2.2.3); 512 on media that are not closed. */
export function anchorBlocks(reader: BlockReader, blockSizeBytes: number): readonly number[] {
  const last = Math.floor(reader.sizeBytes / blockSizeBytes) - 1;
  return [256, last, last - 256, 512].filter((block) => block > 0 && block <= last);
}

/** The anchor in a block, or undefined where there is no good one. */
export async function anchorAt(
  reader: BlockReader,
  block: number,
  blockSizeBytes: number,
): Promise<Anchor | undefined> {
  const bytes = await readBytes(reader, block * blockSizeBytes, anchor.sizeBytes);
  if (descriptorTag.get(bytes, "id") !== tagIds.anchor) return undefined;
  if (tagProblem(bytes, { ids: [tagIds.anchor], location: block }) !== undefined) return undefined;
  const { mainBlock, mainBytes, reserveBlock, reserveBytes } = anchor.decode(bytes);
  return {
    blockSizeBytes,
    block,
    main: { block: mainBlock, lengthBytes: mainBytes },
    reserve: { block: reserveBlock, lengthBytes: reserveBytes },
  };
}
