import { appendRun, directBlocks, writeBlockMap, type MappedRun } from "./block-map.ts";
import { groupStart, hasSuperblock } from "./geometry.ts";
import { encodeInode } from "./inode-encoder.ts";
import { journalInode, resizeInode } from "./inode.ts";
import { journalBlockType, journalMagic, journalSuperblock } from "./journal-format.ts";
import type { ExtVolume } from "./volume.ts";

const noAttributes = { attributeBlock: 0, inInodeAttributes: new Uint8Array(0) };

function ownedByRoot(volume: ExtVolume) {
  return { mode: 0o600, uid: 0, gid: 0, modified: volume.profile.now };
}

/** Makes an empty journal: its superblock, and zeros on which nothing of an older journal can be found. */
export async function writeJournal(volume: ExtVolume): Promise<void> {
  const { journalBlocks } = volume.geometry;
  if (journalBlocks === 0) return;
  const runs: MappedRun[] = [];
  let logical = 0;
  for (const run of volume.takeBlocks(journalBlocks)) {
    appendRun(runs, logical, run);
    logical += run.length;
    if (run.start + run.length <= volume.geometry.blockCount) {
      await volume.device.zero(run.start * volume.blockSizeBytes, run.length * volume.blockSizeBytes);
    }
  }
  const map = await writeBlockMap(volume, journalInode, runs);
  const first = new Uint8Array(volume.blockSizeBytes);
  journalSuperblock.patch(first, {
    magic: journalMagic,
    blockType: journalBlockType.superblockV2,
    blockSize: volume.blockSizeBytes,
    blockCount: journalBlocks,
    firstBlock: 1,
    firstSequence: 1,
    userCount: 1,
    uuid: volume.profile.uuid,
  });
  await volume.putBlock(runs[0]?.start ?? 0, first);
  const sizeBytes = journalBlocks * volume.blockSizeBytes;
  await volume.inodeTable.update(journalInode, (slot) => {
    encodeInode(volume, slot, {
      kind: "file",
      metadata: ownedByRoot(volume),
      sizeBytes,
      links: 1,
      flags: map.flags,
      block: map.block,
      blockCount: journalBlocks + map.mapBlocks,
      ...noAttributes,
    });
  });
  const words = new DataView(map.block.buffer, map.block.byteOffset);
  volume.journalBackup = [
    ...Array.from({ length: 15 }, (_, n) => words.getUint32(n * 4, true)),
    Math.floor(sizeBytes / 2 ** 32),
    sizeBytes % 2 ** 32,
  ];
}

/**
 * The resize inode owns the blocks reserved behind the descriptors: through its double indirect block each
 * reserved block of the first group is an indirect block, which lists its fellows in the groups with copies.
 */
export async function writeResizeInode(volume: ExtVolume): Promise<void> {
  const { geometry, blockSizeBytes } = volume;
  if (geometry.reservedGdtBlocks === 0) return;
  const perBlock = blockSizeBytes / 4;
  const isSparse = volume.has("sparse_super");
  const copies: number[] = [];
  for (let group = 1; group < geometry.groupCount; group++) if (hasSuperblock(group, isSparse)) copies.push(group);

  const { start: doubleIndirect } = volume.blocks.take(1);
  const top = new Uint8Array(blockSizeBytes);
  const firstReserved = groupStart(geometry, 0) + 1 + geometry.descriptorBlocks;
  for (let n = 0; n < geometry.reservedGdtBlocks; n++) {
    const reserved = firstReserved + n;
    const fellows = new Uint8Array(blockSizeBytes);
    const view = new DataView(fellows.buffer);
    copies.forEach((group, m) => view.setUint32(m * 4, reserved + group * geometry.blocksPerGroup, true));
    new DataView(top.buffer).setUint32(((geometry.descriptorBlocks + n) % perBlock) * 4, reserved, true);
    await volume.putBlock(reserved, fellows);
  }
  await volume.putBlock(doubleIndirect, top);

  const block = new Uint8Array(60);
  new DataView(block.buffer).setUint32((directBlocks + 1) * 4, doubleIndirect % 2 ** 32, true);
  await volume.inodeTable.update(resizeInode, (slot) => {
    encodeInode(volume, slot, {
      kind: "file",
      metadata: ownedByRoot(volume),
      sizeBytes: (perBlock * perBlock + perBlock + directBlocks) * blockSizeBytes,
      links: 1,
      flags: 0,
      block,
      blockCount: 1 + geometry.reservedGdtBlocks * (1 + copies.length),
      ...noAttributes,
    });
  });
}
