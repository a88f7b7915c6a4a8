import { readBytes, type BlockDevice } from "../../device/index.ts";
import { identifyBootSector, type BootCode } from "../../partition/index.ts";
import { coreSectorBytes } from "./core-image.ts";
import { blockListEntry, bootImage } from "./core-records.ts";
import { lowestListAt } from "./embed.ts";

/** Sectors that were copied to another place on the disk. */
export interface MovedSectors {
  readonly fromLba: number;
  readonly sectorCount: number;
  readonly toLba: number;
}

const bootLbaAt = bootImage.fields.kernelLba[0];

/**
 * Tells GRUB for BIOS where its core image is, once sectors were copied to other places: sector 0 has the first one of the
 * core, and that has the others. Sector 0 comes last. Gives whose boot code it is; nothing is changed where that is not
 * GRUB's, or where its core is in none of these sectors.
 */
export async function moveInstalledCore(device: BlockDevice, moves: readonly MovedSectors[]): Promise<BootCode> {
  const sector = await readBytes(device, 0, coreSectorBytes);
  const code = identifyBootSector(sector);
  if (code !== "grub2") return code;
  const diskSectors = Math.floor(device.sizeBytes / coreSectorBytes);
  const firstLba = movedLba(lbaAt(sector, bootLbaAt), moves);
  if (firstLba < 1 || firstLba >= diskSectors) return code;
  await moveList(device, firstLba, moves);
  if (firstLba === lbaAt(sector, bootLbaAt)) return code;
  bootImage.patch(sector, { kernelLba: firstLba });
  await device.write(0, sector);
  return code;
}

async function moveList(device: BlockDevice, firstLba: number, moves: readonly MovedSectors[]): Promise<void> {
  const first = await readBytes(device, firstLba * coreSectorBytes, coreSectorBytes);
  let isChanged = false;
  for (let at = coreSectorBytes - blockListEntry.sizeBytes; at >= lowestListAt; at -= blockListEntry.sizeBytes) {
    if (blockListEntry.get(first, "sectorCount", at) === 0) break;
    const startLba = lbaAt(first, at);
    const moved = movedLba(startLba, moves);
    if (moved === startLba) continue;
    blockListEntry.patch(first, { startLba: moved }, at);
    isChanged = true;
  }
  if (isChanged) await device.write(firstLba * coreSectorBytes, first);
}

function movedLba(lba: number, moves: readonly MovedSectors[]): number {
  const move = moves.find(({ fromLba, sectorCount }) => lba >= fromLba && lba < fromLba + sectorCount);
  return move === undefined ? lba : move.toLba + lba - move.fromLba;
}

/** 64 bits that may hold anything. */
function lbaAt(bytes: Uint8Array, at: number): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64LE(at));
}
