import { readBytes } from "../../../device/index.ts";
import { differences, type PlannedWrite } from "../../planned-write.ts";
import type { ClusterRun } from "../../cluster-run.ts";
import { placeInRuns } from "../directory-sets.ts";
import { clusterAt, type ExfatLayout } from "../layout.ts";
import { bootSector, slotBytes, volumeFlags } from "../records.ts";
import { slotStages, stageBytes, type RetireOrder } from "./directory-stages.ts";
import type { DirectoryImage } from "./directory-image.ts";
import type { ExfatVolume } from "./exfat-volume.ts";
import { planTable } from "./table-plan.ts";

/**
 * All writes of a commit, in stages that reach the device one after the other, so that at every moment all that was
 * there before and is not taken away can be found: what is new comes first, then what leads to it, then what is freed.
 */
export type CommitPlan = readonly Iterable<PlannedWrite>[];

/** What has to be written so that the device has all changes; the first stage is for the mark alone. */
export async function planCommit(
  volume: ExfatVolume,
  directories: readonly DirectoryImage[],
  order: RetireOrder,
): Promise<CommitPlan> {
  const { layout, bitmapRuns } = volume;
  const table = await planTable(volume);
  const state = await planState(volume);
  const { known, grown, final } = volume.bitmapStages;
  const inBitmap = (before: Uint8Array, after: Uint8Array): PlannedWrite[] => {
    return differences(before, after, layout.sectorBytes).flatMap((write) => placed(layout, bitmapRuns, write));
  };
  const plans = directories.map((image) => planDirectory(layout, image, order));
  const stage = (n: number): PlannedWrite[] => plans.flatMap((plan) => plan[n] ?? []);
  const retiring = Array.from({ length: order.rankCount }, (_, rank) => stage(2 + rank));
  return [
    state.open,
    freshWrites(layout, directories, stage(0)),
    [...inBitmap(known, grown), ...table.additions],
    stage(1),
    ...retiring,
    table.links,
    stage(2 + order.rankCount),
    [...table.cuts, ...inBitmap(grown, final)],
    state.close,
  ];
}

/** New directories may be many: their clusters are laid out one after the other. */
function* freshWrites(
  layout: ExfatLayout,
  directories: readonly DirectoryImage[],
  cleared: readonly PlannedWrite[],
): Generator<PlannedWrite> {
  yield* cleared;
  const inOrder = directories.toSorted((a, b) => (a.runs[0]?.start ?? 0) - (b.runs[0]?.start ?? 0));
  for (const image of inOrder) yield* freshClusters(layout, image);
}

/** The clusters of a directory that the device does not know of. */
function* freshClusters(layout: ExfatLayout, image: DirectoryImage): Generator<PlannedWrite> {
  const { clusterBytes } = layout;
  for (let at = image.knownSlots * slotBytes; at < image.capacity * slotBytes; at += clusterBytes) {
    const bytes = new Uint8Array(clusterBytes);
    bytes.set(image.bytes.subarray(at, at + clusterBytes));
    yield { at: placeInRuns(layout, image.runs, at), bytes };
  }
}

/**
 * The writes of each stage within what the device has of a directory: zeros behind its end, new sets, old sets of files
 * that have new ones (in as many stages as there are ranks), changes.
 */
function planDirectory(layout: ExfatLayout, image: DirectoryImage, order: RetireOrder): readonly PlannedWrite[][] {
  const { before } = image;
  if (before === undefined) return [];
  const stages = slotStages(image, order);
  const plans: PlannedWrite[][] = [];
  let last: Uint8Array = before;
  for (let stage = 0; stage <= 2 + order.rankCount; stage++) {
    const next = stageBytes(image, before, stages, stage);
    const writes = differences(last, next, layout.sectorBytes).flatMap((write) => {
      return bySector(layout, write).flatMap((sector) => placed(layout, image.runs, sector));
    });
    plans.push(stage === 1 ? writes.toReversed() : writes); // what is before a new set ends the directory still
    last = next;
  }
  return plans;
}

function bySector({ sectorBytes }: ExfatLayout, { at, bytes }: PlannedWrite): PlannedWrite[] {
  const count = Math.ceil(bytes.length / sectorBytes);
  return Array.from({ length: count }, (_, n) => {
    return { at: at + n * sectorBytes, bytes: bytes.subarray(n * sectorBytes, (n + 1) * sectorBytes) };
  });
}

/** A write within clusters where they are on the device. */
function placed(layout: ExfatLayout, runs: readonly ClusterRun[], { at, bytes }: PlannedWrite): PlannedWrite[] {
  const writes: PlannedWrite[] = [];
  let runAt = 0;
  for (const { start, count } of runs) {
    const runEnd = runAt + count * layout.clusterBytes;
    const [from, to] = [Math.max(at, runAt), Math.min(at + bytes.length, runEnd)];
    if (from < to)
      writes.push({ at: clusterAt(layout, start) + from - runAt, bytes: bytes.subarray(from - at, to - at) });
    runAt = runEnd;
  }
  return writes;
}

const percentUnknown = 0xff;

/** The boot sector while the changes are under way, and after them. Its checksum leaves out what changes. */
async function planState(volume: ExfatVolume): Promise<{ open: PlannedWrite[]; close: PlannedWrite[] }> {
  const { device, layout, pool } = volume;
  const sector = await readBytes(device, 0, layout.sectorBytes);
  const { flags, percentInUse } = bootSector.decode(sector);
  const opened = Uint8Array.from(sector);
  bootSector.patch(opened, { flags: (flags | volumeFlags.dirty) & ~volumeFlags.clearToZero });
  const usedCount = layout.clusterCount - pool.freeCount;
  const percent = Math.floor((usedCount * 100) / layout.clusterCount);
  const closed = Uint8Array.from(sector);
  bootSector.patch(closed, {
    flags: flags & ~volumeFlags.clearToZero,
    percentInUse: percentInUse === percentUnknown ? percentUnknown : percent,
  });
  return { open: [{ at: 0, bytes: opened }], close: [{ at: 0, bytes: closed }] };
}
