import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { MemoryDevice, type BlockDevice } from "../../device/index.ts";
import type { TreeSource } from "../../tree/index.ts";
import { planGeometry } from "./geometry.ts";
import { writeGroups } from "./group-writer.ts";
import { decideProfile, type ExtOptions } from "./profile.ts";
import { writeJournal, writeResizeInode } from "./reserved-inodes.ts";
import { requiredSize, type Need } from "./required-size.ts";
import { TreeBuilder } from "./tree-builder.ts";
import { ExtVolume } from "./volume.ts";

/** What was made. */
export interface MadeExt {
  readonly kind: string;
  readonly uuid: string;
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  readonly freeBlocks: number;
  readonly inodeCount: number;
  readonly usedInodes: number;
  /** What could not be kept, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Makes an ext file system over all of `device` and fills it from `sources`, in their order. The device reads as
 * zeros, or else holds what no longer matters. Throws a `no-space` failure that says how much is needed.
 */
export async function makeExt(
  device: BlockDevice,
  sources: readonly TreeSource[],
  options: ExtOptions & JobOptions,
): Promise<MadeExt> {
  const profile = decideProfile(options, device.sizeBytes);
  const geometry = planGeometry(profile, device.sizeBytes);
  const volume = new ExtVolume(device, profile, geometry, { isVirtual: false });
  await clearInodeTables(volume);
  const warnings = await fill(volume, sources, options);
  if (volume.isOverfull) throw tooLittle(volume, options);
  await volume.inodeTable.flush();
  await writeGroups(volume);
  await volume.out.drain();
  return {
    kind: profile.kind,
    uuid: profile.uuid,
    blockSizeBytes: geometry.blockSizeBytes,
    blockCount: geometry.blockCount,
    freeBlocks: volume.blocks.freeBlocks,
    inodeCount: geometry.inodeCount,
    usedInodes: volume.inodesTaken,
    warnings,
  };
}

const reportGrainBytes = 1024 * 1024;

/** What to ask for in order to get a file system that just holds a tree. */
export interface MeasuredExt {
  /** A whole number of MiB. */
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  readonly inodeCount: number;
}

/** How large a file system must be that has room for `sources` and little more. Nothing is written. */
export async function measureExt(
  sources: readonly TreeSource[],
  options: ExtOptions & JobOptions,
): Promise<MeasuredExt> {
  const profile = decideProfile(options, measuringBytes);
  const geometry = planGeometry(profile, measuringBytes);
  const nowhere = new MemoryDevice(new Uint8Array(0));
  const volume = new ExtVolume(nowhere, profile, geometry, { isVirtual: true });
  await fill(volume, sources, options);
  const { blockSizeBytes } = profile;
  const need = needOf(volume);
  const inodeCount = options.inodeCount ?? Math.ceil(need.inodes * spareInodeFactor);
  return { sizeBytes: requiredSize({ ...options, blockSizeBytes, inodeCount }, need), blockSizeBytes, inodeCount };
}

/** How many bytes of files a new file system of a size has room for. Nothing is written. */
export async function roomInExt(sizeBytes: number, options: ExtOptions): Promise<number> {
  const profile = decideProfile(options, sizeBytes);
  const geometry = planGeometry(profile, sizeBytes);
  const volume = new ExtVolume(new MemoryDevice(new Uint8Array(0)), profile, geometry, { isVirtual: true });
  await fill(volume, [], {});
  const reservedBlocks = Math.ceil((geometry.blockCount * profile.reservedPercent) / 100);
  return (geometry.freeBlocks - volume.blocks.blocksTaken - reservedBlocks) * geometry.blockSizeBytes;
}

/** A measured file system has a few inodes more than files, for whoever adds some. */
const spareInodeFactor = 1.1;
/** A geometry to count in; nothing of it is kept. */
const measuringBytes = 1024 * 1024 * 1024;

function needOf(volume: ExtVolume): Need {
  const journalBlocks = volume.geometry.journalBlocks;
  return { blocks: volume.blocks.blocksTaken - journalBlocks, inodes: volume.inodesTaken };
}

async function clearInodeTables(volume: ExtVolume): Promise<void> {
  const { inodeTables, inodeTableBlocks, blockSizeBytes } = volume.geometry;
  if (volume.profile.lazyInodeTables) return;
  for (const table of inodeTables) {
    await volume.device.zero(table * blockSizeBytes, inodeTableBlocks * blockSizeBytes);
  }
}

async function fill(volume: ExtVolume, sources: readonly TreeSource[], job: JobOptions): Promise<string[]> {
  const warnings: string[] = [];
  const report = progressReporter(sources, job);
  const builder = new TreeBuilder(volume, { onBytes: report, onWarning: (message) => void warnings.push(message) });
  await writeResizeInode(volume);
  await writeJournal(volume);
  for (const source of sources) {
    for await (const batch of source.entries()) {
      stopIfAborted(job.signal);
      for (const entry of batch) await builder.add(entry);
    }
  }
  await builder.finish();
  return warnings;
}

/** Hears of every stretch of content that was taken over; tells of it, and stops where that is asked, now and then. */
function progressReporter(sources: readonly TreeSource[], job: JobOptions): (count: number) => void {
  const totalBytes = sources.reduce<number | undefined>((sum, source) => {
    return sum === undefined || source.totalBytes === undefined ? undefined : sum + source.totalBytes;
  }, 0);
  let doneBytes = 0;
  let toldBytes = 0;
  return (count) => {
    doneBytes += count;
    if (doneBytes - toldBytes < reportGrainBytes) return;
    toldBytes = doneBytes;
    stopIfAborted(job.signal);
    job.onProgress?.({ phase: "filling", doneBytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
  };
}

function tooLittle(volume: ExtVolume, options: ExtOptions): Failure {
  const { sizeBytes } = volume.device;
  const needed = requiredSize({ ...options, blockSizeBytes: volume.blockSizeBytes }, needOf(volume));
  return new Failure(
    "no-space",
    `cannot fill ${volume.profile.kind} of ${sizeBytes} bytes: the files need one of ${needed} bytes (${formatSize(needed)})`,
    { hint: "give it that size, or let --size auto find it" },
  );
}
