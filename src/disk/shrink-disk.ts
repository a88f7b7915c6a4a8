import * as fs from "node:fs";
import { Failure, type JobOptions } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import { FileDevice, FileReader, SliceDevice, SliceReader, type BlockReader } from "../device/index.ts";
import { openFileSystem, planShrink, probe, shrinkFileSystem, type SizeChange } from "../filesystem/index.ts";
import {
  diskBytesFor,
  endFor,
  readTable,
  resizePartition,
  roomOf,
  type Partition,
  type PartitionTable,
} from "../partition/index.ts";
import { partitionToResize, refuseBroken, type ResizedDisk } from "./resize.ts";
import { whyNotRead } from "./why-not-read.ts";

const sectorBytes = 512;

export interface ShrinkDiskRequest {
  readonly path: string;
  /** The last partition, which alone can be shrunk; the same unless told. */
  readonly partition?: number;
  /** The size that the file comes to; what its content needs unless told. */
  readonly sizeBytes?: number;
  /** Find out what would be done, and change nothing. */
  readonly isRehearsal: boolean;
  readonly nowMs: number;
}

/** The last partition and its table, or a disk without one. */
interface Target {
  readonly table?: PartitionTable;
  readonly partition?: Partition;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** What the disk and its file system come to at most; what the content needs where that is absent. */
  readonly wanted?: { readonly diskBytes: number; readonly fileSystemBytes: number };
}

/**
 * Makes a disk image smaller: the file system in its last partition, the partition, its table, and the file. Whatever is
 * cut off holds nothing by then; what was interrupted is finished by doing it again.
 */
export async function shrinkDisk(request: ShrinkDiskRequest, job: JobOptions = {}): Promise<ResizedDisk> {
  const { path, isRehearsal, nowMs } = request;
  if (fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true) {
    throw new Failure("refused", `cannot shrink "${path}": it is a real disk`);
  }
  if (isRehearsal) {
    await using reader = await FileReader.open(path);
    const target = await targetIn(reader, request);
    const { kind, ...change } = await planFileSystem(reader, path, target);
    return await reportOf(reader, target, { kind, ...change });
  }
  await using device = await FileDevice.openExclusively(path);
  const target = await targetIn(device, request);
  const { kind } = await planFileSystem(device, path, target);
  const seconds = Math.floor(nowMs / 1000);
  const now = { seconds, nanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6) };
  const slice = new SliceDevice(device, target.startBytes, target.sizeBytes);
  const wanted = target.wanted === undefined ? {} : { sizeBytes: target.wanted.fileSystemBytes };
  const report = await reportOf(device, target, {
    kind,
    ...(await shrinkFileSystem(slice, { now, ...wanted, ...job })),
  });
  const { file, partition } = report;
  if (target.table !== undefined && partition !== undefined) {
    await resizePartition(device, target.table, {
      diskBytes: file.afterBytes,
      partition: partition.number,
      endBytes: target.startBytes + partition.afterBytes,
    });
  }
  if (file.afterBytes < file.beforeBytes) await device.setSize(file.afterBytes);
  return report;
}

async function targetIn(reader: BlockReader, request: ShrinkDiskRequest): Promise<Target> {
  const { path, sizeBytes } = request;
  if (sizeBytes !== undefined && sizeBytes > reader.sizeBytes) {
    const [there, asked] = [reader.sizeBytes, sizeBytes].map((size) => `${formatSize(size)} (${size} bytes)`);
    throw new Failure("usage", `cannot shrink "${path}" to ${asked}: it has ${there}`);
  }
  const wantedEnd = sizeBytes === undefined ? undefined : Math.floor(sizeBytes / sectorBytes) * sectorBytes;
  const table = await readTable(reader);
  if (table === undefined) {
    if (request.partition !== undefined) {
      throw new Failure("not-found", `cannot shrink partition ${request.partition} of "${path}": it has no table`);
    }
    const whole = { startBytes: 0, sizeBytes: reader.sizeBytes };
    return wantedEnd === undefined ? whole : { ...whole, wanted: { diskBytes: wantedEnd, fileSystemBytes: wantedEnd } };
  }
  refuseBroken(path, table);
  const partition = partitionToResize(table, request);
  const { startBytes } = partition;
  const { endBytes, followedBy } = await roomOf(reader, table, partition, wantedEnd ?? reader.sizeBytes);
  if (followedBy !== undefined) {
    throw new Failure(
      "refused",
      `cannot shrink partition ${partition.number} of "${path}": partition ${followedBy} is behind it`,
      { hint: "only the end of a disk can be cut off" },
    );
  }
  if (wantedEnd === undefined) return { table, partition, startBytes, sizeBytes: partition.sizeBytes };
  const fileSystemBytes = Math.max(0, Math.min(endBytes - startBytes, partition.sizeBytes));
  const wanted = { diskBytes: wantedEnd, fileSystemBytes };
  return { table, partition, startBytes, sizeBytes: partition.sizeBytes, wanted };
}

async function planFileSystem(
  reader: BlockReader,
  path: string,
  { startBytes, sizeBytes, wanted }: Target,
): Promise<ResizedDisk["fileSystem"]> {
  const slice = new SliceReader(reader, startBytes, sizeBytes);
  if ((await probe(slice)) === undefined) {
    throw new Failure("unsupported", `cannot shrink what is at the end of "${path}": ${await whyNotRead(slice)}`, {
      hint: "disk show tells what is there",
    });
  }
  const change = await planShrink(slice, wanted?.fileSystemBytes);
  await using fileSystem = await openFileSystem(slice);
  return { kind: fileSystem.info.kind, ...change };
}

/** What becomes of partition and file once the file system is as large as this. */
async function reportOf(
  reader: BlockReader,
  target: Target,
  fileSystem: SizeChange & { readonly kind: string },
): Promise<ResizedDisk> {
  const { table, partition, startBytes, wanted } = target;
  const beforeBytes = reader.sizeBytes;
  if (table === undefined || partition === undefined) {
    return { file: { beforeBytes, afterBytes: wanted?.diskBytes ?? fileSystem.afterBytes }, fileSystem };
  }
  const endBytes =
    wanted === undefined ? endFor(table, partition, fileSystem.afterBytes) : startBytes + wanted.fileSystemBytes;
  return {
    file: { beforeBytes, afterBytes: wanted?.diskBytes ?? (await diskBytesFor(reader, table, endBytes)) },
    partition: {
      number: partition.number,
      beforeBytes: partition.sizeBytes,
      afterBytes: endBytes - startBytes,
    },
    fileSystem,
  };
}
