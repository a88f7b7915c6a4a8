import { decodeWords, foldText, type Address, type MessageSummary } from "../../message/index.ts";
import type { OpenMailbox } from "../../store/index.ts";
import { BadCommand } from "../grammar/index.ts";
import type { NumberedMessage } from "../session/index.ts";
import type { TokenReader } from "./token-reader.ts";

/** RFC 5256 §3, RFC 5957 §3. */
const sortNames = ["ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"] as const;
type SortName = (typeof sortNames)[number];

export interface SortKey {
  readonly by: SortName;
  readonly isReverse: boolean;
}

/** `(REVERSE DATE SUBJECT)`. */
export function readSortKeys(reader: TokenReader): readonly SortKey[] {
  const list = reader.list("what to sort by");
  const keys: SortKey[] = [];
  do {
    const isReverse = list.accept("REVERSE");
    const word = list.atom("what to sort by").toUpperCase();
    const by = sortNames.find((name) => name === word);
    if (by === undefined) throw new BadCommand(`there is no sort key "${word.slice(0, 24)}"`);
    // The same again changes nothing.
    if (!keys.some((key) => key.by === by)) keys.push({ by, isReverse });
  } while (!list.isAtEnd);
  return keys;
}

/** Sorted by these keys, and what is equal in all by its number. */
export function sorted(
  mailbox: Pick<OpenMailbox, "summaries">,
  messages: readonly NumberedMessage[],
  keys: readonly SortKey[],
): readonly NumberedMessage[] {
  const needsSummary = keys.some(({ by }) => by !== "ARRIVAL" && by !== "SIZE");
  const summaries = new Map(needsSummary ? mailbox.summaries(messages.map(({ record }) => record.uid)) : []);
  const rows = messages.map((message) => {
    const summary = summaries.get(message.record.uid);
    return { message, values: keys.map(({ by }) => valueOf(by, message, summary)) };
  });
  rows.sort((a, b) => {
    for (const [index, { isReverse }] of keys.entries()) {
      const order = compare(a.values[index], b.values[index]);
      if (order !== 0) return isReverse ? -order : order;
    }
    return a.message.number - b.message.number;
  });
  return rows.map(({ message }) => message);
}

type Value = string | number | undefined;

/** Both are of one kind, since they are of one key. */
function compare(a: Value, b: Value): number {
  if (a === b || a === undefined || b === undefined) return 0;
  return a < b ? -1 : 1;
}

function valueOf(by: SortName, { record }: NumberedMessage, summary: MessageSummary | undefined): string | number {
  const envelope = summary?.envelope;
  switch (by) {
    case "ARRIVAL":
      return record.receivedMs;
    case "SIZE":
      return record.sizeBytes;
    case "DATE":
      return summary?.sentMs ?? record.receivedMs;
    case "SUBJECT":
      return foldText(summary?.baseSubject ?? "");
    case "FROM":
      return foldText(envelope?.from[0]?.mailbox ?? "");
    case "TO":
      return foldText(envelope?.to[0]?.mailbox ?? "");
    case "CC":
      return foldText(envelope?.cc[0]?.mailbox ?? "");
    case "DISPLAYFROM":
      return foldText(displayOf(envelope?.from[0]));
    default:
      return foldText(displayOf(envelope?.to[0]));
  }
}

/** RFC 5957 §3: the name as it is shown, else the address; of a group its name. */
function displayOf(address: Address | undefined): string {
  const name = decodeWords(address?.name ?? "");
  if (name !== "") return name;
  const { mailbox = "", host } = address ?? {};
  return host === undefined || host === "" ? mailbox : `${mailbox}@${host}`;
}
