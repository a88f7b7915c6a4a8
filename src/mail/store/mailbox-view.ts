import type { MessageRecord } from "../message-record.ts";
import type { MailboxChanges } from "./open-mailbox.ts";

/** A mailbox as it is now, shared by those who look at it; a change makes another array. */
export interface MailboxState {
  readonly messages: readonly MessageRecord[];
  readonly uidNext: number;
  readonly highestModSeq: number;
}

const noChanges: MailboxChanges = { appeared: [], changed: [], vanished: [] };

/** What one connection knows of a mailbox: it stays as it is until it is told to catch up. */
export class MailboxView {
  #messages: readonly MessageRecord[];
  #uidNext: number;
  #highestModSeq: number;

  constructor(state: MailboxState) {
    this.#messages = state.messages;
    this.#uidNext = state.uidNext;
    this.#highestModSeq = state.highestModSeq;
  }

  get messages(): readonly MessageRecord[] {
    return this.#messages;
  }

  get uidNext(): number {
    return this.#uidNext;
  }

  get highestModSeq(): number {
    return this.#highestModSeq;
  }

  catchUp(state: MailboxState): MailboxChanges {
    const changes = this.#messages === state.messages ? noChanges : differences(this.#messages, state.messages);
    this.#messages = state.messages;
    this.#uidNext = state.uidNext;
    this.#highestModSeq = state.highestModSeq;
    return changes;
  }

  /** Takes one's own changes in, and those of nobody else. */
  replace(records: readonly MessageRecord[]): void {
    const byUid = new Map(records.map((record) => [record.uid, record]));
    if (byUid.size > 0) this.#messages = this.#messages.map((record) => byUid.get(record.uid) ?? record);
  }

  remove(uids: ReadonlySet<number>): void {
    if (uids.size > 0) this.#messages = this.#messages.filter((record) => !uids.has(record.uid));
  }

  has(uid: number): boolean {
    return this.find(uid) !== undefined;
  }

  find(uid: number): MessageRecord | undefined {
    return findMessage(this.#messages, uid);
  }
}

/** In a list by ascending UID. */
function findMessage(messages: readonly MessageRecord[], uid: number): MessageRecord | undefined {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = messages[middle];
    if (record === undefined) return undefined;
    if (record.uid === uid) return record;
    if (record.uid < uid) low = middle + 1;
    else high = middle;
  }
  return undefined;
}

function differences(before: readonly MessageRecord[], after: readonly MessageRecord[]): MailboxChanges {
  const appeared: MessageRecord[] = [];
  const changed: MessageRecord[] = [];
  const vanished: number[] = [];
  let at = 0;
  for (const record of after) {
    let old = before[at];
    for (; old !== undefined && old.uid < record.uid; old = before[++at]) vanished.push(old.uid);
    if (old?.uid !== record.uid) {
      appeared.push(record);
      continue;
    }
    at++;
    if (old !== record && (old.modSeq !== record.modSeq || old.flags.join() !== record.flags.join())) {
      changed.push(record);
    }
  }
  for (const old of before.slice(at)) vanished.push(old.uid);
  return { appeared, changed, vanished };
}
