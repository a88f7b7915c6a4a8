import { readBytes, type BlockReader } from "../../device/index.ts";
import { damaged } from "../damaged.ts";
import { bootSector, recordHeader, recordSignature } from "./records.ts";

const signature = "NTFS    ";
const sectorSizes: readonly number[] = [512, 1024, 2048, 4096];
/** The most that Windows has for each. */
const clusterLimitBytes = 2 ** 21;
const recordLimitBytes = 65_536;

/** The sizes and places that a boot sector tells. */
export interface NtfsGeometry {
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly recordBytes: number;
  readonly sectorCount: number;
  readonly clusterCount: number;
  readonly mftCluster: number;
  readonly mirrorCluster: number;
  /** As `blkid` has it. */
  readonly serial: string;
}

/** The geometry in use, and what is wrong with the boot sectors. */
export interface FoundGeometry extends NtfsGeometry {
  readonly problem: string | undefined;
}

export function isSigned(sector: Uint8Array): boolean {
  return Buffer.from(bootSector.get(sector, "signature")).toString("latin1") === signature;
}

/** The geometry in a boot sector; undefined where it cannot be one. */
export function geometryOf(sector: Uint8Array): NtfsGeometry | undefined {
  const { sectorBytes, sectorCount, mftCluster, mirrorCluster, ...boot } = bootSector.decode(sector);
  // Above 128 it is a power of two, negated; so are records smaller than a cluster.
  const perCluster = boot.sectorsPerCluster > 128 ? 2 ** (256 - boot.sectorsPerCluster) : boot.sectorsPerCluster;
  const clusterBytes = sectorBytes * perCluster;
  const { clustersPerRecord } = boot;
  const recordBytes = clustersPerRecord > 127 ? 2 ** (256 - clustersPerRecord) : clustersPerRecord * clusterBytes;
  if (!isPowerOfTwo(sectorBytes, 256, 4096) || !isPowerOfTwo(clusterBytes, sectorBytes, clusterLimitBytes)) {
    return undefined;
  }
  if (!isPowerOfTwo(recordBytes, 512, recordLimitBytes) || sectorCount < perCluster) return undefined;
  const clusterCount = Math.floor(sectorCount / perCluster);
  if (!Number.isSafeInteger(sectorCount * sectorBytes) || clusterCount >= 2 ** 32) return undefined;
  if (mftCluster === 0 || mftCluster >= clusterCount || mirrorCluster >= clusterCount) return undefined;
  const serial = Buffer.from(boot.serial.toReversed()).toString("hex").toUpperCase();
  return { sectorBytes, clusterBytes, recordBytes, sectorCount, clusterCount, mftCluster, mirrorCluster, serial };
}

function isPowerOfTwo(value: number, lowest: number, highest: number): boolean {
  return value >= lowest && value <= highest && Number.isInteger(Math.log2(value));
}

/** What the boot sector says, or the one at the end of the device. Throws `damaged` where neither makes sense. */
export async function readGeometry(reader: BlockReader): Promise<FoundGeometry> {
  const sector = await readBytes(reader, 0, bootSector.sizeBytes);
  const geometry = isSigned(sector) ? geometryOf(sector) : undefined;
  if (geometry !== undefined) return { ...geometry, problem: undefined };
  const second = await findSecond(reader);
  const what = isSigned(sector) ? "damaged" : "gone";
  if (second !== undefined) {
    return { ...second, problem: `the NTFS boot sector is ${what}: the one at the end is used` };
  }
  throw damaged("NTFS", `the boot sector is ${what}, and none is at the end`);
}

/** The boot sector at the end of a device, if it leads to a master file table. */
export async function findSecond(reader: BlockReader): Promise<NtfsGeometry | undefined> {
  for (const sectorBytes of sectorSizes) {
    const at = (Math.floor(reader.sizeBytes / sectorBytes) - 1) * sectorBytes;
    if (at <= 0) continue;
    const sector = await readBytes(reader, at, bootSector.sizeBytes);
    if (!isSigned(sector)) continue;
    const geometry = geometryOf(sector);
    if (geometry?.sectorBytes !== sectorBytes || geometry.sectorCount * sectorBytes > at) continue;
    const record = await readBytes(reader, geometry.mftCluster * geometry.clusterBytes, geometry.recordBytes);
    if (recordHeader.get(record, "signature") === recordSignature) return geometry;
  }
  return undefined;
}

/** Where the second boot sector is: right behind the sectors of the volume. */
export function secondAt({ sectorCount, sectorBytes }: NtfsGeometry): number {
  return sectorCount * sectorBytes;
}
