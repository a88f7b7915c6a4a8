import { readBytes, type BlockReader } from "../../device/index.ts";
import { checksum32 } from "./checksums.ts";
import { bootSector } from "./records.ts";

/** The boot region has so many sectors, and a copy of it follows (§3). */
export const regionSectors = 12;
const checkedSectors = 11;
const extendedSectors = 8;
export const sectorSizeLog2s: readonly number[] = [9, 10, 11, 12];
/** What is changed while the volume is in use (§3.4). */
const uncheckedOffsets: ReadonlySet<number> = new Set([106, 107, 112]);
export const signature = "EXFAT   ";
const extendedSignature = 0xaa550000;

export function isSigned(sector: Uint8Array): boolean {
  return Buffer.from(bootSector.get(sector, "signature")).toString("latin1") === signature;
}

/** Whether the boot region at a place is what its checksum says. */
export async function isRegionSound(reader: BlockReader, at: number, sectorBytes: number): Promise<boolean> {
  if (at + regionSectors * sectorBytes > reader.sizeBytes) return false;
  const region = await readBytes(reader, at, regionSectors * sectorBytes);
  const checked = region.subarray(0, checkedSectors * sectorBytes);
  const checksum = checksum32(checked, (offset) => uncheckedOffsets.has(offset));
  const view = new DataView(region.buffer, region.byteOffset, region.length);
  for (let n = checked.length; n < region.length; n += 4) if (view.getUint32(n, true) !== checksum) return false;
  return true;
}

/** The boot sector of the second region, if that is sound: `sectorBytes` is tried where given, else every size. */
export async function findSecondSector(reader: BlockReader, sectorBytes?: number): Promise<Uint8Array | undefined> {
  const sizes = sectorBytes === undefined ? sectorSizeLog2s.map((log2) => 2 ** log2) : [sectorBytes];
  for (const size of sizes) {
    const at = regionSectors * size;
    if (at + bootSector.sizeBytes > reader.sizeBytes) continue;
    const sector = await readBytes(reader, at, bootSector.sizeBytes);
    if (!isSigned(sector) || 2 ** bootSector.get(sector, "sectorBytesLog2") !== size) continue;
    if (await isRegionSound(reader, at, size)) return sector;
  }
  return undefined;
}

/** A whole boot region around a boot sector. `old` is one whose other sectors stay. */
export function encodeBootRegion(sector: Uint8Array, sectorBytes: number, old?: Uint8Array): Uint8Array<ArrayBuffer> {
  const region = new Uint8Array(regionSectors * sectorBytes);
  const view = new DataView(region.buffer);
  if (old !== undefined) region.set(old.subarray(0, region.length));
  else {
    for (let n = 1; n <= extendedSectors; n++) view.setUint32((n + 1) * sectorBytes - 4, extendedSignature, true);
  }
  region.set(sector.subarray(0, bootSector.sizeBytes));
  const checksum = checksum32(region.subarray(0, checkedSectors * sectorBytes), (at) => uncheckedOffsets.has(at));
  for (let at = checkedSectors * sectorBytes; at < region.length; at += 4) view.setUint32(at, checksum, true);
  return region;
}
