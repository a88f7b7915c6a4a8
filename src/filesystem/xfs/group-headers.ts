import type { StructRecord } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import { xfsFreeListHeader, xfsFreeSpaceHeader, xfsInodeHeader } from "./records.ts";
import { hasChecksums, type XfsSuperblock } from "./superblock.ts";

export type FreeSpaceHeader = StructRecord<typeof xfsFreeSpaceHeader>;
export type InodeHeader = StructRecord<typeof xfsInodeHeader>;

/** The superblock's own fields of which the places of the headers follow. */
type Shape = Pick<
  XfsSuperblock,
  "version" | "sectorBytes" | "groupBlocks" | "blockSizeBytes" | "groupCount" | "dataBlocks"
>;

const freeSpaceMagic = 0x58414746; // "XAGF"
const inodeMagic = 0x58414749; // "XAGI"
const freeListMagic = 0x5841464c; // "XAFL"
/** Deeper than any tree that fits a group. */
const levelLimit = 9;

/** How many blocks an allocation group has: all have the same number but the last, which has what is left. */
export function groupLength({ groupBlocks, groupCount, dataBlocks }: Shape, group: number): number {
  return group < groupCount - 1 ? groupBlocks : dataBlocks - groupBlocks * (groupCount - 1);
}

function sectorOf(reader: BlockReader, shape: Shape, group: number, sector: number): Promise<Uint8Array> {
  const at = group * shape.groupBlocks * shape.blockSizeBytes + sector * shape.sectorBytes;
  return readBytes(reader, at, shape.sectorBytes);
}

/** The header of the free space of an allocation group. Throws `damaged` where it contradicts itself. */
export async function readFreeSpaceHeader(
  reader: BlockReader,
  superblock: XfsSuperblock,
  group: number,
): Promise<FreeSpaceHeader> {
  const what = `the free space of XFS allocation group ${group}`;
  const sector = await sectorOf(reader, superblock, group, 1);
  const header = xfsFreeSpaceHeader.decode(sector);
  refuseUnsealed(sector, superblock, xfsFreeSpaceHeader.fields.checksum[0], what);
  const listLimit = listCapacity(superblock);
  const { magic, number, blockCount, roots, levels, listFirst, listLast, listCount } = header;
  if (magic !== freeSpaceMagic || number !== group) throw damaged(what, "its header is damaged");
  if (blockCount !== groupLength(superblock, group)) throw damaged(what, `it says that it has ${blockCount} blocks`);
  if (listFirst >= listLimit || listLast >= listLimit || listCount > listLimit) {
    throw damaged(what, `its free list goes from ${listFirst} to ${listLast} of ${listLimit}`);
  }
  for (const n of [0, 1]) refuseRoot(what, blockCount, { root: roots[n] ?? 0, levels: levels[n] ?? 0 });
  return header;
}

/** The header of the inodes of an allocation group. Throws `damaged` where it contradicts itself. */
export async function readInodeHeader(
  reader: BlockReader,
  superblock: XfsSuperblock,
  group: number,
): Promise<InodeHeader> {
  const what = `the inodes of XFS allocation group ${group}`;
  const sector = await sectorOf(reader, superblock, group, 2);
  const header = xfsInodeHeader.decode(sector);
  refuseUnsealed(sector, superblock, xfsInodeHeader.fields.checksum[0], what);
  const { magic, number, blockCount, root, levels } = header;
  if (magic !== inodeMagic || number !== group) throw damaged(what, "its header is damaged");
  if (blockCount !== groupLength(superblock, group)) throw damaged(what, `it says that it has ${blockCount} blocks`);
  refuseRoot(what, blockCount, { root, levels });
  return header;
}

/** The blocks that a group keeps for its trees, and that are free. Throws `damaged` for blocks that are not its own. */
export async function readFreeList(
  reader: BlockReader,
  superblock: XfsSuperblock,
  { number: group, blockCount, listFirst, listLast, listCount }: FreeSpaceHeader,
): Promise<number[]> {
  const what = `the free list of XFS allocation group ${group}`;
  const sector = await sectorOf(reader, superblock, group, 3);
  const start = hasChecksums(superblock) ? xfsFreeListHeader.sizeBytes : 0;
  if (start > 0) {
    refuseUnsealed(sector, superblock, xfsFreeListHeader.fields.checksum[0], what);
    const { magic, number } = xfsFreeListHeader.decode(sector);
    if (magic !== freeListMagic || number !== group) throw damaged(what, "its header is damaged");
  }
  const capacity = listCapacity(superblock);
  const expected = (((listLast - listFirst + capacity) % capacity) + 1) % (capacity + 1);
  if (listCount !== 0 && listCount !== expected) throw damaged(what, `it has ${expected} blocks of ${listCount}`);
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const blocks: number[] = [];
  for (let n = 0; n < listCount; n++) {
    const block = view.getUint32(start + ((listFirst + n) % capacity) * 4);
    if (block >= blockCount) throw damaged(what, `it names block ${block} of ${blockCount}`);
    blocks.push(block);
  }
  return blocks;
}

/** How many blocks a free list has room for. */
function listCapacity(superblock: XfsSuperblock): number {
  const head = hasChecksums(superblock) ? xfsFreeListHeader.sizeBytes : 0;
  return Math.floor((superblock.sectorBytes - head) / 4);
}

function refuseUnsealed(sector: Uint8Array, superblock: XfsSuperblock, checksumAt: number, what: string): void {
  if (!hasChecksums(superblock) || isSealed(sector, checksumAt)) return;
  throw damaged(what, "its header is damaged: the checksum does not match");
}

/** Throws `damaged` for a tree that begins outside its group, or cannot be so deep. */
export function refuseRoot(
  what: string,
  blockCount: number,
  tree: { readonly root: number; readonly levels: number },
): void {
  const { root, levels } = tree;
  if (root > 0 && root < blockCount && levels > 0 && levels <= levelLimit) return;
  throw damaged(what, `a tree of ${levels} levels begins at block ${root} of ${blockCount}`);
}
