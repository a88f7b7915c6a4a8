import { readBytes, type BlockReader } from "../../device/index.ts";
import { identifyBootSector } from "../../partition/index.ts";
import { coreSectorBytes } from "./core-image.ts";
import { blockListEntry, bootImage } from "./core-records.ts";
import { lowestListAt } from "./embed.ts";

/** A core image that a disk starts from. */
export interface InstalledCore {
  readonly lbas: readonly number[];
  /** As it lies there, to whole sectors. */
  readonly bytes: Uint8Array;
}

/** What GRUB can load is less than 454,656 bytes, and its first sector. */
const coreLimitSectors = 1024;

/** The core image that sector 0 starts; undefined where that is no GRUB, or its list of blocks makes no sense. */
export async function readInstalledCore(reader: BlockReader): Promise<InstalledCore | undefined> {
  if (reader.sizeBytes < coreSectorBytes) return undefined;
  const sector = await readBytes(reader, 0, coreSectorBytes);
  if (identifyBootSector(sector) !== "grub2") return undefined;
  const diskSectors = Math.floor(reader.sizeBytes / coreSectorBytes);
  const firstLba = lbaAt(sector, bootImage.fields.kernelLba[0]);
  if (firstLba < 1 || firstLba >= diskSectors) return undefined;
  const lbas = [firstLba];
  const first = await readBytes(reader, firstLba * coreSectorBytes, coreSectorBytes);
  for (let at = coreSectorBytes - blockListEntry.sizeBytes; at >= lowestListAt; at -= blockListEntry.sizeBytes) {
    const sectorCount = blockListEntry.get(first, "sectorCount", at);
    if (sectorCount === 0) break;
    const startLba = lbaAt(first, at);
    if (lbas.length + sectorCount > coreLimitSectors || startLba + sectorCount > diskSectors) return undefined;
    for (let n = 0; n < sectorCount; n++) lbas.push(startLba + n);
  }
  const bytes = new Uint8Array(lbas.length * coreSectorBytes);
  for (const [n, lba] of lbas.entries()) {
    await reader.read(lba * coreSectorBytes, bytes.subarray(n * coreSectorBytes, (n + 1) * coreSectorBytes));
  }
  return { lbas, bytes };
}

/** 64 bits that may hold anything. */
function lbaAt(bytes: Uint8Array, at: number): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64LE(at));
}
