import { crc32c } from "../../../bytes/index.ts";
import { readBytes, type BlockDevice } from "../../../device/index.ts";
import { groupStart, hasSuperblockCopy } from "../backup-groups.ts";
import { writeStretches } from "../commit.ts";
import { featureWords, hasFeature } from "../features.ts";
import { hasSuperblockMagic, type ExtLayout } from "../layout.ts";
import { superblock } from "../superblock.ts";
import { DescriptorImage } from "./descriptor-image.ts";

const needsRecovery = featureWords(["needs_recovery"]).incompatible;

/** Writes the copies of the superblock and of the descriptors in the groups `[first, end)`. */
export async function writeCopies(
  device: BlockDevice,
  descriptors: DescriptorImage,
  current: Uint8Array,
  groups: { readonly first: number; readonly end: number },
): Promise<void> {
  const { layout } = descriptors;
  for (let group = Math.max(1, groups.first); group < groups.end; group++) {
    const blocks = new Map([...descriptors.copiesIn(group)].map(({ block, bytes }) => [block, bytes]));
    await writeStretches(device, layout.blockSizeBytes, [...blocks.keys()], blocks);
    if (!hasSuperblockCopy(layout, group)) continue;
    await device.write(groupStart(layout, group) * layout.blockSizeBytes, copyFor(layout, group, current));
  }
}

function copyFor(layout: ExtLayout, group: number, current: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(current);
  superblock.patch(bytes, {
    groupOfThisCopy: Math.min(group, 0xffff),
    incompatible: (superblock.get(bytes, "incompatible") & ~needsRecovery) >>> 0,
  });
  if (hasFeature(layout.features, "metadata_csum")) {
    superblock.patch(bytes, { checksum: crc32c(bytes, 0xffffffff, 0, superblock.fields.checksum[0]) });
  }
  return bytes;
}

/** Whether every copy of the superblock speaks of a file system of the same size. */
export async function areCopiesCurrent(device: BlockDevice, layout: ExtLayout): Promise<boolean> {
  const { blockCountLow, blockCountHigh } = layout.record;
  for (let group = 1; group < layout.groupCount; group++) {
    if (!hasSuperblockCopy(layout, group)) continue;
    const copy = await readBytes(device, groupStart(layout, group) * layout.blockSizeBytes, superblock.sizeBytes);
    const isSame =
      hasSuperblockMagic(copy) &&
      superblock.get(copy, "blockCountLow") === blockCountLow &&
      (!layout.has64bit || superblock.get(copy, "blockCountHigh") === blockCountHigh);
    if (!isSame) return false;
  }
  return true;
}

/** Writes all copies anew from what is in use. */
export async function refreshCopies(device: BlockDevice, layout: ExtLayout, current: Uint8Array): Promise<void> {
  const descriptors = await DescriptorImage.read(device, layout, layout);
  await writeCopies(device, descriptors, current, { first: 1, end: layout.groupCount });
  await device.flush();
}
