import { readBytes } from "../../../device/index.ts";
import { differences, type PlannedWrite } from "../../planned-write.ts";
import { bootSector, infoSector, infoSignatures, largeTail, smallTail, stateDirty } from "../boot-sector.ts";
import { slotBytes } from "../directory-entry.ts";
import { slotAt } from "../fat-source.ts";
import { entryBits, type FatLayout } from "../layout.ts";
import { encodeEntries, type TableMarks, type TableWindow } from "../table.ts";
import type { DirectoryImage } from "./directory-image.ts";
import type { FatVolume } from "./fat-volume.ts";

/**
 * All writes of a commit, in stages that reach the device one after the other, so that at every moment all that was
 * there before and is not taken away can be found: what is new comes first, then what leads to it, then what is freed.
 */
export interface CommitPlan {
  /** The file system counts as not closed from here on. */
  readonly open: readonly PlannedWrite[];
  /** Clusters of directories that nothing leads to yet. */
  readonly fresh: Iterable<PlannedWrite>;
  /** Clusters of the table that were free, and chains that grow. */
  readonly additions: readonly PlannedWrite[];
  /** New names, which lead to those. */
  readonly names: readonly PlannedWrite[];
  readonly changes: readonly PlannedWrite[];
  readonly frees: readonly PlannedWrite[];
  readonly close: readonly PlannedWrite[];
}

/** What has to be written so that the device has all changes. */
export async function planCommit(volume: FatVolume, directories: readonly DirectoryImage[]): Promise<CommitPlan> {
  const table = await planTable(volume);
  const plans = directories.map((image) => planDirectory(volume.layout, image));
  const state = await planState(volume);
  return {
    open: [...table.open, ...state.open],
    fresh: freshWrites(volume.layout, directories, plans),
    additions: table.additions,
    names: plans.flatMap(({ names }) => names),
    changes: [...table.changes, ...plans.flatMap(({ changes }) => changes)],
    frees: [...table.frees, ...(await planInfo(volume))],
    close: [...table.close, ...state.close],
  };
}

type TablePlan = Pick<CommitPlan, "open" | "additions" | "changes" | "frees" | "close">;

/** The entry that says whether the file system was closed. */
const stateEntry = 1;

async function planTable(volume: FatVolume): Promise<TablePlan> {
  const { table } = volume;
  const first = await table.window(0);
  const windows = new Set([first, ...table.changed]);
  const plan: Record<keyof TablePlan, PlannedWrite[]> = { open: [], additions: [], changes: [], frees: [], close: [] };
  for (const window of windows) {
    const before = window.before ?? window.entries;
    const stages = stagesOf(before, window.entries, table.marks);
    const opened = window === first ? withState(before, stages, table.marks) : { ...stages, open: before };
    let last = before;
    for (const stage of ["open", "additions", "changes", "frees"] as const) {
      plan[stage].push(...windowWrites(volume.layout, window, last, opened[stage]));
      last = opened[stage];
    }
    plan.close.push(...windowWrites(volume.layout, window, last, window.entries));
  }
  return plan;
}

type TableStages = Record<"additions" | "changes" | "frees", Uint32Array>;

/** The entries after each stage: first clusters that were free and chains that grow, then chains that turn off. */
function stagesOf(before: Uint32Array, after: Uint32Array, { mask, end }: TableMarks): TableStages {
  const additions = Uint32Array.from(before);
  const changes = Uint32Array.from(after);
  for (let n = 0; n < before.length; n++) {
    const was = (before[n] ?? 0) & mask;
    const is = (after[n] ?? 0) & mask;
    if (was === is) continue;
    if (was === 0 || (was >= end && is !== 0)) additions[n] = after[n] ?? 0;
    if (is === 0) changes[n] = before[n] ?? 0;
  }
  return { additions, changes, frees: after };
}

/** The same stages, and one before them, while which the file system counts as not closed. */
function withState(
  before: Uint32Array,
  { additions, changes, frees }: TableStages,
  { closedBit }: TableMarks,
): TableStages & { readonly open: Uint32Array } {
  const marked = (entries: Uint32Array): Uint32Array => {
    const copy = Uint32Array.from(entries);
    copy[stateEntry] = ((copy[stateEntry] ?? 0) & ~closedBit) >>> 0;
    return copy;
  };
  return { open: marked(before), additions: marked(additions), changes: marked(changes), frees: marked(frees) };
}

function windowWrites(layout: FatLayout, window: TableWindow, from: Uint32Array, to: Uint32Array): PlannedWrite[] {
  if (from === to) return [];
  const at = layout.tableAt + (window.first * entryBits[layout.kind]) / 8;
  const differing = differences(encodeEntries(layout.kind, from), encodeEntries(layout.kind, to), layout.sectorBytes);
  const tables = layout.isMirrored ? Array.from({ length: layout.tableCount }, (_, n) => n) : [layout.activeTable];
  return tables.flatMap((table) => {
    return differing.map(({ at: inWindow, bytes }) => ({ at: at + table * layout.tableBytes + inWindow, bytes }));
  });
}

/** New directories may be many: their clusters are laid out one after the other. */
function* freshWrites(
  layout: FatLayout,
  directories: readonly DirectoryImage[],
  plans: readonly DirectoryPlan[],
): Generator<PlannedWrite> {
  for (const { cleared } of plans) yield* cleared;
  for (const image of directories.toSorted((a, b) => a.start - b.start)) yield* freshClusters(layout, image);
}

interface DirectoryPlan {
  /** What follows the end on the device, cleared before the end moves. */
  readonly cleared: readonly PlannedWrite[];
  readonly names: readonly PlannedWrite[];
  readonly changes: readonly PlannedWrite[];
}

function planDirectory(layout: FatLayout, image: DirectoryImage): DirectoryPlan {
  const { before, knownSlots } = image;
  if (before === undefined) return { cleared: [], names: [], changes: [] };
  const after = new Uint8Array(before.length);
  after.set(image.bytes.subarray(0, knownSlots * slotBytes));
  const cleared = Uint8Array.from(before);
  const added = Uint8Array.from(before);
  for (let slot = 0; slot < knownSlots; slot++) {
    const at = slot * slotBytes;
    if (image.wasUsed(slot)) continue;
    added.set(after.subarray(at, at + slotBytes), at);
    if (slot >= image.knownEnd) cleared.fill(0, at, at + slotBytes);
  }
  const writes = (from: Uint8Array, to: Uint8Array): PlannedWrite[] => {
    return differences(from, to, layout.sectorBytes).flatMap((write) => placed(layout, image, write));
  };
  return {
    cleared: writes(before, cleared),
    names: writes(cleared, added).toReversed(), // what stands last first: what is before it ends the directory still
    changes: writes(added, after),
  };
}

/** The clusters of a directory that the device does not know of. */
function* freshClusters(layout: FatLayout, image: DirectoryImage): Generator<PlannedWrite> {
  const { clusterBytes } = layout;
  for (let at = image.knownSlots * slotBytes; at < image.capacity * slotBytes; at += clusterBytes) {
    const bytes = new Uint8Array(clusterBytes);
    bytes.set(image.bytes.subarray(at, at + clusterBytes));
    yield { at: slotAt(layout, image, at), bytes };
  }
}

/** A write within a directory by the sectors of the device. */
function placed(layout: FatLayout, image: DirectoryImage, { at, bytes }: PlannedWrite): PlannedWrite[] {
  const { sectorBytes } = layout;
  const writes: PlannedWrite[] = [];
  for (let done = 0; done < bytes.length; done += sectorBytes) {
    writes.push({ at: slotAt(layout, image, at + done), bytes: bytes.subarray(done, done + sectorBytes) });
  }
  return writes;
}

/** How much is free and where to look for it, where FAT32 has a sector for that. */
async function planInfo({ device, layout, pool }: FatVolume): Promise<PlannedWrite[]> {
  if (layout.infoAt === undefined) return [];
  const sector = await readBytes(device, layout.infoAt, infoSector.sizeBytes);
  const { leadSignature, structureSignature } = infoSector.decode(sector);
  if (leadSignature !== infoSignatures.leadSignature || structureSignature !== infoSignatures.structureSignature)
    return [];
  infoSector.patch(sector, { freeClusters: pool.freeCount, nextFree: pool.next });
  return [{ at: layout.infoAt, bytes: sector }];
}

/** The mark in the boot sector that Linux sets while a file system is mounted. */
async function planState({ device, layout, isLarge }: FatVolume): Promise<Pick<CommitPlan, "open" | "close">> {
  if (layout.isDirty || layout.volumeId === undefined) return { open: [], close: [] };
  const closed = await readBytes(device, 0, bootSector.sizeBytes);
  const opened = Uint8Array.from(closed);
  const tail = isLarge ? largeTail : smallTail;
  tail.patch(opened, { state: tail.get(opened, "state") | stateDirty });
  return { open: [{ at: 0, bytes: opened }], close: [{ at: 0, bytes: closed }] };
}
