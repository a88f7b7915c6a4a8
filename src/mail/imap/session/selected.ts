import type { MessageRecord } from "../../message-record.ts";
import type { MailboxChanges, OpenMailbox } from "../../store/index.ts";
import { BadCommand, resolved, type SequenceSet, sequenceText } from "../grammar/index.ts";
import { flagsText, permanentFlagsText } from "./flags.ts";

/** A message with its number, as the client knows it. */
export interface NumberedMessage {
  readonly number: number;
  readonly record: MessageRecord;
}

/** How this client wants changes to be told. */
export interface Telling {
  /** QRESYNC: VANISHED with UIDs in place of EXPUNGE. */
  readonly vanished: boolean;
  readonly modSeq: boolean;
  readonly uid: boolean;
}

/**
 * The selected mailbox as the client knows it. Its numbers change only by what was told: a message that another removed
 * keeps its number until EXPUNGE may be sent (RFC 9051 §7.5.1).
 */
export class Selected {
  readonly mailbox: OpenMailbox;
  /** UIDs of the saved result (SEARCHRES, RFC 5182). */
  saved: readonly number[] = [];
  /** The mailbox's own array where that is what the client knows: 500 idle clients have one in common. */
  #records: readonly MessageRecord[];
  #copy: MessageRecord[] | undefined;
  readonly #vanished = new Set<number>();
  #keywords: number;

  constructor(mailbox: OpenMailbox) {
    this.mailbox = mailbox;
    this.#records = mailbox.messages;
    this.#keywords = mailbox.keywords.length;
  }

  /** By number: that of the first is 1. */
  get records(): readonly MessageRecord[] {
    return this.#records;
  }

  /** 0 for a UID that the client does not know. */
  numberOf(uid: number): number {
    const index = this.#indexFrom(uid);
    return this.#records[index]?.uid === uid ? index + 1 : 0;
  }

  /** The messages of a set; numbers that are not there are a mistake of the client, UIDs are not. */
  messagesOf(set: SequenceSet, { isByUid }: { readonly isByUid: boolean }): readonly NumberedMessage[] {
    const found: NumberedMessage[] = [];
    const take = (from: number, to: number): void => {
      for (let index = from; index < to; index++) {
        const record = this.#records[index];
        if (record !== undefined) found.push({ number: index + 1, record });
      }
    };
    if (set === "$") {
      const saved = this.saved.map((uid) => this.numberOf(uid)).filter((number) => number > 0);
      for (const number of saved) take(number - 1, number);
      return found;
    }
    const count = this.#records.length;
    const largest = isByUid ? (this.#records.at(-1)?.uid ?? 0) : count;
    if (!isByUid && set.some(([from]) => from > count && Number.isFinite(from))) throw noSuchNumber(count);
    if (!isByUid && set.some(([, to]) => to > count && (Number.isFinite(to) || count === 0))) throw noSuchNumber(count);
    for (const [from, to] of resolved(set, largest)) {
      if (isByUid) take(this.#indexFrom(from), this.#indexFrom(to + 1));
      else take(from - 1, to);
    }
    return found;
  }

  /** Looks at what others did; the lines that tell it. */
  sync(telling: Telling, { mayExpunge }: { readonly mayExpunge: boolean }): string {
    const changes = this.mailbox.sync();
    for (const uid of changes.vanished) this.#vanished.add(uid);
    const gone = mayExpunge && this.#vanished.size > 0 ? this.#takeOut([...this.#vanished], telling) : "";
    const text = gone + this.#keywordsText() + this.#appearedText(changes) + this.changedText(changes.changed, telling);
    if (this.#vanished.size === 0) [this.#records, this.#copy] = [this.mailbox.messages, undefined];
    return text;
  }

  /** After an own EXPUNGE or MOVE. */
  removedText(uids: readonly number[], telling: Telling): string {
    return this.#takeOut(uids, telling);
  }

  /** After an own change of flags: takes the records, and tells them. */
  changedText(records: readonly MessageRecord[], telling: Telling): string {
    let text = this.#keywordsText();
    for (const record of records) {
      const number = this.take(record);
      if (number > 0) text += fetchText({ number, record }, telling);
    }
    return text;
  }

  /** Takes a record in place of the one of the same message; its number. */
  take(record: MessageRecord): number {
    const number = this.numberOf(record.uid);
    if (number > 0) this.#own()[number - 1] = record;
    return number;
  }

  #appearedText({ appeared }: MailboxChanges): string {
    if (appeared.length === 0) return "";
    this.#records = [...this.#records, ...appeared];
    return `* ${this.#records.length} EXISTS\r\n`;
  }

  #takeOut(uids: readonly number[], { vanished }: Telling): string {
    const known = uids.filter((uid) => this.numberOf(uid) > 0).sort((a, b) => a - b);
    for (const uid of uids) this.#vanished.delete(uid);
    if (known.length === 0) return "";
    const numbers = known.map((uid) => this.numberOf(uid));
    const gone = new Set(known);
    this.#records = this.#records.filter((record) => !gone.has(record.uid));
    this.saved = this.saved.filter((uid) => !gone.has(uid));
    if (vanished) return `* VANISHED ${sequenceText(known)}\r\n`;
    // From the last to the first, so that each number still holds when its turn comes.
    return numbers
      .toReversed()
      .map((number) => `* ${number} EXPUNGE\r\n`)
      .join("");
  }

  /** An array that may be changed. */
  #own(): MessageRecord[] {
    if (this.#copy !== undefined && this.#copy === this.#records) return this.#copy;
    this.#copy = [...this.#records];
    this.#records = this.#copy;
    return this.#copy;
  }

  #keywordsText(): string {
    const { length } = this.mailbox.keywords;
    if (length === this.#keywords) return "";
    this.#keywords = length;
    return flagsText(this.mailbox) + permanentFlagsText(this.mailbox);
  }

  /** Where a UID is, or would be. */
  #indexFrom(uid: number): number {
    let [low, high] = [0, this.#records.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#records[middle]?.uid ?? 0) < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function fetchText({ number, record }: NumberedMessage, telling: Telling): string {
  const uid = telling.uid ? `UID ${record.uid} ` : "";
  const modSeq = telling.modSeq ? ` MODSEQ (${record.modSeq})` : "";
  return `* ${number} FETCH (${uid}FLAGS (${record.flags.join(" ")})${modSeq})\r\n`;
}

function noSuchNumber(count: number): BadCommand {
  return new BadCommand(`there are ${count} messages, and none of that number`);
}
