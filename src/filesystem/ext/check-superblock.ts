import { readBytes } from "../../device/index.ts";
import { groupStart, hasSuperblockCopy } from "./backup-groups.ts";
import type { CheckState } from "./check-state.ts";
import { findDamage } from "./check-state.ts";
import { hasFeature } from "./features.ts";
import { hasSuperblockMagic, isSuperblockChecksumRight } from "./layout.ts";
import { stateClean, stateErrors, superblock, superblockAt } from "./superblock.ts";

/** The superblock and its copies, and every group descriptor. */
export async function checkSuperblocks(state: CheckState): Promise<void> {
  const { source, report } = state;
  const { record, features } = source.layout;
  const bytes = await readBytes(source.reader, superblockAt, superblock.sizeBytes);
  if (!hasSuperblockMagic(bytes)) report.error("the superblock has no signature");
  else if (!isSuperblockChecksumRight(bytes)) report.error("the checksum of the superblock is wrong");
  if ((record.state & stateErrors) !== 0) report.warning("the kernel has marked the file system as having errors");
  else if ((record.state & stateClean) === 0 && !hasFeature(features, "needs_recovery")) {
    report.warning("the file system was not unmounted cleanly");
  }
  const { groupCount, blockCount, blockSizeBytes } = source.layout;
  if (source.groupsOnDevice < groupCount) {
    report.error(
      `of its ${groupCount} groups, those from ${source.groupsOnDevice} on are behind the end of the device`,
    );
  } else if (blockCount * blockSizeBytes > source.reader.sizeBytes) {
    report.error("its last blocks are behind the end of the device");
  }
  if (state.orphans.size > 0) report.warning(`${state.orphans.size} inodes wait to be deleted or cut`);
  await checkCopies(state);
  await checkDescriptors(state);
}

async function checkCopies({ source, report }: CheckState): Promise<void> {
  const { layout, reader } = source;
  for (let group = 1; group < source.groupsOnDevice; group++) {
    if (!hasSuperblockCopy(layout, group)) continue;
    const at = groupStart(layout, group) * layout.blockSizeBytes;
    await findDamage(report, undefined, async () => {
      const copy = await readBytes(reader, at, superblock.sizeBytes);
      if (!hasSuperblockMagic(copy)) report.warning(`the copy of the superblock in group ${group} has no signature`);
      else if (!isSuperblockChecksumRight(copy)) {
        report.warning(`the copy of the superblock in group ${group} has a wrong checksum`);
      }
    });
  }
}

async function checkDescriptors({ source, report }: CheckState): Promise<void> {
  const { descriptors, layout } = source;
  for (let group = 0; group < source.groupsOnDevice; group++) {
    await findDamage(report, undefined, async () => {
      const descriptor = await descriptors.primary(group);
      if (!descriptor.isChecksumRight) report.error(`the checksum of the descriptor of group ${group} is wrong`);
      if (!descriptors.isPlausible(descriptor)) {
        report.error(`the descriptor of group ${group} points outside the file system`);
      }
      const clusters = Math.ceil(layout.blocksPerGroup / layout.clusterBlocks);
      if (descriptor.freeClusters > clusters || descriptor.freeInodes > layout.inodesPerGroup) {
        report.error(`the descriptor of group ${group} has more free than there is`);
      }
      if (descriptor.unusedInodes > layout.inodesPerGroup) {
        report.error(
          `the descriptor of group ${group} has ${descriptor.unusedInodes} unused inodes, more than there are`,
        );
      }
    });
  }
}
