import { Failure, OutputFile, stopIfAborted, type JobOptions } from "../base/index.ts";
import { FileDevice, SliceDevice, type BlockDevice } from "../device/index.ts";
import { CoalescingWriter, leftOutOfNtfs, makeSwap } from "../filesystem/index.ts";
import {
  partitionName,
  partitionNumber,
  partOf,
  readFolder,
  type BackupDisk,
  type BackupFolder,
  type BackupPart,
} from "./clonezilla/index.ts";
import { openPart, packedDataOf } from "./open-part.ts";
import { isZero } from "./packed/index.ts";
import { ntfsImage, type Piece } from "./partclone/index.ts";
import { openStore, type StoreAccess } from "./store/index.ts";
import { writeDiskTable } from "./write-disk-table.ts";

export interface RestoreRequest extends StoreAccess {
  /** The folder of the backup. */
  readonly backup: string;
  /** The new image file. */
  readonly target: string;
  /** Only this partition, as a file of its own: a number, or the name that the backup has for it. */
  readonly partition?: string;
  /** Of several disks in one backup. */
  readonly disk?: string;
  /** Of the new disk; that of the old one unless told. */
  readonly sizeBytes?: number;
  readonly force: boolean;
}

export interface RestoredPart {
  readonly name: string;
  readonly kind: string;
  readonly restoredBytes: number;
}

export interface RestoredBackup {
  readonly path: string;
  readonly sizeBytes: number;
  readonly parts: readonly RestoredPart[];
  readonly warnings: readonly string[];
}

/** Restores a disk, or one partition, to a new file, which appears once all is in it and every checksum was right. */
export async function restoreBackup(request: RestoreRequest, job: JobOptions = {}): Promise<RestoredBackup> {
  await using store = await openStore(request.backup, request);
  const folder = await readFolder(store);
  const [problem] = folder.problems;
  if (problem !== undefined) {
    throw new Failure("damaged", `cannot restore "${request.backup}": ${problem}`, {
      hint: "--partition restores single partitions that are there",
    });
  }
  return await (request.partition === undefined
    ? restoreDisk(request, folder, job)
    : restorePart(request, folder, partNamed(request, folder), job));
}

async function restoreDisk(request: RestoreRequest, folder: BackupFolder, job: JobOptions): Promise<RestoredBackup> {
  const disk = chooseDisk(folder, request.disk);
  const sizeBytes = request.sizeBytes ?? disk.sizeBytes;
  await using output = OutputFile.create(request.target, { force: request.force });
  await using device = FileDevice.overNewFile(request.target, output.fd, sizeBytes);
  const warnings = await writeDiskTable(device, folder, disk);
  const progress = progressOf(folder.parts, job);
  const parts: RestoredPart[] = [];
  for (const { number, startLba, sectorCount } of disk.dump.partitions) {
    const name = partitionName(disk.name, number);
    const slice = new SliceDevice(device, startLba * 512, sectorCount * 512);
    const swap = folder.swaps.find((one) => one.name === name);
    const part = partOf(folder, disk, number);
    if (part !== undefined) parts.push(await copyPart(folder, part, slice, { request, job, progress }));
    else if (swap !== undefined) {
      await makeSwap(slice, { uuid: swap.uuid ?? crypto.randomUUID(), label: swap.label });
      parts.push({ name, kind: "swap", restoredBytes: 0 });
    }
  }
  output.commit();
  return { path: request.target, sizeBytes, parts, warnings };
}

/** The only disk, or the one that is named. */
export function chooseDisk({ disks, path }: BackupFolder, name: string | undefined): BackupDisk {
  const [first] = disks;
  const names = disks.map((disk) => disk.name).join(", ");
  if (first === undefined) {
    throw new Failure("unsupported", `cannot restore a disk from "${path}": it is a backup of single partitions`, {
      hint: "--partition restores one of them",
    });
  }
  if (name === undefined && disks.length === 1) return first;
  const found = disks.find((disk) => disk.name === name);
  if (found !== undefined) return found;
  if (name === undefined) {
    throw new Failure("usage", `cannot choose a disk of "${path}": it has several`, {
      hint: `--disk is one of ${names}`,
    });
  }
  throw new Failure("not-found", `cannot find the disk ${name} in "${path}"`, { hint: `it has ${names}` });
}

function partNamed({ partition = "", disk, backup }: RestoreRequest, folder: BackupFolder): BackupPart {
  const hasNumber = /^\d+$/.test(partition);
  const isDisk = folder.disks.length > 0;
  const found =
    hasNumber && isDisk
      ? partOf(folder, chooseDisk(folder, disk), Number(partition))
      : folder.parts.find(({ name }) => name === partition || (hasNumber && numberIn(name) === Number(partition)));
  if (found !== undefined) return found;
  const names = folder.parts.map(({ name }) => name).join(", ");
  throw new Failure("not-found", `cannot find data of partition ${partition} in "${backup}"`, {
    hint: names === "" ? "it has none" : `it has ${names}`,
  });
}

async function restorePart(
  request: RestoreRequest,
  folder: BackupFolder,
  part: BackupPart,
  job: JobOptions,
): Promise<RestoredBackup> {
  await using output = OutputFile.create(request.target, { force: request.force });
  const progress = progressOf([part], job);
  const sizeBytes =
    request.sizeBytes ?? partitionBytes(folder, part) ?? (await contentBytes(folder, part, request.env));
  await using device = FileDevice.overNewFile(request.target, output.fd, sizeBytes);
  const restored = await copyPart(folder, part, device, { request, job, progress });
  output.commit();
  return { path: request.target, sizeBytes, parts: [restored], warnings: [] };
}

/** Of `sda2` and `nvme0n1p2`, whatever disk that is. */
function numberIn(name: string): number {
  return Number(/(?:\dp|[a-z])(\d+)$/.exec(name)?.[1] ?? "NaN");
}

/** By the table of its disk. */
function partitionBytes({ disks }: BackupFolder, part: BackupPart): number | undefined {
  for (const disk of disks) {
    const number = partitionNumber(disk.name, part.name);
    const found = disk.dump.partitions.find((one) => one.number === number);
    if (found !== undefined) return found.sectorCount * 512;
  }
  return undefined;
}

async function contentBytes(folder: BackupFolder, part: BackupPart, env: NodeJS.ProcessEnv): Promise<number> {
  await using stream = await openPart(packedDataOf(folder, part, env), part.kind, () => undefined);
  if (stream.head !== undefined) return stream.head.description.deviceBytes;
  let lengthBytes = 0;
  for await (const batch of stream.batches) for (const { bytes } of batch) lengthBytes += bytes.length;
  return lengthBytes;
}

interface Copying {
  readonly request: RestoreRequest;
  readonly job: JobOptions;
  readonly progress: (name: string, bytes: number) => void;
}

/** Zeros are looked for in stretches of this length: a new file has them already. */
const zeroStretchBytes = 32 * 1024;

async function copyPart(
  folder: BackupFolder,
  part: BackupPart,
  device: BlockDevice,
  { request, job, progress }: Copying,
): Promise<RestoredPart> {
  const { name, kind } = part;
  const data = packedDataOf(folder, part, request.env);
  await using stream = await openPart(data, kind, (bytes) => progress(name, bytes));
  const needed = stream.head === undefined ? 0 : neededBytes(stream.head.description);
  if (needed > device.sizeBytes) throw tooSmall(name, needed, device.sizeBytes);
  const { restoredBytes, end } = await copyBatches(name, stream.batches, device, job);
  if (stream.head?.description.fileSystem === ntfsImage) await writeLeftOut(device);
  if (stream.head === undefined && end < device.sizeBytes && request.sizeBytes === undefined) {
    throw new Failure("damaged", `cannot restore ${name}: ${end} bytes of it are there, it had ${device.sizeBytes}`);
  }
  return { name, kind, restoredBytes };
}

/** The second boot sector of NTFS is in no image of its clusters. */
async function writeLeftOut(device: BlockDevice): Promise<void> {
  const leftOut = await leftOutOfNtfs(device);
  if (leftOut !== undefined) await device.write(leftOut.at, leftOut.bytes);
}

/** Writes what comes. Whether it fails or not, the device is left with nothing in hand. */
async function copyBatches(
  name: string,
  batches: AsyncIterable<readonly Piece[]>,
  device: BlockDevice,
  { signal }: JobOptions,
): Promise<{ readonly restoredBytes: number; readonly end: number }> {
  const writer = new CoalescingWriter(device, device.sizeBytes);
  let restoredBytes = 0;
  let end = 0;
  try {
    for await (const batch of batches) {
      stopIfAborted(signal);
      for (const { at, bytes } of batch) {
        end = Math.max(end, at + bytes.length);
        if (end > device.sizeBytes) throw tooSmall(name, end, device.sizeBytes);
        restoredBytes += bytes.length;
        const waiting = putData(writer, at, bytes);
        if (waiting !== undefined) await waiting;
      }
    }
    await writer.drain();
  } finally {
    await writer.settle();
  }
  return { restoredBytes, end };
}

function neededBytes({ blockBytes, blockCount }: { readonly blockBytes: number; readonly blockCount: number }): number {
  return blockBytes * blockCount;
}

function tooSmall(name: string, needed: number, there: number): Failure {
  return new Failure("no-space", `cannot restore ${name}: it takes ${needed} bytes, its place has ${there}`);
}

/** A promise only where the writer has to be waited for. */
function putData(writer: CoalescingWriter, at: number, bytes: Uint8Array): Promise<void> | undefined {
  let start = 0;
  let waiting: Promise<void> | undefined;
  const flush = (end: number): void => {
    if (end === start) return;
    const [from, part] = [at + start, bytes.subarray(start, end)];
    waiting = waiting === undefined ? writer.put(from, part) : waiting.then(() => writer.put(from, part));
  };
  for (let stretch = 0; stretch < bytes.length; stretch += zeroStretchBytes) {
    const next = Math.min(stretch + zeroStretchBytes, bytes.length);
    if (!isZero(bytes.subarray(stretch, next))) continue;
    flush(stretch);
    start = next;
  }
  flush(bytes.length);
  return waiting;
}

function progressOf(parts: readonly BackupPart[], { onProgress }: JobOptions): (name: string, bytes: number) => void {
  const totalBytes = parts.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
  let doneBytes = 0;
  return (name, bytes) => {
    doneBytes = Math.min(totalBytes, doneBytes + bytes);
    onProgress?.({ phase: `restoring ${name}`, doneBytes, totalBytes });
  };
}
