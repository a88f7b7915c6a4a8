import { stopIfAborted, type JobOptions } from "../../base/index.ts";
import { readBytes, type BlockDevice, type BlockReader } from "../../device/index.ts";
import { attribute } from "../dos-attributes.ts";
import { firstCluster } from "../cluster-run.ts";
import { bootSector, infoSector, largeTail, unknownCount } from "./boot-sector.ts";
import { clusterOf, shortEntry, slotBytes, slotUse } from "./directory-entry.ts";
import { FatSource, readDirectory, type DirectoryBytes } from "./fat-source.ts";
import { clusterAt, clusterLimits, entryBits, isCluster, layoutOf, type FatLayout } from "./layout.ts";
import { bootSectorBytes } from "./probe.ts";
import { encodeEntries, marksOf, readEntries } from "./table.ts";

/** So many entries of a table are held in memory, as numbers: enough for 512 GiB in clusters of 32 KiB. */
const entryLimit = 16 * 2 ** 20;
/** Programs that count clusters a little differently come to another kind near its limits. */
const limitMargin = 16;
const sectorBytes = 512;
const copyBytes = 4 * 2 ** 20;

/**
 * Puts a FAT onto a device of another size, which it fills: same kind, same clusters, and all that is in it as it is, its
 * boot code too. Clusters behind a nearer end get numbers before it. False where that is not possible, with nothing
 * written: the kind would have to be another, there is not enough room, or the volume is of an unusual shape.
 */
export async function refitFat(
  source: BlockReader,
  device: BlockDevice,
  { startLba, signal }: JobOptions & { readonly startLba: number },
): Promise<boolean> {
  const before = layoutOf(await readBytes(source, 0, bootSectorBytes));
  const boot = await newBootSector(source, before, { sizeBytes: device.sizeBytes, startLba });
  if (boot === undefined) return false;
  const after = layoutOf(boot);
  const isSuitable = after.kind === before.kind && isWithin(after) && before.clusterCount <= entryLimit;
  if (!isSuitable || after.clusterCount > entryLimit) return false;
  const entries = await readEntries(source, before, 0, firstCluster + before.clusterCount);
  const numbers = newNumbers(entries, before, after);
  if (numbers === undefined) return false;
  const refit = new Refit({ source, device, before, after, entries, numbers });
  await refit.copyFront(boot);
  await refit.copyClusters(signal);
  await refit.renumberFolders(signal);
  await refit.writeTables();
  return true;
}

function isWithin({ kind, clusterCount }: FatLayout): boolean {
  const least = kind === "fat12" ? 1 : clusterLimits[kind === "fat16" ? "fat12" : "fat16"] + limitMargin;
  return clusterCount >= least && clusterCount < clusterLimits[kind] - limitMargin;
}

/** Undefined where the shape is not one that programs make today. */
async function newBootSector(
  source: BlockReader,
  before: FatLayout,
  { sizeBytes, startLba }: { readonly sizeBytes: number; readonly startLba: number },
): Promise<Uint8Array | undefined> {
  const { kind, tableCount, tableAt, rootBytes, clusterBytes, isMirrored } = before;
  const sectorCount = Math.min(Math.floor(sizeBytes / sectorBytes), 2 ** 32 - 1);
  if (before.sectorBytes !== sectorBytes || !isMirrored) return undefined;
  const tablesAndData = sectorCount - (tableAt + rootBytes) / sectorBytes;
  if (tablesAndData < 8) return undefined;
  // As many entries as there would be clusters if the tables took no room: a few too many.
  const most = Math.floor((tablesAndData * sectorBytes) / clusterBytes) + firstCluster;
  const tableSectors = Math.ceil((most * entryBits[kind]) / 8 / sectorBytes);
  if (tableCount * tableSectors + clusterBytes / sectorBytes >= tablesAndData) return undefined;
  const boot = await readBytes(source, 0, bootSectorBytes);
  const isShort = kind !== "fat32" && sectorCount < 2 ** 16;
  if (kind !== "fat32" && tableSectors >= 2 ** 16) return undefined;
  bootSector.patch(boot, {
    sectorCount16: isShort ? sectorCount : 0,
    sectorCount32: isShort ? 0 : sectorCount,
    hiddenSectors: startLba < 2 ** 32 ? startLba : 0,
    ...(kind === "fat32" ? {} : { tableSectors16: tableSectors }),
  });
  if (kind === "fat32") largeTail.patch(boot, { tableSectors32: tableSectors });
  return boot;
}

/** The new number of each cluster that is in use, by its old one; 0 for the others. Undefined where there is no room. */
function newNumbers(entries: Uint32Array, before: FatLayout, after: FatLayout): Uint32Array | undefined {
  const { mask, bad } = marksOf[before.kind];
  const valueOf = (cluster: number): number => (entries[cluster] ?? 0) & mask;
  const numbers = new Uint32Array(entries.length);
  const end = firstCluster + after.clusterCount;
  let free = firstCluster;
  for (let cluster = firstCluster; cluster < entries.length; cluster++) {
    const value = valueOf(cluster);
    if (value === 0 || value === bad) continue;
    if (cluster < end) {
      numbers[cluster] = cluster;
      continue;
    }
    while (free < end && valueOf(free) !== 0) free++;
    if (free === end) return undefined;
    numbers[cluster] = free++;
  }
  return numbers;
}

interface RefitParts {
  readonly source: BlockReader;
  readonly device: BlockDevice;
  readonly before: FatLayout;
  readonly after: FatLayout;
  /** Of the old table. */
  readonly entries: Uint32Array;
  readonly numbers: Uint32Array;
}

class Refit {
  readonly #parts: RefitParts;
  readonly #isRenumbered: boolean;

  constructor(parts: RefitParts) {
    this.#parts = parts;
    this.#isRenumbered = parts.numbers.some((number, old) => number !== 0 && number !== old);
  }

  /** Reserved sectors, with the boot sector and its copy, and the root directory of FAT12 and FAT16. */
  async copyFront(boot: Uint8Array): Promise<void> {
    const { source, device, before, after } = this.#parts;
    await this.#copy(0, 0, before.tableAt);
    if (before.kind === "fat32") largeTail.patch(boot, { rootCluster: this.#numberOf(before.rootCluster) });
    await device.write(0, boot);
    const { backupAt } = before;
    if (backupAt !== undefined && backupAt + bootSectorBytes <= before.tableAt) await device.write(backupAt, boot);
    if (before.rootBytes > 0)
      await device.write(after.rootAt, await readBytes(source, before.rootAt, before.rootBytes));
  }

  /** What is in use, in runs that stay together. */
  async copyClusters(signal: AbortSignal | undefined): Promise<void> {
    const { before, after, numbers } = this.#parts;
    for (let start = firstCluster; start < numbers.length;) {
      const first = numbers[start] ?? 0;
      const count = first === 0 ? 1 : runLength(numbers, start);
      if (first !== 0) {
        stopIfAborted(signal);
        await this.#copy(clusterAt(before, start), clusterAt(after, first), count * before.clusterBytes);
      }
      start += count;
    }
  }

  /** Entries of directories say where files begin. */
  async renumberFolders(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isRenumbered) return;
    const { source, before } = this.#parts;
    const fat = new FatSource(source, before);
    const seen = new Set<number>();
    const waiting = [before.rootCluster];
    for (let start = waiting.pop(); start !== undefined; start = waiting.pop()) {
      stopIfAborted(signal);
      if (seen.has(start)) continue;
      seen.add(start);
      waiting.push(...(await this.#renumberFolder(await readDirectory(fat, start, "a directory"))));
    }
  }

  async writeTables(): Promise<void> {
    const { device, before, after, entries, numbers } = this.#parts;
    const { mask, bad } = marksOf[before.kind];
    const table = new Uint32Array(firstCluster + after.clusterCount);
    table.set(entries.subarray(0, firstCluster));
    let usedCount = 0;
    for (let cluster = firstCluster; cluster < entries.length; cluster++) {
      const entry = entries[cluster] ?? 0;
      const value = entry & mask;
      const number = value === bad && cluster < table.length ? cluster : (numbers[cluster] ?? 0);
      if (number === 0) continue;
      usedCount++;
      const next = isCluster(before, value) ? this.#numberOf(value) : value;
      table[number] = ((entry & ~mask) | next) >>> 0;
    }
    const bytes = new Uint8Array(after.tableBytes);
    bytes.set(encodeEntries(after.kind, table));
    for (let n = 0; n < after.tableCount; n++) await device.write(after.tableAt + n * after.tableBytes, bytes);
    await this.#writeInfo(after.clusterCount - usedCount);
  }

  async #writeInfo(freeClusters: number): Promise<void> {
    const { device, before } = this.#parts;
    const { infoAt, backupAt } = before;
    if (infoAt === undefined) return;
    for (const at of [infoAt, ...(backupAt === undefined ? [] : [backupAt + infoAt])]) {
      if (at + infoSector.sizeBytes > before.tableAt) continue;
      const bytes = await readBytes(device, at, infoSector.sizeBytes);
      infoSector.patch(bytes, { freeClusters, nextFree: unknownCount });
      await device.write(at, bytes);
    }
  }

  /** Gives the directories in it. */
  async #renumberFolder(folder: DirectoryBytes): Promise<readonly number[]> {
    const { device, before } = this.#parts;
    const inner: number[] = [];
    for (let at = 0; at + slotBytes <= folder.bytes.length; at += slotBytes) {
      const use = slotUse(folder.bytes, at);
      if (use === "end") break;
      if (use !== "file") continue;
      const entry = shortEntry.decode(folder.bytes, at);
      const start = clusterOf(entry, before.kind === "fat32");
      if (start === 0 || !isCluster(before, start)) continue;
      const isDots = entry.name[0] === dot;
      if ((entry.attributes & attribute.directory) !== 0 && !isDots) inner.push(start);
      const number = this.#numberOf(start);
      if (number === start) continue;
      const slot = folder.bytes.slice(at, at + slotBytes);
      const high = before.kind === "fat32" ? { clusterHigh: Math.floor(number / 2 ** 16) } : {};
      shortEntry.patch(slot, { clusterLow: number % 2 ** 16, ...high });
      await device.write(this.#slotAt(folder, at), slot);
    }
    return inner;
  }

  /** Where on the device an entry of a directory is now. */
  #slotAt({ clusters }: DirectoryBytes, byteInDirectory: number): number {
    const { after } = this.#parts;
    if (clusters.length === 0) return after.rootAt + byteInDirectory;
    let left = Math.floor(byteInDirectory / after.clusterBytes);
    for (const { start, count } of clusters) {
      if (left < count) {
        return clusterAt(after, this.#numberOf(start + left)) + (byteInDirectory % after.clusterBytes);
      }
      left -= count;
    }
    throw new RangeError(`byte ${byteInDirectory} is past the end of the directory`);
  }

  /** What leads nowhere goes on doing so. */
  #numberOf(cluster: number): number {
    const number = this.#parts.numbers[cluster] ?? 0;
    return number === 0 ? cluster : number;
  }

  async #copy(from: number, at: number, lengthBytes: number): Promise<void> {
    const { source, device } = this.#parts;
    for (let done = 0; done < lengthBytes; done += copyBytes) {
      const bytes = await readBytes(source, from + done, Math.min(copyBytes, lengthBytes - done));
      await device.write(at + done, bytes);
    }
  }
}

/** How many clusters from one on stay together. */
function runLength(numbers: Uint32Array, start: number): number {
  const first = numbers[start] ?? 0;
  let count = 1;
  while (numbers[start + count] === first + count) count++;
  return count;
}

/** Begins the names of a directory itself and of the one above it, and of nothing else. */
const dot = 0x2e;
