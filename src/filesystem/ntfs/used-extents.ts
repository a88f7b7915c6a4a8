import { Bitmap } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import type { Extent } from "../file-system.ts";
import { secondAt, type NtfsGeometry } from "./geometry.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import { recordNumbers } from "./records.ts";
import { readStream } from "./stream.ts";
import { systemStream } from "./volume.ts";

const pieceBytes = 1024 * 1024;

/** A part of $Bitmap. */
export interface BitmapPiece {
  /** The cluster of its first bit. */
  readonly first: number;
  readonly bits: Bitmap;
}

/** $Bitmap, in pieces, one bit a cluster. Throws `damaged` where it is too short. */
export async function* bitmapPieces(source: NtfsSource): AsyncGenerator<BitmapPiece> {
  const { clusterCount } = source.geometry;
  const what = "the bitmap of clusters";
  const stream = await systemStream(source, recordNumbers.bitmap, what);
  if (stream.dataBytes * 8 < clusterCount) {
    throw damaged(what, `it has ${stream.dataBytes * 8} bits, ${clusterCount} are needed`);
  }
  for (let first = 0; first < clusterCount; first += pieceBytes * 8) {
    const count = Math.min(pieceBytes * 8, clusterCount - first);
    yield { first, bits: new Bitmap(count, await readStream(source, stream, first / 8, Math.ceil(count / 8))) };
  }
}

export async function countFreeClusters(source: NtfsSource): Promise<number> {
  let free = 0;
  for await (const { bits } of bitmapPieces(source)) free += bits.length - bits.countSet();
  return free;
}

/** Runs of set bits, neighbours joined. */
async function* usedRuns(source: NtfsSource): AsyncGenerator<{ readonly start: number; readonly end: number }> {
  let open = { start: 0, end: 1 }; // the boot sector, whatever the bitmap says
  for await (const { first, bits } of bitmapPieces(source)) {
    for (let bit = bits.nextSet(0); bit >= 0;) {
      const clear = bits.nextClear(bit);
      const end = clear < 0 ? bits.length : clear;
      if (first + bit <= open.end) open = { start: open.start, end: Math.max(open.end, first + end) };
      else {
        yield open;
        open = { start: first + bit, end: first + end };
      }
      bit = bits.nextSet(end);
    }
  }
  yield open;
}

/** Clusters in use, as $Bitmap tells; and the second boot sector behind them, where the device has one. */
export async function* usedExtents(source: NtfsSource): AsyncGenerator<Extent> {
  const { geometry, reader } = source;
  const { clusterBytes } = geometry;
  const second = placeOfSecond(geometry, reader.sizeBytes);
  let open: Extent | undefined;
  for await (const { start, end } of usedRuns(source)) {
    if (open !== undefined) yield open;
    open = { startBytes: start * clusterBytes, lengthBytes: (end - start) * clusterBytes };
  }
  if (open === undefined || second === undefined) {
    if (open !== undefined) yield open;
  } else if (open.startBytes + open.lengthBytes === second.startBytes) {
    yield { startBytes: open.startBytes, lengthBytes: open.lengthBytes + second.lengthBytes };
  } else {
    yield open;
    yield second;
  }
}

/** Where the second boot sector is; undefined where the device ends before. */
export function placeOfSecond(geometry: NtfsGeometry, deviceBytes: number): Extent | undefined {
  const place = { startBytes: secondAt(geometry), lengthBytes: geometry.sectorBytes };
  return place.startBytes + place.lengthBytes > deviceBytes ? undefined : place;
}
