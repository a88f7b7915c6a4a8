import { BadCommand } from "./bad-command.ts";
import type { Cursor } from "./cursor.ts";

/** `*`, the largest number in use: larger than every other. */
const star = Number.POSITIVE_INFINITY;

/** A range with its smaller end first. */
export type Range = readonly [from: number, to: number];

/** Message numbers or UIDs (RFC 9051 §9 sequence-set); `$` stands for the saved result (SEARCHRES, RFC 5182). */
export type SequenceSet = "$" | readonly Range[];

const setPattern = /\$|[0-9*][0-9*:,]*/y;
const rangePattern = /^(\*|[1-9][0-9]{0,9})(?::(\*|[1-9][0-9]{0,9}))?$/;

export function readSequenceSet(cursor: Cursor): SequenceSet {
  const text = cursor.take(setPattern);
  if (text === undefined) throw cursor.bad("a set of messages");
  return parseSequenceSet(text, cursor.limits.ranges);
}

/** Without `$` and `*`: the UIDs that a client knows (RFC 7162 known-uids). */
export function readUidSet(cursor: Cursor): readonly Range[] {
  const set = readSequenceSet(cursor);
  if (set === "$" || set.some(([, to]) => to === star)) throw new BadCommand("a set of UIDs has only numbers");
  return set;
}

export function parseSequenceSet(text: string, mostRanges: number): SequenceSet {
  if (text === "$") return "$";
  const words = text.split(",", mostRanges + 1);
  if (words.length > mostRanges) throw new BadCommand("a set of messages has too many ranges");
  return words.map((word): Range => {
    const found = rangePattern.exec(word);
    if (found === null) throw new BadCommand(`"${word.slice(0, 24)}" is no range of messages`);
    const [first, second] = [numberOf(found[1]), numberOf(found[2] ?? found[1])];
    return first <= second ? [first, second] : [second, first];
  });
}

function numberOf(text = ""): number {
  if (text === "*") return star;
  const value = Number(text);
  if (value > 0xffff_ffff) throw new BadCommand(`the number ${text} is too large`);
  return value;
}

/** Ranges in ascending order, none touching another: what is tested against, and what is sent. */
export function mergedRanges(ranges: readonly Range[]): readonly Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** `*` as what it stands for. An empty mailbox has no number at all: then the set is empty. */
export function resolved(ranges: readonly Range[], largest: number): readonly Range[] {
  if (largest === 0) return [];
  return mergedRanges(
    ranges.map(([from, to]): Range => {
      const [a, b] = [from === star ? largest : from, to === star ? largest : to];
      return a <= b ? [a, b] : [b, a];
    }),
  );
}

/** Whether a number is in ranges that `mergedRanges` made. */
export function isIn(ranges: readonly Range[], value: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.[1] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range[0] <= value;
}

/** `1:3,7`: the numbers in the order in which they come, runs joined. */
export function sequenceText(numbers: readonly number[]): string {
  const words: string[] = [];
  for (let index = 0; index < numbers.length;) {
    const first = numbers[index] ?? 0;
    let last = first;
    for (index += 1; numbers[index] === last + 1; index++) last += 1;
    words.push(first === last ? `${first}` : `${first}:${last}`);
  }
  return words.join(",");
}
