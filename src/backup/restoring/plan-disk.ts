import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { gptTypeGuid } from "../../partition/index.ts";
import {
  isSwap,
  lastSectorFor,
  partitionName,
  partOf,
  type BackupDisk,
  type BackupPart,
  type BackupSwap,
  type DumpedPartition,
  type TableDump,
} from "../clonezilla/index.ts";
import { canResize, leastBytesOf, type Filling } from "./fill-part.ts";
import { renewTable } from "./renew-ids.ts";
import { fitPartitions, type Fit, type Flexibility } from "./fit-partitions.ts";

/** What becomes of a partition of the backup. */
export interface PlannedPart {
  /** `sda1` */
  readonly name: string;
  readonly number: number;
  readonly before: DumpedPartition;
  readonly after: DumpedPartition;
  /** Absent where nothing of it was saved. */
  readonly content?: BackupPart | BackupSwap;
}

export interface DiskPlan {
  readonly disk: BackupDisk;
  readonly sizeBytes: number;
  readonly dump: TableDump;
  readonly parts: readonly PlannedPart[];
  /** All partitions have their old places and sizes. */
  readonly isSame: boolean;
}

const sectorBytes = 512;
/** Smaller ones are for firmware and the like: more room is of no use there. */
const smallBytes = 2 ** 30;
const smallPart = 16;
const leastSwapSectors = 2048;

/** Plans where the partitions of a disk go on one of another size. Throws `no-space` where they do not fit. */
export async function planDisk(
  filling: Filling,
  disk: BackupDisk,
  { sizeBytes, fit: wished }: { readonly sizeBytes: number; readonly fit: Fit | undefined },
): Promise<DiskPlan> {
  const doFit = doesFit(disk.dump, sizeBytes);
  const fit = wished ?? (doFit ? "none" : "proportional");
  if (fit === "none" && !doFit) throw doesNotFit(disk, sizeBytes);
  const placed =
    fit === "none" || sizeBytes === disk.sizeBytes
      ? disk.dump
      : fitPartitions(disk.dump, { sizeBytes, fit, flexible: await flexibilityOf(filling, disk, sizeBytes) });
  const dump = filling.renewal === undefined ? placed : renewTable(placed, filling.renewal);
  const parts = disk.dump.partitions.map((before): PlannedPart => {
    const after = dump.partitions.find(({ number }) => number === before.number) ?? before;
    const content = contentOf(filling, disk, before.number);
    const name = partitionName(disk.name, before.number);
    return { name, number: before.number, before, after, ...(content === undefined ? {} : { content }) };
  });
  const isSame = parts.every(({ before, after }) => {
    return before.startLba === after.startLba && before.sectorCount === after.sectorCount;
  });
  return { disk, sizeBytes, dump, parts, isSame };
}

function contentOf({ folder }: Filling, disk: BackupDisk, number: number): BackupPart | BackupSwap | undefined {
  const name = partitionName(disk.name, number);
  return partOf(folder, disk, number) ?? folder.swaps.find((swap) => swap.name === name);
}

function doesFit(dump: TableDump, sizeBytes: number): boolean {
  const last = dump.partitions.reduce((end, { startLba, sectorCount }) => Math.max(end, startLba + sectorCount - 1), 0);
  return last <= lastSectorFor(dump, sizeBytes);
}

function doesNotFit({ name, sizeBytes }: BackupDisk, there: number): Failure {
  return new Failure(
    "no-space",
    `cannot restore ${name}: it had ${formatSize(sizeBytes)} (${sizeBytes} bytes), there are ${formatSize(there)} (${there} bytes)`,
    { hint: "--fit proportional makes its file systems smaller, where their content fits" },
  );
}

/** On a smaller disk each file system says how small it can become. */
async function flexibilityOf(
  filling: Filling,
  disk: BackupDisk,
  sizeBytes: number,
): Promise<ReadonlyMap<number, Flexibility>> {
  const isSmaller = sizeBytes < disk.sizeBytes;
  const flexible = new Map<number, Flexibility>();
  for (const partition of disk.dump.partitions) {
    const content = contentOf(filling, disk, partition.number);
    if (content === undefined) continue;
    const { number, sectorCount } = partition;
    if (isSwap(content)) {
      if (isSmaller) flexible.set(number, { leastSectors: Math.min(sectorCount, leastSwapSectors), isSmall: true });
      continue;
    }
    if (!canResize(content)) continue;
    const leastBytes = isSmaller ? await leastBytesOf(filling, content) : sectorCount * sectorBytes;
    if (leastBytes === undefined) continue;
    flexible.set(number, { leastSectors: Math.ceil(leastBytes / sectorBytes), isSmall: isSmall(partition, disk) });
  }
  return flexible;
}

function isSmall({ type, sectorCount }: DumpedPartition, { sizeBytes }: BackupDisk): boolean {
  const isForFirmware = type.toUpperCase() === gptTypeGuid("efi") || type.toLowerCase() === "ef";
  return isForFirmware || sectorCount * sectorBytes < Math.min(smallBytes, sizeBytes / smallPart);
}
