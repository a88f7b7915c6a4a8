import { Failure } from "../../base/index.ts";
import { damaged } from "../damaged.ts";
import { fileParts, isInEntry, readWhole } from "./extents.ts";
import { decodeEntry, fileTypes, readEntry, type UdfFile } from "./file-entry.ts";
import {
  MetadataPlaces,
  PlainPlaces,
  SparablePlaces,
  VirtualPlaces,
  type MetadataRun,
  type PartitionPlaces,
} from "./partition-places.ts";
import { metadataMap, namedMap, plainMap, sparableMap, sparingEntry, sparingTable, virtualTable } from "./records.ts";
import { tagProblem } from "./tag.ts";
import type { UdfSource } from "./udf-source.ts";
import type { VolumeDescriptors } from "./volume-descriptors.ts";

/** More partitions than any volume has. */
const mapLimit = 64;

/**
 * Makes the partitions of a volume's maps ready, those that stand on others after them. Throws `unsupported` naming a
 * kind that is not known.
 */
export async function openPartitions(source: UdfSource, descriptors: VolumeDescriptors): Promise<void> {
  const { maps } = descriptors;
  const { mapCount } = descriptors.logical;
  if (mapCount > mapLimit) throw damaged("the UDF volume", `it has ${mapCount} partition maps`);
  const later: (() => Promise<void>)[] = [];
  for (let n = 0, at = 0; n < mapCount; n++) {
    const lengthBytes = maps[at + 1] ?? 0;
    const map = maps.subarray(at, at + lengthBytes);
    if (lengthBytes < plainMap.sizeBytes || map.length < lengthBytes) {
      throw damaged("the UDF volume", `partition map ${n} does not fit`);
    }
    at += lengthBytes;
    if (map[0] === 1) {
      source.partitions[n] = plainPlaces(descriptors, plainMap.get(map, "partitionNumber"));
    } else if (map.length < namedMap.sizeBytes) {
      throw damaged("the UDF volume", `partition map ${n} is too short`);
    } else {
      const open = await openNamed(source, descriptors, map);
      if (typeof open !== "function") source.partitions[n] = open;
      else later.push(async () => void (source.partitions[n] = await open()));
    }
  }
  for (const open of later) await open();
}

function plainPlaces({ partitions }: VolumeDescriptors, number: number): PlainPlaces {
  const found = partitions.get(number);
  if (found !== undefined) return new PlainPlaces(found.startBlock, found.blockCount);
  throw damaged("the UDF volume", `there is no partition ${number}`);
}

/** A partition by its map of type 2; or how to open it once the one that it stands on is there. */
async function openNamed(
  source: UdfSource,
  descriptors: VolumeDescriptors,
  map: Uint8Array,
): Promise<PartitionPlaces | (() => Promise<PartitionPlaces>)> {
  const { id, partitionNumber } = namedMap.decode(map);
  const name = Buffer.from(id).toString("latin1").replace(/\0.*$/s, "");
  const plain = plainPlaces(descriptors, partitionNumber);
  switch (name) {
    case "*UDF Sparable Partition":
      return openSparable(source, plain, map);
    case "*UDF Virtual Partition":
      return () => openVirtual(source, descriptors, partitionNumber);
    case "*UDF Metadata Partition":
      return () => openMetadata(source, descriptors, map);
    default:
      throw new Failure("unsupported", `cannot read the UDF volume: it has a partition of kind "${name}"`);
  }
}

/** Packets are of 32 blocks mostly; a table has so many entries at most. */
const sparingTableLimitBytes = 16 * 1024 * 1024;
/** Entries that stand for no packet (UDF 2.60 §2.2.12). */
const unusedEntries = 0xfffffff0;

/** With the first of the sparing tables that is good. */
async function openSparable(source: UdfSource, plain: PlainPlaces, map: Uint8Array): Promise<SparablePlaces> {
  const { packetBlocks, tableCount, tableBytes, tableBlocks } = sparableMap.decode(map);
  if (packetBlocks === 0) throw damaged("the UDF volume", "its packets are of no blocks");
  const lengthBytes = Math.min(tableBytes, sparingTableLimitBytes);
  for (const block of tableBlocks.slice(0, tableCount)) {
    const at = block * source.blockSizeBytes;
    if (lengthBytes < sparingTable.sizeBytes || at + lengthBytes > source.reader.sizeBytes) continue;
    const bytes = await source.structures.bytes(at, lengthBytes);
    if (tagProblem(bytes, { ids: [0], location: block }) !== undefined) continue;
    const moved = new Map<number, number>();
    const count = Math.min(
      sparingTable.get(bytes, "entryCount"),
      Math.floor((bytes.length - sparingTable.sizeBytes) / sparingEntry.sizeBytes),
    );
    for (let n = 0; n < count; n++) {
      const entry = sparingEntry.decode(bytes, sparingTable.sizeBytes + n * sparingEntry.sizeBytes);
      if (entry.original < unusedEntries) moved.set(entry.original, entry.mapped);
    }
    return new SparablePlaces(plain, packetBlocks, moved);
  }
  source.notes.push("no sparing table can be used: what was moved from bad places is not found");
  return new SparablePlaces(plain, packetBlocks, new Map());
}

/** How far before the end of what was written the entry of the virtual table is looked for. */
const virtualTableSearchBlocks = 512;
/** How much at the end of an image may be without anything: the part of the medium that is not written yet. */
const unwrittenLimitBytes = 1024 * 1024 * 1024;
const virtualTableLimitBytes = 64 * 1024 * 1024;
/** What follows the table in UDF 1.50: an identifier, and where the table before it is. */
const oldTrailerBytes = 36;
const oldTrailerId = "*UDF Virtual Alloc Tbl";

/** The table is what was written last. */
async function openVirtual(
  source: UdfSource,
  descriptors: VolumeDescriptors,
  partitionNumber: number,
): Promise<VirtualPlaces> {
  const partition = descriptors.partitions.get(partitionNumber);
  const index = source.partitions.findIndex((places) => places?.kind === "plain");
  const under = source.partitions[index];
  if (partition === undefined || under === undefined) {
    throw damaged("the UDF volume", "its virtual partition stands on none");
  }
  const last = await lastWrittenBlock(source);
  for (let block = last; block > last - virtualTableSearchBlocks && block >= partition.startBlock; block--) {
    const address = { partition: index, block: block - partition.startBlock };
    const what = "the virtual allocation table";
    const bytes = await source.structures.bytes(block * source.blockSizeBytes, source.blockSizeBytes);
    let file: UdfFile | undefined;
    try {
      file = decodeEntry(bytes, address, what);
    } catch (error) {
      if (error instanceof Failure) continue; // something else stands there
      throw error;
    }
    const table = await virtualTableOf(source, file, what);
    if (table !== undefined) return new VirtualPlaces(table, under);
  }
  throw damaged("the UDF volume", "it has no virtual allocation table");
}

/** The last block that is not all zeros, as far as that is worth looking for. */
async function lastWrittenBlock({ reader, blockSizeBytes }: UdfSource): Promise<number> {
  const deviceBlocks = Math.floor(reader.sizeBytes / blockSizeBytes);
  const chunk = Buffer.alloc(1024 * 1024);
  const chunkBlocks = chunk.length / blockSizeBytes;
  const least = Math.max(0, deviceBlocks - unwrittenLimitBytes / blockSizeBytes);
  for (let end = deviceBlocks; end > least; end -= chunkBlocks) {
    const start = Math.max(0, end - chunkBlocks);
    const bytes = chunk.subarray(0, (end - start) * blockSizeBytes);
    await reader.read(start * blockSizeBytes, bytes);
    const at = bytes.findLastIndex((byte) => byte !== 0);
    if (at >= 0) return start + Math.floor(at / blockSizeBytes);
  }
  return deviceBlocks - 1;
}

/** The entries of a file that is a virtual table; undefined where it is none. */
async function virtualTableOf(source: UdfSource, file: UdfFile, what: string): Promise<DataView | undefined> {
  const { virtualTable: newType, unspecified: oldType } = fileTypes;
  if (file.fileType !== newType && file.fileType !== oldType) return undefined;
  const bytes = await readWhole(source, file, { limitBytes: virtualTableLimitBytes, what });
  const isNew = file.fileType === newType;
  if (isNew && bytes.length >= virtualTable.sizeBytes) {
    const start = Math.min(virtualTable.get(bytes, "headerBytes"), bytes.length);
    return new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  }
  const end = bytes.length - oldTrailerBytes;
  const isOld =
    end >= 0 && Buffer.from(bytes).toString("latin1", end + 1, end + 1 + oldTrailerId.length) === oldTrailerId;
  return isOld ? new DataView(bytes.buffer, bytes.byteOffset, end) : undefined;
}

/** A metadata file in more pieces than this is damaged. */
const metadataRunLimit = 1_000_000;

/** By the metadata file, or where that cannot be read its mirror. */
async function openMetadata(
  source: UdfSource,
  descriptors: VolumeDescriptors,
  map: Uint8Array,
): Promise<MetadataPlaces> {
  const { fileBlock, mirrorBlock } = metadataMap.decode(map);
  const number = namedMap.get(map, "partitionNumber");
  const startBlock = descriptors.partitions.get(number)?.startBlock ?? 0;
  // The metadata file is in the partition of the same number, whose map comes before.
  const partition = source.partitions.findIndex((places) => {
    return places?.kind === "sparable" || (places?.kind === "plain" && isAt(places, startBlock));
  });
  try {
    return await metadataPlacesOf(source, { partition, block: fileBlock });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    source.notes.push("the metadata file cannot be read; its mirror is used");
    return metadataPlacesOf(source, { partition, block: mirrorBlock });
  }
}

function isAt(places: PartitionPlaces, startBlock: number): boolean {
  return places.blockCount > 0 && places.place(0, "a partition").deviceBlock === startBlock;
}

async function metadataPlacesOf(
  source: UdfSource,
  address: { readonly partition: number; readonly block: number },
): Promise<MetadataPlaces> {
  const what = "the metadata file";
  const file = await readEntry(source, address);
  const { metadata, metadataMirror } = fileTypes;
  if ((file.fileType !== metadata && file.fileType !== metadataMirror) || isInEntry(file)) {
    throw damaged(what, "it is of another kind");
  }
  const { blockSizeBytes } = source;
  const runs: MetadataRun[] = [];
  for await (const { at, deviceAt, lengthBytes } of fileParts(source, file, what)) {
    if (runs.length >= metadataRunLimit) throw damaged(what, "it is in too many pieces");
    const count = Math.floor(lengthBytes / blockSizeBytes);
    if (count > 0) runs.push({ block: at / blockSizeBytes, deviceBlock: deviceAt / blockSizeBytes, count });
  }
  return new MetadataPlaces(runs);
}
