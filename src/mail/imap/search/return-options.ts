import { BadCommand } from "../grammar/index.ts";
import type { TokenReader } from "./token-reader.ts";

/** Places in a result, the first is 1; below 0 they count from its end, the last is -1 (RFC 9394 §3.1). */
export interface PartialRange {
  readonly from: number;
  readonly to: number;
}

/** What is to be told of a result (RFC 4731, 5182, 9394; RFC 9051 §6.4.4). */
export interface ReturnOptions {
  readonly min: boolean;
  readonly max: boolean;
  readonly all: boolean;
  readonly count: boolean;
  readonly save: boolean;
  readonly partial?: PartialRange;
}

export const returnAll: ReturnOptions = { min: false, max: false, all: true, count: false, save: false };

/** `RETURN (MIN COUNT)` where it comes next. Nothing in the parentheses means ALL. */
export function readReturnOptions(reader: TokenReader): ReturnOptions | undefined {
  if (!reader.accept("RETURN")) return undefined;
  const list = reader.list("what to return");
  if (list.isAtEnd) return returnAll;
  const words = new Set<string>();
  let partial: PartialRange | undefined;
  while (!list.isAtEnd) {
    const word = list.atom("what to return").toUpperCase();
    if (word === "PARTIAL") partial = readPartialRange(list);
    else if (!known.has(word)) throw new BadCommand(`there is no return option "${word.slice(0, 24)}"`);
    words.add(word);
  }
  if (partial !== undefined && words.has("ALL")) throw new BadCommand("one of ALL and PARTIAL is enough");
  return {
    min: words.has("MIN"),
    max: words.has("MAX"),
    all: words.has("ALL"),
    count: words.has("COUNT"),
    save: words.has("SAVE"),
    ...(partial === undefined ? {} : { partial }),
  };
}

const known: ReadonlySet<string> = new Set(["MIN", "MAX", "ALL", "COUNT", "SAVE"]);

function readPartialRange(reader: TokenReader): PartialRange {
  const text = reader.atom("a range");
  const [, sign = "", first, second] = /^(-?)([1-9]\d{0,9}):\1([1-9]\d{0,9})$/.exec(text) ?? [];
  if (first === undefined) throw new BadCommand(`"${text.slice(0, 24)}" is no range such as 1:100 or -1:-100`);
  const [low, high] = [Number(first), Number(second)].sort((a, b) => a - b);
  const [from = 0, to = 0] = sign === "" ? [low, high] : [-(low ?? 0), -(high ?? 0)];
  return { from, to };
}

/** The part of a result that is asked for, in its order. */
export function partialOf(result: readonly number[], { from, to }: PartialRange): readonly number[] {
  if (from > 0) return result.slice(from - 1, to);
  return result.slice(Math.max(0, result.length + to), Math.max(0, result.length + from + 1));
}
