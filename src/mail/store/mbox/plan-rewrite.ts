import { crc32 } from "node:zlib";
import type { Run } from "./journal.ts";

/** Where a message lies in an mbox. */
export interface Extent {
  /** Of the From_ line. */
  readonly offset: number;
  readonly headerOffset: number;
  readonly bodyOffset: number;
  readonly bodyEnd: number;
  /** Where the next message begins. */
  readonly endOffset: number;
  /** CRC-32 of the header block, by which one sees whether another program has changed it. */
  readonly headerSum: number;
}

/** A message by its UID; 0 is the one that only holds what is known of the mailbox. */
export interface Placed {
  readonly uid: number;
  readonly extent: Extent;
}

export interface Edits {
  /** Header blocks that messages get, by UID. */
  readonly headers?: ReadonlyMap<number, Uint8Array> | undefined;
  readonly removed?: ReadonlySet<number> | undefined;
  /** A message to be put after all others. */
  readonly atEnd?: Uint8Array | undefined;
}

export interface RewritePlan {
  readonly runs: readonly Run[];
  readonly newSizeBytes: number;
  /** Those that stay, where they are then. */
  readonly placed: readonly Placed[];
  /** Whether any is elsewhere than before. */
  readonly isMoved: boolean;
}

/**
 * What is to be written so that messages get other headers, or go. Headers of the same length are put where they are;
 * from the first that is longer or shorter, or goes, everything up to the end is written anew.
 */
export function planRewrite(placed: readonly Placed[], edits: Edits, sizeBytes: number): RewritePlan {
  const runs: Run[] = [];
  const kept: Placed[] = [];
  let tail: Tail | undefined;
  for (const { uid, extent } of placed) {
    const isRemoved = edits.removed?.has(uid) === true;
    const header = edits.headers?.get(uid);
    const growth = header === undefined ? 0 : header.length - (extent.bodyOffset - extent.headerOffset);
    if (isRemoved || growth !== 0) tail ??= new Tail(extent.offset);
    if (isRemoved) continue;
    if (tail === undefined) {
      if (header !== undefined) runs.push({ at: extent.headerOffset, parts: [header] });
      kept.push({ uid, extent: header === undefined ? extent : { ...extent, headerSum: crc32(header) } });
      continue;
    }
    const moved = shifted(extent, { by: tail.end - extent.offset, growth });
    kept.push({ uid, extent: header === undefined ? moved : { ...moved, headerSum: crc32(header) } });
    tail.copy(extent.offset, header === undefined ? extent.endOffset : extent.headerOffset);
    if (header === undefined) continue;
    tail.write(header);
    tail.copy(extent.bodyOffset, extent.endOffset);
  }
  if (edits.atEnd !== undefined) (tail ??= new Tail(sizeBytes)).write(edits.atEnd);
  if (tail === undefined) return { runs, newSizeBytes: sizeBytes, placed: kept, isMoved: false };
  if (tail.parts.length > 0) runs.push({ at: tail.at, parts: tail.parts });
  return { runs, newSizeBytes: tail.end, placed: kept, isMoved: true };
}

/** The same message, so many bytes further on, with a header that is longer by `growth`. */
export function shifted(extent: Extent, { by, growth }: { readonly by: number; readonly growth: number }): Extent {
  return {
    offset: extent.offset + by,
    headerOffset: extent.headerOffset + by,
    bodyOffset: extent.bodyOffset + by + growth,
    bodyEnd: extent.bodyEnd + by + growth,
    endOffset: extent.endOffset + by + growth,
    headerSum: extent.headerSum,
  };
}

/** What comes to lie from a place to the end: parts of the file and new bytes. */
class Tail {
  readonly at: number;
  readonly parts: (Uint8Array | { readonly from: number; readonly to: number })[] = [];
  end: number;

  constructor(at: number) {
    this.at = at;
    this.end = at;
  }

  write(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.end += bytes.length;
  }

  copy(from: number, to: number): void {
    const last = this.parts.at(-1);
    if (last !== undefined && !(last instanceof Uint8Array) && last.to === from) {
      this.parts[this.parts.length - 1] = { from: last.from, to };
    } else if (to > from) this.parts.push({ from, to });
    this.end += to - from;
  }
}
