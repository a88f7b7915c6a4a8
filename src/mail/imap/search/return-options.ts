import { BadCommand } from "../grammar/index.ts";
import { parsePartialRange, type PartialRange } from "./partial-range.ts";
import type { TokenReader } from "./token-reader.ts";

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
    if (word === "PARTIAL") partial = parsePartialRange(list.atom("a range"));
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
