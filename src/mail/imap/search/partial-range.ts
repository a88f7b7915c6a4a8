import { BadCommand } from "../grammar/index.ts";

/** Places in a result, the first is 1; below 0 they count from its end, the last is -1 (RFC 9394 §3.1). */
export interface PartialRange {
  readonly from: number;
  readonly to: number;
}

/** `1:100` or `-1:-100`. */
export function parsePartialRange(text: string): PartialRange {
  const [, sign = "", first, second] = /^(-?)([1-9]\d{0,9}):\1([1-9]\d{0,9})$/.exec(text) ?? [];
  if (first === undefined) throw new BadCommand(`"${text.slice(0, 24)}" is no range such as 1:100 or -1:-100`);
  const [low, high] = [Math.min(Number(first), Number(second)), Math.max(Number(first), Number(second))];
  return sign === "" ? { from: low, to: high } : { from: -low, to: -high };
}

/** The part of a result that is asked for, in its order. */
export function partialOf<T>(result: readonly T[], { from, to }: PartialRange): readonly T[] {
  if (from > 0) return result.slice(from - 1, to);
  return result.slice(Math.max(0, result.length + to), Math.max(0, result.length + from + 1));
}
