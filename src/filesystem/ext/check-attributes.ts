import { aclFromDisk } from "./access-control-list.ts";
import { isInlineData, rawAttributes, type RawAttribute } from "./attribute-list.ts";
import { valueOf } from "./attribute-reader.ts";
import { claimBlocks } from "./check-claims.ts";
import { findDamage, type CheckState } from "./check-state.ts";
import { crc32c } from "../../bytes/index.ts";
import { xattrBlockHeader, xattrEntryHash } from "./extended-attribute.ts";
import type { ExtInode } from "./ext-inode.ts";

const aclIndexes: ReadonlySet<number> = new Set([2, 3]);
const checksumAt = xattrBlockHeader.fields.checksum[0];

/** How many blocks the attributes of an inode add to its count, values in files of their own included. */
export async function checkAttributes(state: CheckState, inode: ExtInode, isFirstPass: boolean): Promise<number> {
  const { source, report } = state;
  const { layout } = source;
  const blocks = inode.xattrBlock === 0 ? 0 : layout.clusterBlocks;
  let valueBlocks = 0;
  await findDamage(isFirstPass ? report : undefined, inode.id, async () => {
    if (inode.xattrBlock !== 0) await claimAttributeBlock(state, inode, isFirstPass);
    if (!isFirstPass) return;
    for (const attribute of await rawAttributes(source, inode)) {
      const value = await valueOf(source, inode, attribute);
      if (attribute.valueInode !== 0) {
        state.inodes.nameless.add(attribute.valueInode);
        valueBlocks += Math.ceil(value.length / (layout.blockSizeBytes * layout.clusterBlocks)) * layout.clusterBlocks;
      }
      checkAttribute(state, inode, attribute, value);
    }
  });
  return blocks + valueBlocks;
}

async function claimAttributeBlock(state: CheckState, inode: ExtInode, isFirstPass: boolean): Promise<void> {
  const { source, report, sharedBlocks, claimedShared } = state;
  const what = `the attribute block of inode ${inode.id}`;
  const block = await source.block(inode.xattrBlock, what);
  const { referenceCount, checksum } = xattrBlockHeader.decode(block);
  if (isFirstPass && referenceCount !== 1) {
    const shared = sharedBlocks.get(inode.xattrBlock);
    sharedBlocks.set(inode.xattrBlock, { expected: referenceCount, found: (shared?.found ?? 0) + 1 });
  }
  const isShared = referenceCount !== 1;
  if (!isShared || !claimedShared.has(inode.xattrBlock)) {
    claimBlocks(state, inode.xattrBlock, 1, { what, inode: inode.id });
  }
  if (isShared) claimedShared.add(inode.xattrBlock);
  if (isFirstPass && source.layout.hasChecksums && attributeBlockChecksum(state, inode, block) !== checksum) {
    report.error(`inode ${inode.id}: the checksum of its attribute block is wrong`, inode.id);
  }
}

/** Over the number of the block in 64 bits and the block, its own checksum taken as zero. */
function attributeBlockChecksum(state: CheckState, inode: ExtInode, block: Uint8Array): number {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(inode.xattrBlock), true);
  const before = crc32c(block, crc32c(number, state.source.layout.checksumSeed), 0, checksumAt);
  return crc32c(block, crc32c(new Uint8Array(4), before), checksumAt + 4);
}

function checkAttribute(state: CheckState, inode: ExtInode, attribute: RawAttribute, value: Uint8Array): void {
  const { report } = state;
  if (attribute.nameBytes.length === 0 && !aclIndexes.has(attribute.nameIndex)) {
    report.error(`inode ${inode.id}: it has an attribute without a name`, inode.id);
  }
  if (aclIndexes.has(attribute.nameIndex) && aclFromDisk(value) === undefined) {
    report.error(`inode ${inode.id}: an access control list of it is broken`, inode.id);
  }
  // Older kernels hash other names with signed characters, and values in files of their own are hashed otherwise.
  const isPlain = attribute.valueInode === 0 && attribute.nameBytes.every((byte) => byte < 128);
  if (!isPlain || attribute.hash === 0 || isInlineData(attribute)) return;
  if (xattrEntryHash(attribute.nameBytes, value) !== attribute.hash) {
    report.error(`inode ${inode.id}: the hash of one of its attributes is wrong`, inode.id);
  }
}
