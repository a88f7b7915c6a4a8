import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { writeStretches } from "./commit.ts";
import { featureWords, hasFeature } from "./features.ts";
import { layoutOf, type ExtLayout } from "./layout.ts";
import { recoverJournal } from "./recover.ts";
import { DescriptorImage } from "./resize/descriptor-image.ts";
import { superblockOf } from "./resize/open-for-resize.ts";
import { refreshCopies } from "./resize/write-copies.ts";
import { superblock } from "./superblock.ts";
import { SuperblockWriter } from "./superblock-writer.ts";
import { refuseUnsound, refuseUnwritable } from "./writable.ts";

/**
 * Gives a file system that nobody uses yet another UUID. The checksums of its metadata begin with the old one, which is
 * kept as their seed (`metadata_csum_seed`, Linux 4.4), so that none of them changes.
 */
export async function renewExtUuid(device: BlockDevice, uuid: string): Promise<void> {
  const found = layoutOf(await superblockOf(device));
  refuseUnwritable(found);
  refuseUnsound(device, found);
  if (hasFeature(found.features, "stable_inodes")) {
    throw new Failure("unsupported", "cannot change the UUID: the keys of its encrypted files are made from it");
  }
  const before = await recoverJournal(device, found);
  const bytes = await superblockOf(device);
  superblock.patch(bytes, { uuid, ...(before.hasChecksums ? seedOf(before) : {}) });
  const after = layoutOf(bytes);
  if (!after.hasChecksums && hasFeature(after.features, "uninit_bg")) await sealDescriptors(device, after);
  const writer = await SuperblockWriter.open(device);
  writer.seal(bytes);
  await writer.write(bytes);
  await device.flush();
  await refreshCopies(device, after, bytes);
}

function seedOf({ features, checksumSeed }: ExtLayout): {
  readonly incompatible: number;
  readonly checksumSeed: number;
} {
  const seeded = featureWords(["metadata_csum_seed"]).incompatible;
  return { incompatible: (features.incompatible | seeded) >>> 0, checksumSeed };
}

/** The older checksums of group descriptors are made from the UUID itself. */
async function sealDescriptors(device: BlockDevice, layout: ExtLayout): Promise<void> {
  const descriptors = await DescriptorImage.read(device, layout, layout);
  for (let group = 0; group < layout.groupCount; group++) descriptors.change(group, {});
  const blocks = new Map([...descriptors.primaries()].map(({ block, bytes }) => [block, bytes]));
  await writeStretches(device, layout.blockSizeBytes, [...blocks.keys()], blocks);
}
