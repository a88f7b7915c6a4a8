import { Failure } from "../../base/index.ts";
import { readBytes, type BlockDevice } from "../../device/index.ts";
import { coreSectorBytes } from "./core-image.ts";
import { blockListEntry, bootImage } from "./core-records.ts";
import { platformFile, type PlatformFiles } from "./platform-files.ts";

/** Where the first sector behind the loader goes in memory, in units of 16 bytes; further stretches follow. */
const firstSegment = 0x820;
const segmentsPerSector = coreSectorBytes / 16;
/** The code of diskboot.img needs what is before; the list grows down to here. */
export const lowestListAt = 0x180;
const bootBytes = { parametersAt: 0x03, parametersEnd: 0x5a, tableAt: 0x1b8, tableEnd: 0x1fe } as const;
const noOperations = 0x9090;
const anyDrive = 0xff;

/** Writes a core image, as `coreAt` made it, to its sectors. Until sector 0 points to them nothing starts it. */
export async function writeCore(device: BlockDevice, placed: Uint8Array, lbas: readonly number[]): Promise<void> {
  for (const run of runsOf(lbas)) {
    const from = run.index * coreSectorBytes;
    await device.write(run.lba * coreSectorBytes, placed.subarray(from, from + run.count * coreSectorBytes));
  }
  await device.flush();
}

/** Writes boot.img to sector 0, to start the core image; disk signature, table and the parameters of a FAT stay. */
export async function writeBootSector(device: BlockDevice, grub: PlatformFiles, coreLba: number): Promise<void> {
  const before = await readBytes(device, 0, coreSectorBytes);
  await device.write(0, bootSector(grub, before, coreLba));
  await device.flush();
}

/** boot.img for a hard disk with everything in sector 0 that is not code. */
function bootSector(grub: PlatformFiles, before: Uint8Array, kernelLba: number): Uint8Array {
  const sector = platformFile(grub, "boot.img").slice();
  if (sector.length !== coreSectorBytes) {
    throw new Failure("damaged", `cannot use "boot.img" of "${grub.name}": it has ${sector.length} bytes, not 512`);
  }
  const { parametersAt, parametersEnd, tableAt, tableEnd } = bootBytes;
  sector.set(before.subarray(parametersAt, parametersEnd), parametersAt);
  sector.set(before.subarray(tableAt, tableEnd), tableAt);
  bootImage.patch(sector, { kernelLba, bootDrive: anyDrive, driveCheck: noOperations });
  return sector;
}

/** The core image, filled up to whole sectors, told where all but its first sector lie, as grub-bios-setup does. */
export function coreAt(core: Uint8Array, lbas: readonly number[]): Uint8Array {
  const placed = new Uint8Array(lbas.length * coreSectorBytes);
  placed.set(core);
  let at = coreSectorBytes - blockListEntry.sizeBytes;
  for (const { index, lba, count } of runsOf(lbas.slice(1))) {
    if (at - blockListEntry.sizeBytes < lowestListAt) {
      throw new Failure("no-space", "cannot install GRUB for BIOS: the free sectors are too scattered");
    }
    const segment = firstSegment + index * segmentsPerSector;
    blockListEntry.patch(placed, { startLba: lba, sectorCount: count, segment }, at);
    at -= blockListEntry.sizeBytes;
  }
  placed.fill(0, at, at + blockListEntry.sizeBytes);
  return placed;
}

interface Run {
  /** Which of the sectors it begins with. */
  readonly index: number;
  readonly lba: number;
  readonly count: number;
}

/** Sectors that follow each other, together. */
function runsOf(lbas: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (const [index, lba] of lbas.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && last.lba + last.count === lba) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ index, lba, count: 1 });
  }
  return runs;
}
