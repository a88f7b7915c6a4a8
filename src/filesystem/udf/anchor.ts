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
