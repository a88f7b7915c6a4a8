import { quoted, sequenceText } from "../grammar/index.ts";
import type { NumberedMessage, Session } from "../session/index.ts";
import { partialOf } from "./partial-range.ts";
import type { ReturnOptions } from "./return-options.ts";

export interface ResultForm {
  /** `SEARCH` or `SORT`: the name of the short answer. */
  readonly name: string;
  readonly isByUid: boolean;
  /** Whether the highest modSeq of the result is told. */
  readonly withModSeq: boolean;
  /** Absent: the short answer. */
  readonly options: ReturnOptions | undefined;
}

/** Tells a result, in its order, and saves it where that is asked for. */
export function tellResult(session: Session, result: readonly NumberedMessage[], form: ResultForm): void {
  const { name, isByUid, options, withModSeq } = form;
  const numbers = result.map(({ number, record }) => (isByUid ? record.uid : number));
  const modSeq =
    withModSeq && result.length > 0 ? result.reduce((most, { record }) => Math.max(most, record.modSeq), 0) : 0;
  if (options === undefined) {
    const words = [name, ...numbers, ...(modSeq === 0 ? [] : [`(MODSEQ ${modSeq})`])];
    session.write(`* ${words.join(" ")}\r\n`);
    return;
  }
  if (options.save) session.selected.saved = savedOf(result, options);
  const saysNothing = options.save && !options.min && !options.max && !options.all && !options.count;
  if (saysNothing && options.partial === undefined) return;
  session.write(`* ${extendedText(numbers, options, { tag: session.tag, isByUid, modSeq })}\r\n`);
}

/** RFC 4731 §3.1 and RFC 9394 §3.1. */
function extendedText(
  numbers: readonly number[],
  { min, max, all, count, partial }: ReturnOptions,
  { tag, isByUid, modSeq }: { readonly tag: string; readonly isByUid: boolean; readonly modSeq: number },
): string {
  const words = [`ESEARCH (TAG ${quoted(tag)})`];
  if (isByUid) words.push("UID");
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (min && first !== undefined) words.push(`MIN ${first}`);
  if (max && last !== undefined) words.push(`MAX ${last}`);
  if (all && numbers.length > 0) words.push(`ALL ${sequenceText(numbers)}`);
  if (count) words.push(`COUNT ${numbers.length}`);
  if (partial !== undefined) {
    const part = partialOf(numbers, partial);
    words.push(`PARTIAL (${partial.from}:${partial.to} ${part.length === 0 ? "NIL" : sequenceText(part)})`);
  }
  if (modSeq > 0) words.push(`MODSEQ ${modSeq}`);
  return words.join(" ");
}

/** RFC 5182 §2.1 and §2.4: all of it, unless only the first, the last or a part of it is asked for. */
function savedOf(result: readonly NumberedMessage[], options: ReturnOptions): readonly number[] {
  const uids = result.map(({ record }) => record.uid);
  const isWhole = options.all || options.count || !(options.min || options.max || options.partial !== undefined);
  if (isWhole) return uids.sort((a, b) => a - b);
  const saved = new Set(options.partial === undefined ? [] : partialOf(uids, options.partial));
  if (options.min) for (const uid of uids.slice(0, 1)) saved.add(uid);
  if (options.max) for (const uid of uids.slice(-1)) saved.add(uid);
  return [...saved].sort((a, b) => a - b);
}
