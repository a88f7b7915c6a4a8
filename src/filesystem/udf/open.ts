import type { BlockReader } from "../../device/index.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { findAnchor, type Anchor } from "./anchor.ts";
import { damaged } from "../damaged.ts";
import { addressOf } from "./directory-reader.ts";
import { readFreeBlocks } from "./integrity.ts";
import { openPartitions } from "./open-partitions.ts";
import { fileSet, tagIds } from "./records.ts";
import { verifyTag } from "./tag.ts";
import { decodeField, uuidOf } from "./text.ts";
import { UdfFileSystem } from "./udf-file-system.ts";
import { UdfSource, type BlockAddress } from "./udf-source.ts";
import { readVolumeDescriptors, type VolumeDescriptors } from "./volume-descriptors.ts";

/**
 * Opens a UDF volume of any revision for reading. The reserve of its descriptors stands in for the main sequence where
 * that is broken; `info.notes` tells of it. Throws `damaged` where neither can be used.
 */
export async function openUdf(reader: BlockReader): Promise<UdfFileSystem> {
  const anchor = await findAnchor(reader);
  if (anchor === undefined) throw damaged("the UDF volume", "there is no anchor");
  const descriptors = await readVolumeDescriptors(reader, anchor);
  const source = new UdfSource(reader, anchor.blockSizeBytes);
  if (descriptors.isReserve) source.notes.push("the main volume descriptors are broken; the reserve is used");
  await openPartitions(source, descriptors);
  const root = await readRoot(source, descriptors);
  return new UdfFileSystem({ source, anchor, descriptors, root }, await infoOf(source, descriptors, anchor));
}

/** The address of the root directory, by the file set of the volume. */
async function readRoot(source: UdfSource, { logical }: VolumeDescriptors): Promise<BlockAddress> {
  const address = addressOf(logical.fileSet);
  const what = "the UDF file set";
  const bytes = await source.block(address, what);
  verifyTag(bytes, { ids: [tagIds.fileSet], location: address.block, what });
  return addressOf(fileSet.get(bytes, "root"));
}

async function infoOf(source: UdfSource, descriptors: VolumeDescriptors, anchor: Anchor): Promise<FileSystemInfo> {
  const { logical, primary } = descriptors;
  const revision = `${logical.revision >>> 8}.${(logical.revision & 0xff).toString(16).padStart(2, "0")}`;
  const kinds = [...source.partitionKinds].filter((kind) => kind !== "plain");
  const freeBytes = (await readFreeBlocks(source, descriptors)) * source.blockSizeBytes;
  const sizeBytes = sizeOf(source, descriptors, anchor);
  return {
    kind: "udf",
    label: decodeField(logical.label),
    uuid: primary === undefined ? undefined : uuidOf(primary.volumeSetId),
    sizeBytes,
    blockSizeBytes: source.blockSizeBytes,
    freeBytes: Math.min(freeBytes, sizeBytes),
    features: [`udf ${revision}`, ...kinds],
    notes: source.notes,
  };
}

/** The last of what is told of: a partition, the descriptors, an anchor. */
function sizeOf(source: UdfSource, { partitions }: VolumeDescriptors, { main, reserve, block }: Anchor): number {
  const { blockSizeBytes } = source;
  const ends = [...partitions.values()].map(({ startBlock, blockCount }) => startBlock + blockCount);
  for (const { block: start, lengthBytes } of [main, reserve]) {
    ends.push(start + Math.ceil(lengthBytes / blockSizeBytes));
  }
  return Math.max(block + 1, ...ends) * blockSizeBytes;
}
