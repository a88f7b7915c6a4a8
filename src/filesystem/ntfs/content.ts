import { readBytes } from "../../device/index.ts";
import type { DataPiece, FileStretch } from "../../tree/index.ts";
import type { FilePlace } from "../file-system.ts";
import { readParts, stretchesOf } from "../part-reader.ts";
import { unpackLznt1 } from "./packed/index.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import { endOf, indexOfRun, partsIn, type Run } from "./runs.ts";
import { refuseShort, type Stream } from "./stream.ts";

/** The bytes of a stream, holes left out. Throws `damaged`. */
export async function* readContent(source: NtfsSource, stream: Stream, what: string): AsyncGenerator<DataPiece> {
  const { clusterBytes } = source.geometry;
  refuseShort(stream, stream.dataBytes, clusterBytes, what);
  if (stream.value !== undefined) {
    if (stream.value.length > 0) yield { at: 0, bytes: stream.value };
  } else if (stream.unitClusters === 0) {
    yield* readParts(source, partsIn(stream.runs, { from: 0, end: stream.validBytes, clusterBytes }));
  } else {
    for (const unit of unitsOf(stream)) yield* readUnit(source, stream, unit, what);
  }
}

/** Where the pieces of `readContent` will be, adjacent ones as one. */
export function contentStretches(stream: Stream, clusterBytes: number): FileStretch[] {
  if (stream.value !== undefined) return stretchesOf([{ at: 0, deviceAt: 0, lengthBytes: stream.value.length }]);
  if (stream.unitClusters === 0)
    return stretchesOf(partsIn(stream.runs, { from: 0, end: stream.validBytes, clusterBytes }));
  return stretchesOf(unitParts(stream, clusterBytes));
}

/** Where the bytes are on the device; undefined where they do not stand there as they read. */
export function contentPlaces(stream: Stream, clusterBytes: number): FilePlace[] | undefined {
  if (stream.value !== undefined || stream.unitClusters > 0) return undefined;
  return [...partsIn(stream.runs, { from: 0, end: stream.validBytes, clusterBytes })];
}

function* unitParts(stream: Stream, clusterBytes: number): Generator<FilePlace> {
  for (const { first } of unitsOf(stream)) {
    const at = first * clusterBytes;
    const lengthBytes = Math.min(stream.unitClusters * clusterBytes, stream.validBytes - at);
    if (lengthBytes > 0) yield { at, deviceAt: 0, lengthBytes };
  }
}

/** Clusters that are compressed together, of which some are there. */
interface Unit {
  readonly first: number;
  /** The runs that it begins in, and what follows. */
  readonly runIndex: number;
  /** How many of its clusters are there. */
  readonly stored: number;
}

/** The units of a compressed stream that are not all holes. */
function* unitsOf({ runs, unitClusters }: Stream): Generator<Unit> {
  for (let first = 0; first < endOf(runs);) {
    const runIndex = indexOfRun(runs, first);
    const stored = storedClusters(runs, runIndex, first, unitClusters);
    if (stored > 0) {
      yield { first, runIndex, stored };
      first += unitClusters;
      continue;
    }
    // Past all units that lie in the same hole: it can be longer than the volume.
    const run = runs[runIndex];
    const holeUnits = run === undefined ? 1 : Math.floor((run.first + run.count - first) / unitClusters);
    first += Math.max(1, holeUnits) * unitClusters;
  }
}

function storedClusters(runs: readonly Run[], runIndex: number, first: number, unitClusters: number): number {
  let stored = 0;
  for (let n = runIndex; n < runs.length; n++) {
    const run = runs[n];
    if (run === undefined || run.first >= first + unitClusters) break;
    if (run.cluster === undefined) continue;
    stored += Math.min(run.first + run.count, first + unitClusters) - Math.max(run.first, first);
  }
  return stored;
}

async function* readUnit(
  source: NtfsSource,
  { runs, unitClusters, validBytes }: Stream,
  { first, stored }: Unit,
  what: string,
): AsyncGenerator<DataPiece> {
  const { clusterBytes } = source.geometry;
  const at = first * clusterBytes;
  const lengthBytes = Math.min(unitClusters * clusterBytes, validBytes - at);
  if (lengthBytes <= 0) return;
  const packed = new Uint8Array(stored * clusterBytes);
  let done = 0;
  for (const part of partsIn(runs, { from: at, end: at + unitClusters * clusterBytes, clusterBytes })) {
    packed.set(await readBytes(source.reader, part.deviceAt, part.lengthBytes), done);
    done += part.lengthBytes;
  }
  if (stored >= unitClusters) {
    yield { at, bytes: packed.subarray(0, lengthBytes) };
    return;
  }
  const bytes = new Uint8Array(unitClusters * clusterBytes);
  unpackLznt1(packed, bytes, what);
  yield { at, bytes: bytes.subarray(0, lengthBytes) };
}
