import { Failure } from "../base/index.ts";
import { number, tarBlockBytes } from "./tar-header.ts";

/** A stretch of a sparse file that the tar stores. */
export interface StoredStretch {
  readonly at: number;
  readonly lengthBytes: number;
}

/** The map of a sparse file may take no more than this before its content. */
export const sparseMapLimitBytes = 16 * 1024 * 1024;

const newline = 0x0a;

// The "old GNU" header: four stretches in the header, 21 in each block that follows.
const headerMapAt = 386;
const headerMapCount = 4;
const headerContinuedAt = 482;
const headerRealSizeAt = 483;
const blockMapCount = 21;
const blockContinuedAt = 504;
const stretchBytes = 24;

export interface SparseMap {
  readonly stretches: readonly StoredStretch[];
  readonly realSizeBytes: number;
  /** How many bytes the map takes behind the header. */
  readonly mapBytes: number;
}

/** The map of an old GNU sparse member whose header is at `at`, or how many bytes from there on it needs to be read. */
export function decodeOldGnuMap(bytes: Buffer, at: number): SparseMap | number {
  const stretches: StoredStretch[] = [];
  appendOldGnu(stretches, bytes, at + headerMapAt, headerMapCount);
  let end = at + tarBlockBytes;
  let isContinued = bytes[at + headerContinuedAt] !== 0;
  while (isContinued) {
    if (end - at > sparseMapLimitBytes) throw new Failure("damaged", "its map of holes has no end");
    if (end + tarBlockBytes > bytes.length) return nextNeed(end - at, tarBlockBytes);
    appendOldGnu(stretches, bytes, end, blockMapCount);
    isContinued = bytes[end + blockContinuedAt] !== 0;
    end += tarBlockBytes;
  }
  const realSizeBytes = number(bytes, at + headerRealSizeAt, 12, "size");
  return { stretches, realSizeBytes, mapBytes: end - at - tarBlockBytes };
}

function appendOldGnu(stretches: StoredStretch[], bytes: Buffer, at: number, limit: number): void {
  for (let n = 0; n < limit; n++) {
    const place = at + n * stretchBytes;
    if (bytes[place] === 0 && bytes[place + 12] === 0) return;
    stretches.push({
      at: number(bytes, place, 12, "map of holes"),
      lengthBytes: number(bytes, place + 12, 12, "map of holes"),
    });
  }
}

/**
 * The map of pax sparse 1.0: decimal numbers, each on its line, in front of the content, filled up to a block.
 * Or how many bytes from `at` on it needs to be read.
 */
export function decodePaxMap(bytes: Buffer, at: number): Omit<SparseMap, "realSizeBytes"> | number {
  const numbers: number[] = [];
  let total = 1;
  let place = at;
  while (numbers.length < total) {
    const end = bytes.indexOf(newline, place);
    if (end < 0) {
      if (bytes.length - at > sparseMapLimitBytes) throw new Failure("damaged", "its map of holes has no end");
      return nextNeed(Math.max(bytes.length - at, tarBlockBytes), 0);
    }
    const line = bytes.toString("latin1", place, Math.min(end, place + 20));
    if (!/^\d{1,16}$/.test(line)) throw new Failure("damaged", "its map of holes is no list of numbers");
    if (numbers.length === 0) total = 1 + 2 * Number(line);
    numbers.push(Number(line));
    place = end + 1;
    if (place - at > sparseMapLimitBytes) throw new Failure("damaged", "its map of holes has no end");
  }
  const mapBytes = Math.ceil((place - at) / tarBlockBytes) * tarBlockBytes;
  return { stretches: stretchesOf(numbers.slice(1)), mapBytes };
}

/** Twice as much as was there: a long map is not read anew for each of its blocks. */
function nextNeed(haveBytes: number, atLeastBytes: number): number {
  return Math.max(haveBytes * 2, haveBytes + atLeastBytes);
}

/** Offsets and lengths by turns. */
export function stretchesOf(numbers: readonly number[]): StoredStretch[] {
  if (numbers.length % 2 !== 0) throw new Failure("damaged", "its map of holes has an odd count of numbers");
  const stretches: StoredStretch[] = [];
  for (let n = 0; n < numbers.length; n += 2) {
    stretches.push({ at: numbers[n] as number, lengthBytes: numbers[n + 1] as number });
  }
  return stretches;
}

/** Those that hold something; refuses what is out of order, passes the file's end or does not add up. */
export function checkedStretches(map: Omit<SparseMap, "mapBytes">, storedBytes: number): readonly StoredStretch[] {
  let end = 0;
  let sum = 0;
  for (const { at, lengthBytes } of map.stretches) {
    if (at < end || !Number.isSafeInteger(at + lengthBytes))
      throw new Failure("damaged", "its map of holes is out of order");
    end = at + lengthBytes;
    sum += lengthBytes;
  }
  if (end > map.realSizeBytes) throw new Failure("damaged", "its map of holes passes its end");
  if (sum !== storedBytes) throw new Failure("damaged", `its map of holes counts ${sum} bytes of ${storedBytes}`);
  return map.stretches.filter((stretch) => stretch.lengthBytes > 0);
}
