import { parseSentDate } from "../../message/index.ts";
import type { MessageRecord } from "../../message-record.ts";
import type { OpenMailbox } from "../../store/index.ts";
import { isIn, type Range, resolved } from "../grammar/index.ts";
import type { NumberedMessage } from "../session/index.ts";
import { dayMs } from "./read-key.ts";
import { costOf, type SearchKey } from "./search-key.ts";

/** Where one searches. */
export interface SearchView {
  readonly mailbox: Pick<OpenMailbox, "summaries" | "matching">;
  /** By number: that of the first is 1. */
  readonly records: readonly MessageRecord[];
  /** UIDs of the saved result. */
  readonly saved: readonly number[];
  readonly now: () => number;
}

/** The messages for which a key holds, in the order of the mailbox. What is cheap to know is asked first. */
export function search(view: SearchView, key: SearchKey): Promise<readonly NumberedMessage[]> {
  const messages = view.records.map((record, index) => ({ number: index + 1, record }));
  return found(view, key, messages);
}

type Messages = readonly NumberedMessage[];

async function found(view: SearchView, key: SearchKey, among: Messages): Promise<Messages> {
  if (among.length === 0) return among;
  switch (key.kind) {
    case "and": {
      let left = among;
      for (const each of byCost(key.keys)) left = await found(view, each, left);
      return left;
    }
    case "or": {
      const matched = new Set<NumberedMessage>();
      for (const each of byCost(key.keys)) {
        const rest = among.filter((message) => !matched.has(message));
        for (const message of await found(view, each, rest)) matched.add(message);
      }
      return among.filter((message) => matched.has(message));
    }
    case "not": {
      const matched = new Set(await found(view, key.key, among));
      return among.filter((message) => !matched.has(message));
    }
    case "text": {
      const uids = await view.mailbox.matching(key.query, uidsOf(among));
      return among.filter(({ record }) => uids.has(record.uid));
    }
    case "date":
      if (key.of === "sent") return sentOn(view, key, among);
      return among.filter(({ record }) => {
        return isOn(key, Math.floor((key.of === "saved" ? record.savedMs : record.receivedMs) / dayMs));
      });
    default: {
      const holds = simpleTest(view, key);
      return among.filter(holds);
    }
  }
}

function byCost(keys: readonly SearchKey[]): readonly SearchKey[] {
  return keys.toSorted((a, b) => costOf(a) - costOf(b));
}

type SimpleKey = Exclude<SearchKey, { readonly kind: "and" | "or" | "not" | "text" | "date" }>;

function simpleTest(view: SearchView, key: SimpleKey): (message: NumberedMessage) => boolean {
  switch (key.kind) {
    case "all":
      return () => true;
    case "none":
      return () => false;
    case "numbers": {
      const ranges = resolved(key.ranges, view.records.length);
      return ({ number }) => isIn(ranges, number);
    }
    case "uids":
      return key.set === "$" ? isSaved(view) : isOneOf(resolved(key.set, view.records.at(-1)?.uid ?? 0));
    case "saved":
      return isSaved(view);
    case "flag":
      return ({ record }) => record.flags.some((flag) => flag.toLowerCase() === key.flag);
    case "age": {
      // RFC 5032 §2: by INTERNALDATE.
      const sinceMs = view.now() - key.seconds * 1000;
      return ({ record }) => (key.is === "younger" ? record.receivedMs >= sinceMs : record.receivedMs <= sinceMs);
    }
    case "size":
      return ({ record }) => (key.is === "larger" ? record.sizeBytes > key.bytes : record.sizeBytes < key.bytes);
    case "modseq":
      return ({ record }) => record.modSeq >= key.least;
    case "emailid":
      return ({ record }) => record.emailId === key.id;
    default:
      return key satisfies never;
  }
}

function isSaved({ saved }: SearchView): (message: NumberedMessage) => boolean {
  const uids = new Set(saved);
  return ({ record }) => uids.has(record.uid);
}

function isOneOf(ranges: readonly Range[]): (message: NumberedMessage) => boolean {
  return ({ record }) => isIn(ranges, record.uid);
}

type DateKey = Extract<SearchKey, { readonly kind: "date" }>;

function isOn({ is, day }: DateKey, other: number): boolean {
  if (is === "on") return other === day;
  return is === "before" ? other < day : other >= day;
}

/** By the day where it was written, whatever its time and zone (RFC 9051 §6.4.4). Without a date it was never sent. */
function sentOn(view: SearchView, key: DateKey, among: Messages): Messages {
  const uids = new Set<number>();
  for (const [uid, { envelope }] of view.mailbox.summaries(uidsOf(among))) {
    const sent = parseSentDate(envelope.date);
    if (sent !== undefined && isOn(key, Math.floor((sent.ms + sent.zoneMinutes * 60_000) / dayMs))) uids.add(uid);
  }
  return among.filter(({ record }) => uids.has(record.uid));
}

function uidsOf(messages: Messages): readonly number[] {
  return messages.map(({ record }) => record.uid);
}
