import { damaged } from "../damaged.ts";
import type { FilePart } from "../part-reader.ts";

/** Clusters of a file that stand together, or that are not there and read as zeros. */
export interface Run {
  /** The first of them, counted in the file. */
  readonly first: number;
  readonly count: number;
  /** The first of them, counted on the volume; undefined of a hole. */
  readonly cluster: number | undefined;
}

/** Windows cannot make a file of more pieces. */
const runLimit = 1_500_000;
/** Numbers of more bytes than this count more clusters than there can be. */
const numberLimitBytes = 6;

/**
 * Decodes mapping pairs behind the runs that are there already: lengths, and distances from the place before. Throws
 * `damaged` where they make no sense or leave the volume.
 */
export function decodeRuns(pairs: Uint8Array, runs: Run[], clusterCount: number, what: string): void {
  const raw = Buffer.from(pairs.buffer, pairs.byteOffset, pairs.length);
  const last = runs.at(-1);
  let first = last === undefined ? 0 : last.first + last.count;
  let cluster = 0;
  for (let at = 0; at < raw.length;) {
    const header = raw[at] ?? 0;
    if (header === 0) return;
    const [lengthSize, offsetSize] = [header & 0xf, header >>> 4];
    const end = at + 1 + lengthSize + offsetSize;
    if (lengthSize === 0 || lengthSize > numberLimitBytes || offsetSize > numberLimitBytes || end > raw.length) {
      throw damaged(what, "the list of its clusters makes no sense");
    }
    const count = raw.readUIntLE(at + 1, lengthSize);
    if (count === 0) throw damaged(what, "the list of its clusters has a run of none");
    if (offsetSize > 0) cluster += raw.readIntLE(at + 1 + lengthSize, offsetSize);
    if (offsetSize > 0 && (cluster < 0 || cluster + count > clusterCount)) {
      throw damaged(what, `its clusters ${cluster} to ${cluster + count} are not in the volume`);
    }
    if (runs.length >= runLimit) throw damaged(what, `it is in more than ${runLimit} pieces`);
    runs.push({ first, count, cluster: offsetSize === 0 ? undefined : cluster });
    first += count;
    if (!Number.isSafeInteger(first)) throw damaged(what, "it has more clusters than can be counted");
    at = end;
  }
}

/** How many clusters of the file runs tell of. */
export function endOf(runs: readonly Run[]): number {
  const last = runs.at(-1);
  return last === undefined ? 0 : last.first + last.count;
}

/** The index of the run that has a cluster of the file; that of the last one, where none has. */
export function indexOfRun(runs: readonly Run[], fileCluster: number): number {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((runs[middle]?.first ?? 0) <= fileCluster) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where bytes `from` to `end` of a file are on the volume; holes are left out. */
export function* partsIn(
  runs: readonly Run[],
  { from, end, clusterBytes }: { readonly from: number; readonly end: number; readonly clusterBytes: number },
): Generator<FilePart> {
  for (let n = indexOfRun(runs, Math.floor(from / clusterBytes)); n < runs.length; n++) {
    const run = runs[n];
    if (run === undefined || run.first * clusterBytes >= end) return;
    if (run.cluster === undefined) continue;
    const at = Math.max(from, run.first * clusterBytes);
    const until = Math.min(end, (run.first + run.count) * clusterBytes);
    const deviceAt = run.cluster * clusterBytes + (at - run.first * clusterBytes);
    if (at < until) yield { at, deviceAt, lengthBytes: until - at };
  }
}
