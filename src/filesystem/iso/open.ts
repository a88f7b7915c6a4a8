import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { decodeRecord } from "./directory-record.ts";
import { readSelf } from "./directory-reader.ts";
import { readBootCatalogue } from "./el-torito.ts";
import { dateAsUuid } from "./iso-date.ts";
import { IsoFileSystem } from "./iso-file-system.ts";
import { decodeUcs2 } from "./iso-name.ts";
import { IsoSource, type BlockBytes, type IsoTree } from "./iso-source.ts";
import { readSystemUse } from "./system-use.ts";
import { readVolumeDescriptors, type VolumeDescriptors } from "./volume-descriptors.ts";
import { decodeName } from "../../bytes/index.ts";
import { firstDescriptorAt } from "./volume-descriptor.ts";

/**
 * Opens an ISO 9660 volume for reading: by Rock Ridge where it has that, which alone keeps what Unix knows of a file;
 * else by Joliet, by the enhanced tree of ISO 9660:1999, or by plain ISO 9660. Throws `damaged` where there is no
 * usable volume descriptor.
 */
export async function openIso(reader: BlockReader): Promise<IsoFileSystem> {
  const descriptors = await readVolumeDescriptors(reader);
  const { tree, rootAt, systemUseSkip } = await chooseTree(reader, descriptors);
  const { blockSizeBytes, spaceBlocks } = descriptors.primary;
  const volume = { blockSizeBytes, sizeBytes: spaceBlocks * blockSizeBytes, tree, rootAt, systemUseSkip };
  const source = new IsoSource(reader, volume);
  await readSelf(source, rootAt);
  return new IsoFileSystem(source, descriptors, await infoOf(source, descriptors));
}

/** Whether the names and attributes of an ISO 9660 volume are those of Rock Ridge. */
export async function hasRockRidge(reader: BlockReader): Promise<boolean> {
  return (await chooseTree(reader, await readVolumeDescriptors(reader))).tree === "rock ridge";
}

interface ChosenTree {
  readonly tree: IsoTree;
  readonly rootAt: number;
  readonly systemUseSkip: number;
}

async function chooseTree(reader: BlockReader, descriptors: VolumeDescriptors): Promise<ChosenTree> {
  const { primary, joliet, enhanced } = descriptors;
  const { blockSizeBytes } = primary;
  const rootOf = (record: Uint8Array): number => decodeRecord(record, 0, firstDescriptorAt).dataBlock * blockSizeBytes;
  const structures = new ChunkCache(reader, { chunkBytes: 4096, chunkLimit: 16 });
  const primaryRoot = rootOf(primary.rootRecord);
  const systemUseSkip = await systemUseSkipOf({ blockSizeBytes, structures }, primaryRoot);
  if (systemUseSkip !== undefined) return { tree: "rock ridge", rootAt: primaryRoot, systemUseSkip };
  if (joliet !== undefined) return { tree: "joliet", rootAt: rootOf(joliet.rootRecord), systemUseSkip: 0 };
  if (enhanced !== undefined) return { tree: "enhanced", rootAt: rootOf(enhanced.rootRecord), systemUseSkip: 0 };
  return { tree: "plain", rootAt: primaryRoot, systemUseSkip: 0 };
}

/** Of a CD-ROM XA disc: what stands before the system use entries of the root. */
const extendedArchitectureBytes = 14;
const rockRidgeSignatures = new Set(["RR", "PX", "NM", "ER"]);

/** What the SP entry of the root says; undefined where the volume has no Rock Ridge. */
async function systemUseSkipOf(source: BlockBytes, rootAt: number): Promise<number | undefined> {
  const { systemUse } = await readSelf(source, rootAt);
  for (const start of [0, extendedArchitectureBytes]) {
    const [first, second, length, , check, check2, skip = 0] = systemUse.subarray(start);
    const isIndicator = first === 0x53 && second === 0x50 && length === 7 && check === 0xbe && check2 === 0xef;
    if (!isIndicator) continue;
    const { entries } = await readSystemUse(source, systemUse.subarray(start), "the root directory");
    return entries.some(({ signature }) => rockRidgeSignatures.has(signature)) ? skip : undefined;
  }
  return undefined;
}

async function infoOf(source: IsoSource, descriptors: VolumeDescriptors): Promise<FileSystemInfo> {
  const { primary, joliet, enhanced } = descriptors;
  const { tree, sizeBytes, blockSizeBytes } = source.volume;
  const label = tree === "joliet" && joliet !== undefined ? decodeUcs2(joliet.volumeId) : decodeName(primary.volumeId);
  const boot = await readBootCatalogue(source, descriptors.catalogueSector);
  const notes = [...boot.notes];
  if (sizeBytes > source.reader.sizeBytes) {
    notes.push(`the file system takes ${sizeBytes} bytes, its device ends at ${source.reader.sizeBytes}`);
  }
  const features = [
    ...(tree === "rock ridge" ? ["rock ridge"] : []),
    ...(joliet === undefined ? [] : ["joliet"]),
    ...(enhanced === undefined ? [] : ["iso 9660:1999"]),
    ...(descriptors.catalogueSector === undefined ? [] : ["el torito"]),
  ];
  return {
    kind: "iso9660",
    label: label.replace(/[\0 ]+$/, ""),
    uuid: dateAsUuid(primary.modified) ?? dateAsUuid(primary.created),
    sizeBytes,
    blockSizeBytes,
    freeBytes: 0,
    features,
    notes,
  };
}
