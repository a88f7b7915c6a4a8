import * as fs from "node:fs";
import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { readBytes, type BlockReader } from "../device/index.ts";
import { openFileSystem, probe, recognise, type Extent, type Recognised } from "../filesystem/index.ts";
import { cylindersOf, identifyBootSector, type Partition } from "../partition/index.ts";
import { OpenDisk } from "./open-disk.ts";
import type { DiskReport, FileSystemReport, GeometryReport, PartitionReport } from "./report.ts";

const bootSectorBytes = 512;
const sectorBytes = 512;

/** Looks at a disk without changing it. A damaged file system is told of in the report, not thrown. */
export async function showDisk(path: string, job: JobOptions = {}): Promise<DiskReport> {
  await using disk = await OpenDisk.open(path);
  const { reader, table } = disk;
  const partitions: PartitionReport[] = [];
  for (const partition of table?.partitions ?? []) {
    stopIfAborted(job.signal);
    partitions.push(await reportPartition(disk, partition));
  }
  const fileSystem = (await disk.isWhole()) ? await reportFileSystem(disk.readerOf(undefined)) : undefined;
  const boot = await readBytes(reader, 0, Math.min(bootSectorBytes, reader.sizeBytes));
  const allocatedBytes = allocatedBytesOf(path);
  const geometry = geometryOf(disk);
  return {
    path,
    sizeBytes: reader.sizeBytes,
    ...(allocatedBytes === undefined ? {} : { allocatedBytes }),
    sectorSizeBytes: table?.sectorSizeBytes ?? sectorBytes,
    ...(geometry === undefined ? {} : { geometry }),
    bootCode: identifyBootSector(boot),
    ...(table === undefined ? {} : { table: { kind: table.kind, diskId: table.diskId, problems: table.problems } }),
    partitions,
    ...(fileSystem === undefined ? {} : { fileSystem }),
    unpartitioned: gapsBetween(disk.partitions, reader.sizeBytes),
  };
}

/** The geometry that an MBR's own CHS fields speak of; other disks have none. */
function geometryOf({ reader, table }: OpenDisk): GeometryReport | undefined {
  const geometry = table?.geometry;
  if (geometry === undefined) return undefined;
  const cylinders = cylindersOf(reader.sizeBytes, geometry);
  return { cylinders, ...geometry, usableBytes: cylinders * geometry.heads * geometry.sectors * sectorBytes };
}

/** What a sparse file takes; undefined for a device, which has all its bytes. */
function allocatedBytesOf(path: string): number | undefined {
  const stat = fs.statSync(path);
  return stat.isFile() ? stat.blocks * 512 : undefined;
}

async function reportPartition(disk: OpenDisk, partition: Partition): Promise<PartitionReport> {
  const { number, startBytes, sizeBytes, typeCode, typeName, extended, active, label, guid } = partition;
  const common = {
    number,
    startBytes,
    sizeBytes,
    typeCode: typeof typeCode === "number" ? `0x${typeCode.toString(16).padStart(2, "0")}` : typeCode,
    typeName,
    extended,
    active,
    ...(label === undefined || label === "" ? {} : { name: label }),
    ...(guid === undefined ? {} : { guid }),
  };
  if (extended) return common;
  try {
    const fileSystem = await reportFileSystem(disk.readerOf(number));
    return fileSystem === undefined ? common : { ...common, fileSystem };
  } catch (error) {
    if (error instanceof Failure) return { ...common, problem: error.message };
    throw error;
  }
}

async function reportFileSystem(reader: BlockReader): Promise<FileSystemReport | undefined> {
  if ((await probe(reader)) === undefined) {
    const found = await recognise(reader);
    return found === undefined ? undefined : reportRecognised(found);
  }
  await using fileSystem = await openFileSystem(reader);
  const { kind, label, uuid, sizeBytes, blockSizeBytes, freeBytes, features, notes } = fileSystem.info;
  return {
    kind,
    label,
    ...(uuid === undefined ? {} : { uuid }),
    sizeBytes,
    blockSizeBytes,
    usedBytes: sizeBytes - freeBytes,
    freeBytes,
    features,
    notes,
  };
}

function reportRecognised(found: Recognised): FileSystemReport {
  const { uuid, usedBytes, freeBytes, problems, whyNotRead: _, ...told } = found;
  return {
    ...told,
    ...(uuid === undefined ? {} : { uuid }),
    ...(usedBytes === undefined || freeBytes === undefined ? {} : { usedBytes, freeBytes }),
    ...(problems.length === 0 ? {} : { problems }),
    isOnlyRecognised: true,
  };
}

/** The stretches of a disk that are in none of these partitions. */
function gapsBetween(partitions: readonly Partition[], diskBytes: number): Extent[] {
  const gaps: Extent[] = [];
  let end = 0;
  for (const { startBytes, sizeBytes } of partitions.toSorted((a, b) => a.startBytes - b.startBytes)) {
    const start = Math.min(startBytes, diskBytes);
    if (start > end) gaps.push({ startBytes: end, lengthBytes: start - end });
    end = Math.max(end, startBytes + sizeBytes);
  }
  if (diskBytes > end) gaps.push({ startBytes: end, lengthBytes: diskBytes - end });
  return gaps;
}
