import type { BlockReader } from "../../device/index.ts";
import { Failure } from "../../base/index.ts";
import { decodeName, printableName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { BtrfsFileSystem } from "./btrfs-file-system.ts";
import { ChunkMap, decodeChunk, decodeSystemChunks, type Chunk } from "./chunk-map.ts";
import { featureNames, whyUnread } from "./features.ts";
import { ids, itemTypes } from "./key.ts";
import { BtrfsSource } from "./source.ts";
import { Subvolumes } from "./subvolumes.ts";
import {
  soundSuperblock,
  superblockFlags,
  superblockPlaces,
  type PlacedSuperblock,
  type Superblock,
} from "./superblock.ts";
import { chunkTree, itemsOf } from "./tree.ts";

const lowestSectorBytes = 512;
const highestNodeBytes = 65_536;

/**
 * Opens a btrfs that is all on one device, for reading. A mirror of the superblock stands in for the first one where that is
 * broken; `info.notes` tells of it. Throws `unsupported` for several devices and unknown features, `damaged` where the
 * superblocks or the tree of chunks are.
 */
export async function openBtrfs(reader: BlockReader): Promise<BtrfsFileSystem> {
  const placed = await soundSuperblock(reader);
  if (placed === undefined) throw damaged("the btrfs superblock", "neither it nor a mirror is sound");
  const { superblock } = placed;
  const why = whyUnread(superblock);
  if (why !== undefined) throw new Failure("unsupported", `cannot read the btrfs: it ${why}`);
  refuseSizes(superblock);
  const source = await openChunks(reader, superblock);
  const subvolumes = new Subvolumes(source);
  return new BtrfsFileSystem(source, subvolumes, await infoOf(source, placed, subvolumes));
}

function refuseSizes({ sectorBytes, nodeBytes, systemChunkBytes, systemChunks, deviceBytes }: Superblock): void {
  const what = "the btrfs superblock";
  const isSize = (bytes: number, lowest: number): boolean => {
    return bytes >= lowest && bytes <= highestNodeBytes && Number.isInteger(Math.log2(bytes));
  };
  if (!isSize(sectorBytes, lowestSectorBytes)) throw damaged(what, `sectors cannot have ${sectorBytes} bytes`);
  if (!isSize(nodeBytes, sectorBytes)) throw damaged(what, `nodes cannot have ${nodeBytes} bytes`);
  if (systemChunkBytes > systemChunks.length) {
    throw damaged(what, `it has no room for ${systemChunkBytes} bytes of system chunks`);
  }
  if (!Number.isSafeInteger(deviceBytes) || deviceBytes <= superblockPlaces[0]) {
    throw damaged(what, `a device cannot have ${deviceBytes} bytes`);
  }
}

/** The chunks in the superblock lead to the tree of all chunks. */
async function openChunks(reader: BlockReader, superblock: Superblock): Promise<BtrfsSource> {
  const { sectorBytes } = superblock;
  const array = superblock.systemChunks.subarray(0, superblock.systemChunkBytes);
  const system = [...decodeSystemChunks(array, sectorBytes)];
  for (const chunk of system) refuseElsewhere(chunk, superblock);
  const first = new BtrfsSource(reader, superblock, new ChunkMap(system));
  const chunks: Chunk[] = [];
  for await (const { leaf, start, end } of itemsOf(first, chunkTree(first), ids.firstChunks, itemTypes.chunk)) {
    for (let n = start; n < end; n++) {
      const chunk = decodeChunk(leaf.offset(n), leaf.data(n), sectorBytes);
      refuseElsewhere(chunk, superblock);
      chunks.push(chunk);
    }
  }
  return new BtrfsSource(reader, superblock, new ChunkMap(chunks));
}

/** Throws where a chunk is not all on the one device that there is. */
function refuseElsewhere({ logical, stripes, stripeBytes }: Chunk, { deviceId, deviceBytes }: Superblock): void {
  for (const { deviceId: id, startBytes } of stripes) {
    if (id !== deviceId) throw damaged(`the btrfs chunk ${logical}`, `it is on device ${id}, which is missing`);
    if (startBytes + stripeBytes > deviceBytes) {
      throw damaged(`the btrfs chunk ${logical}`, `it passes the end of the device at ${deviceBytes}`);
    }
  }
}

async function infoOf(source: BtrfsSource, placed: PlacedSuperblock, subvolumes: Subvolumes): Promise<FileSystemInfo> {
  const { superblock } = source;
  const { label, uuid, deviceBytes, totalBytes, usedBytes, sectorBytes, nodeBytes } = superblock;
  const end = label.indexOf(0);
  return {
    kind: "btrfs",
    label: decodeName(label, 0, end < 0 ? label.length : end),
    uuid,
    sizeBytes: deviceBytes,
    blockSizeBytes: sectorBytes,
    imageBlockBytes: deviceBytes % nodeBytes === 0 ? nodeBytes : sectorBytes,
    freeBytes: Math.min(Math.max(totalBytes - usedBytes, 0), deviceBytes),
    features: featureNames(superblock),
    notes: [...notesOf(source, placed), ...(await defaultNote(subvolumes))],
  };
}

function notesOf({ superblock, reader }: BtrfsSource, { place }: PlacedSuperblock): string[] {
  const { logRoot, flags, deviceBytes } = superblock;
  const notes: string[] = [];
  if (place !== superblockPlaces[0]) notes.push(`the superblock is broken: the mirror at ${place} is used`);
  if (logRoot !== 0) notes.push("not unmounted cleanly: its log waits to be replayed");
  if ((flags & superblockFlags.seeding) !== 0n) notes.push("a seed: it can only be read");
  if ((flags & superblockFlags.error) !== 0n) notes.push("btrfs is marked as having errors");
  if (deviceBytes > reader.sizeBytes) {
    notes.push(`the file system takes ${deviceBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  return notes;
}

/** Who mounts it sees that subvolume; here its whole tree is shown. What is damaged there, reading tells. */
async function defaultNote(subvolumes: Subvolumes): Promise<string[]> {
  try {
    const path = await subvolumes.defaultPath();
    return path === undefined ? [] : [`mounted by default is the subvolume "${printableName(path)}"`];
  } catch (error) {
    if (error instanceof Failure) return ["which subvolume is mounted by default cannot be told"];
    throw error;
  }
}
