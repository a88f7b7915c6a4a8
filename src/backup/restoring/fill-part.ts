import { Failure } from "../../base/index.ts";
import type { BlockDevice, BlockReader } from "../../device/index.ts";
import {
  growFileSystem,
  makeFileSystem,
  measureFileSystem,
  moveVolume,
  openFileSystem,
  planShrink,
  refitFat,
  roomIn,
  shrinkFileSystem,
  treeOf,
  type FileSystem,
  type NewFileSystem,
} from "../../filesystem/index.ts";
import { defaultGeometry } from "../../partition/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import type { BackupPart } from "../clonezilla/index.ts";
import { plainKind } from "../open-part.ts";
import { compareTrees } from "./compare-trees.ts";
import { comparePart, contentBytesOf, copyPart, readThrough, type PartPlace, type Restoring } from "./copy-part.ts";
import type { Sources } from "./open-source.ts";
import { StackedDevice } from "./stacked-device.ts";

/** Where new ids come from, and what became of the old ones. */
export interface Renewal {
  readonly randomUuid: () => string;
  /** Old ids with the new ones, as `blkid` writes both. */
  readonly ids: Map<string, string>;
}

/** How a partition is brought to its place. */
export interface Filling extends Restoring {
  readonly now: Timestamp;
  readonly sources: Sources;
  /** Disks, partitions and file systems get new ids. */
  readonly renewal?: Renewal;
  /** Read back and compare; what was held in memory of the target is to be forgotten first. */
  readonly verify?: { readonly forgetCached: () => void };
}

export interface FilledPart {
  readonly restoredBytes: number;
  /** What a user should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface FillPlace extends PartPlace {
  /** Where it begins on its disk. */
  readonly startLba: number;
  /** Where it began on its old disk. Absent: it goes to no other disk, and stays as it was. */
  readonly wasLba?: number;
  /** How large it was; absent where the backup does not tell. */
  readonly wasBytes?: number;
  /** The file system is to take all of it. */
  readonly isFilled: boolean;
}

/** The kinds of file systems whose size can be changed, as file names have them. */
const extTags: ReadonlySet<string> = new Set(["ext2", "ext3", "ext4", "ext4dev", "extfs"]);
const dosTags: ReadonlySet<string> = new Set(["vfat", "fat12", "fat16", "fat32", "exfat"]);

export function canResize({ kind }: Pick<BackupPart, "kind">): boolean {
  return extTags.has(kind) || dosTags.has(kind);
}

/** Restores a partition to its place, of whatever size that is. Throws `no-space` where its content does not fit. */
export async function fillPart(filling: Filling, part: BackupPart, place: FillPlace): Promise<FilledPart> {
  const { device, isFilled } = place;
  const isAsItWas = place.wasBytes === device.sizeBytes;
  const contentBytes = canResize(part) && !isAsItWas ? await contentBytesOf(filling, part) : undefined;
  if (contentBytes === undefined) return await copyWhole(filling, part, place);
  const isTooSmall = contentBytes > device.sizeBytes;
  if (!isTooSmall && !(isFilled && contentBytes < device.sizeBytes)) return await copyWhole(filling, part, place);
  if (dosTags.has(part.kind)) return await refitOnto(filling, part, place);
  return isTooSmall ? await shrinkOnto(filling, part, place) : await copyAndGrow(filling, part, place);
}

/** The least that a partition's file system can be made; undefined where it cannot be made smaller. */
export async function leastBytesOf(filling: Filling, part: BackupPart): Promise<number | undefined> {
  if (!canResize(part)) return undefined;
  const source = await filling.sources.open(filling, part);
  try {
    if (extTags.has(part.kind)) return (await planShrink(source, undefined)).afterBytes;
    await using fileSystem = await openFileSystem(source);
    return (await measureFileSystem([treeOf(fileSystem, "/")], await sameKind(fileSystem, filling), {})).sizeBytes;
  } catch (error) {
    if (error instanceof Failure && error.code === "unsupported") return undefined;
    throw error;
  }
}

async function copyWhole(filling: Filling, part: BackupPart, place: FillPlace): Promise<FilledPart> {
  const { restoredBytes, contentBytes } = await copyPart(filling, part, place);
  const { wasBytes = 0 } = place;
  if (part.kind === plainKind && contentBytes < wasBytes) {
    throw new Failure(
      "damaged",
      `cannot restore ${part.name}: ${contentBytes} bytes of it are there, it had ${wasBytes}`,
    );
  }
  await verifyCopy(filling, part, place.device);
  const { device, startLba: toLba, wasLba: fromLba = toLba } = place;
  if (fromLba !== toLba) await moveVolume(device, { fromLba, toLba });
  const isKept = place.isFilled && !canResize(part) && part.kind !== plainKind;
  return { restoredBytes, notes: isKept ? [`${part.name} keeps its size: ${part.kind} is not made larger`] : [] };
}

async function copyAndGrow(filling: Filling, part: BackupPart, place: FillPlace): Promise<FilledPart> {
  const { device, isFresh } = place;
  const { restoredBytes, contentBytes } = await copyPart(filling, part, place);
  await verifyCopy(filling, part, device);
  const { job, now } = filling;
  try {
    await growFileSystem(device, { now, zeroFromBytes: isFresh ? contentBytes : Infinity, ...job });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "unsupported") throw error;
    return { restoredBytes, notes: [`${part.name} keeps its size: ${error.message}`] };
  }
  await verifyStructure(filling, part, device);
  return { restoredBytes, notes: [] };
}

/**
 * Shrinks ext on the way: what lies before the new end is copied; then what lies behind it is moved, from the backup,
 * as if it were on the target.
 */
async function shrinkOnto(filling: Filling, part: BackupPart, place: FillPlace): Promise<FilledPart> {
  const { device } = place;
  const { job, now } = filling;
  const source = await filling.sources.open(filling, part);
  await planShrink(source, device.sizeBytes); // throws where its content does not fit, before anything is written
  const { restoredBytes } = await copyPart(filling, part, place, { cutsOff: true });
  await verifyCopy(filling, part, device);
  await shrinkFileSystem(new StackedDevice(device, source), { now, sizeBytes: device.sizeBytes, ...job });
  await verifyStructure(filling, part, device, { source, changedFromBytes: device.sizeBytes });
  return { restoredBytes, notes: [] };
}

/**
 * FAT and exFAT have tables in front of their files that suit one size. FAT gets others where its kind goes with the new
 * size; else they are made anew, with their files.
 */
async function refitOnto(filling: Filling, part: BackupPart, place: FillPlace): Promise<FilledPart> {
  const { device, startLba } = place;
  await readThrough(filling, part);
  const source = await filling.sources.open(filling, part);
  if (part.kind !== "exfat" && (await refitFat(source, device, { startLba, ...filling.job }))) {
    await verifyStructure(filling, part, device, { source, changedFromBytes: 0 });
    return { restoredBytes: await usedBytesOf(source), notes: [] };
  }
  await using before = await openFileSystem(source);
  const wanted = await sameKind(before, filling, device.sizeBytes);
  const options = { wanted, place: { startLba, geometry: defaultGeometry }, ...filling.job };
  const notes = await makeFileSystem(device, [treeOf(before, "/")], options);
  await verifyStructure(filling, part, device, { source, changedFromBytes: 0 });
  return { restoredBytes: before.info.sizeBytes - before.info.freeBytes, notes };
}

async function usedBytesOf(source: BlockReader): Promise<number> {
  await using fileSystem = await openFileSystem(source);
  return fileSystem.info.sizeBytes - fileSystem.info.freeBytes;
}

/** The same kind with the same label and number; of FAT another kind where that does not go with the size. */
async function sameKind({ info }: FileSystem, { now }: Filling, sizeBytes?: number): Promise<NewFileSystem> {
  const { kind, label, uuid = "0000-0000" } = info;
  const named = { label, uuid, now };
  if (kind === "exfat") return { kind, ...named };
  if (sizeBytes === undefined) return { kind: "fat", ...named };
  const same = { kind: kind as "fat12" | "fat16" | "fat32", ...named };
  return (await isPossible(same, sizeBytes)) ? same : { ...named, kind: "fat" };
}

async function isPossible(wanted: NewFileSystem, sizeBytes: number): Promise<boolean> {
  try {
    await roomIn(sizeBytes, wanted);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === "usage") return false;
    throw error;
  }
}

async function verifyCopy(filling: Filling, part: BackupPart, device: BlockDevice): Promise<void> {
  if (filling.verify === undefined) return;
  await device.flush();
  filling.verify.forgetCached();
  await comparePart(filling, part, device);
}

/** What was changed on the way is not what the backup has byte by byte, but its structure is whole and its files the same. */
async function verifyStructure(
  filling: Filling,
  { name }: BackupPart,
  device: BlockDevice,
  original?: { readonly source: BlockReader; readonly changedFromBytes: number },
): Promise<void> {
  if (filling.verify === undefined) return;
  await device.flush();
  filling.verify.forgetCached();
  await using after = await openFileSystem(device);
  for await (const { severity, message } of after.check()) {
    if (severity === "error") throw new Failure("mismatch", `cannot verify ${name}: ${message}`);
  }
  if (original === undefined) return;
  const { source, changedFromBytes } = original;
  await using before = await openFileSystem(source);
  const difference = await compareTrees({ before, after, changedFromBytes }, filling.job.signal);
  if (difference !== undefined) throw new Failure("mismatch", `cannot verify ${name}: ${difference}`);
}
