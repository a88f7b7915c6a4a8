import { hasSuperblockCopy } from "../backup-groups.ts";
import { directBlocks } from "../block-map.ts";
import { damaged } from "../../damaged.ts";
import { inodeBase, resizeInode } from "../inode.ts";
import { inodeBytes } from "../inode-reader.ts";
import type { ExtLayout } from "../layout.ts";
import { sealInode } from "../seal-inode.ts";
import type { ExtSource } from "../source.ts";
import type { ChangeStage, Transaction } from "../transaction.ts";
import type { GrowthPlan } from "./plan-growth.ts";

const mapSlots = 15;
const doubleIndirectSlot = directBlocks + 1;

/** The block through which the resize inode owns all others. Throws `damaged` where it has another shape. */
export async function doubleIndirectBlock(source: ExtSource): Promise<number> {
  const map = inodeBase.get(await inodeBytes(source, resizeInode), "block");
  const words = wordsOf(map);
  const isShaped = Array.from({ length: mapSlots }, (_, n) => n).every((n) => {
    return n === doubleIndirectSlot || words.getUint32(n * 4, true) === 0;
  });
  const block = words.getUint32(doubleIndirectSlot * 4, true);
  if (isShaped && block > source.layout.firstDataBlock && block < source.layout.blockCount) return block;
  throw damagedResizeInode("it does not have the shape of one");
}

/**
 * Lets the resize inode follow: blocks that come to hold descriptors leave it, and those reserved in new groups with a
 * copy of the superblock join it. Doing it again where it was done in part does no harm.
 */
export async function followGrowth(transaction: Transaction, source: ExtSource, plan: GrowthPlan): Promise<void> {
  const { before, after, reservedBlocksUsed } = plan;
  const reserved = before.record.reservedGdtBlocks;
  if (reserved === 0) return;
  const copies = groupsWithCopies(after);
  const perBlock = before.blockSizeBytes / 4;
  if (copies.length > perBlock) throw damagedResizeInode(`${copies.length} copies of the superblock are too many`);
  const topBlock = await doubleIndirectBlock(source);
  const top = wordsOf(await transaction.change(topBlock));
  for (let n = 0; n < reserved; n++) {
    const slot = ((before.descriptorBlocks + n) % perBlock) * 4;
    const block = before.superblockBlock + 1 + before.descriptorBlocks + n;
    const isUsed = n < reservedBlocksUsed;
    const found = top.getUint32(slot, true);
    if (found !== block && !(isUsed && found === 0)) {
      throw damagedResizeInode(`it lists block ${found} in place of ${block}`);
    }
    if (isUsed) top.setUint32(slot, 0, true);
    else await listFellows(transaction, block, copies, before);
  }
  const left = reserved - reservedBlocksUsed;
  await changeInode(transaction, source, (bytes) => {
    const blockCountLow = ((1 + left * (1 + copies.length)) * before.blockSizeBytes) / 512;
    inodeBase.patch(bytes, { blockCountLow });
  });
}

/**
 * Lets the resize inode follow a file system that shrinks: blocks that held descriptors are reserved from now on, as far
 * as they can be listed, and those in groups that go leave it.
 */
export async function followShrinking(
  transaction: Transaction,
  source: ExtSource,
  { before, after }: { readonly before: ExtLayout; readonly after: ExtLayout },
): Promise<void> {
  const perBlock = before.blockSizeBytes / 4;
  const copies = groupsWithCopies(after);
  const topBlock = await doubleIndirectBlock(source);
  const top = wordsOf(await transaction.change(topBlock));
  const firstBlock = before.superblockBlock + 1;
  for (let n = 0; n < before.record.reservedGdtBlocks; n++) {
    const place = before.descriptorBlocks + n;
    const found = top.getUint32((place % perBlock) * 4, true);
    if (found !== firstBlock + place) {
      throw damagedResizeInode(`it lists block ${found} in place of ${firstBlock + place}`);
    }
    top.setUint32((place % perBlock) * 4, 0, true);
  }
  for (let n = 0; n < after.record.reservedGdtBlocks; n++) {
    const place = after.descriptorBlocks + n;
    const block = firstBlock + place;
    top.setUint32((place % perBlock) * 4, block, true);
    const fellows = new Uint8Array(before.blockSizeBytes);
    copies.forEach((group, m) => wordsOf(fellows).setUint32(m * 4, block + group * before.blocksPerGroup, true));
    if (Buffer.compare(await transaction.block(block), fellows) === 0) continue;
    (await transaction.change(block)).set(fellows);
  }
  await changeInode(transaction, source, (bytes) => {
    const blocks = 1 + after.record.reservedGdtBlocks * (1 + copies.length);
    inodeBase.patch(bytes, { blockCountLow: (blocks * before.blockSizeBytes) / 512 });
  });
}

/** Empties the resize inode. What it owned belongs to the descriptors then, but for its double indirect block. */
export async function endResizeInode(transaction: Transaction, source: ExtSource): Promise<void> {
  await changeInode(transaction, source, (bytes) => void bytes.fill(0), "deletion");
}

/** A reserved block of the first group lists its fellows in the groups with copies. */
async function listFellows(
  transaction: Transaction,
  block: number,
  copies: readonly number[],
  before: ExtLayout,
): Promise<void> {
  const fellows = wordsOf(await transaction.block(block));
  const expected = copies.map((group) => block + group * before.blocksPerGroup);
  const isListed = expected.map((fellow, n) => fellows.getUint32(n * 4, true) === fellow);
  for (const [n, group] of copies.entries()) {
    const isNew = group >= before.groupCount;
    if (isListed[n] === true || isNew) continue;
    throw damagedResizeInode(`block ${block} does not list its fellow in group ${group}`);
  }
  if (isListed.every(Boolean)) return;
  const changed = wordsOf(await transaction.change(block));
  for (const [n, fellow] of expected.entries()) changed.setUint32(n * 4, fellow, true);
}

async function changeInode(
  transaction: Transaction,
  source: ExtSource,
  patch: (bytes: Uint8Array) => void,
  stage?: ChangeStage,
): Promise<void> {
  const { layout } = source;
  const { inodeTable } = await source.descriptors.of(0);
  const inTable = (resizeInode - 1) * layout.inodeSizeBytes;
  const block = await transaction.change(inodeTable + Math.floor(inTable / layout.blockSizeBytes), stage);
  const at = inTable % layout.blockSizeBytes;
  const bytes = block.subarray(at, at + layout.inodeSizeBytes);
  patch(bytes);
  if (inodeBase.get(bytes, "linkCount") > 0) sealInode(layout, resizeInode, bytes);
}

/** The groups after the first that begin with a copy of the superblock, in the order in which they are listed. */
function groupsWithCopies(layout: ExtLayout): number[] {
  return Array.from({ length: layout.groupCount }, (_, group) => group).filter((group) => {
    return group > 0 && hasSuperblockCopy(layout, group);
  });
}

function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damagedResizeInode(why: string) {
  return damaged("the resize inode", why);
}
