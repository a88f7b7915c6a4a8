import { extentEntryBytes, extentHeader, extentIndex, extentLeaf, extentMagic } from "./extent.ts";

/** An entry of an extent tree: of a leaf it says where blocks of the file are, of an inner node where the next one is. */
export interface ExtentEntry {
  readonly logical: number;
  readonly block: number;
  /** Of a leaf, as it stands on disk. */
  readonly length: number;
}

/** Fills a node of an extent tree; `depth` is 0 for a leaf. */
export function encodeExtentNode(
  into: Uint8Array,
  entries: readonly ExtentEntry[],
  depth: number,
  limit: number,
): void {
  extentHeader.patch(into, { magic: extentMagic, entryCount: entries.length, entryLimit: limit, depth, generation: 0 });
  entries.forEach(({ logical, block, length }, n) => {
    const at = extentHeader.sizeBytes + n * extentEntryBytes;
    const high = Math.floor(block / 2 ** 32);
    const low = block % 2 ** 32;
    if (depth === 0) extentLeaf.patch(into, { logicalBlock: logical, length, startHigh: high, startLow: low }, at);
    else extentIndex.patch(into, { logicalBlock: logical, childLow: low, childHigh: high }, at);
  });
}
