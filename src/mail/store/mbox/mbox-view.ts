import { Failure } from "../../../base/index.ts";
import type { MessageRecord } from "../../message-record.ts";
import {
  headerEndOf,
  parseMessage,
  parseSummary,
  type MessageStructure,
  type MessageSummary,
} from "../../message/index.ts";
import { structures, summaries, throughIndex, type ContentKind } from "../index-db/index.ts";
import { MailboxView } from "../mailbox-view.ts";
import type { NewMessage } from "../mail-store.ts";
import type {
  Copied,
  FlagChange,
  Flagged,
  MailboxChanges,
  MessageContent,
  OpenMailbox,
  TextQuery,
} from "../open-mailbox.ts";
import { flagsAfter, spelledFlags } from "./flags.ts";
import type { MboxMailbox, MboxSession } from "./mbox-mailbox.ts";
import { changeMailbox, type MboxRoot } from "./mbox-root.ts";
import { noteMove } from "./moves.ts";
import { spelledMailbox } from "./names.ts";
import { watchFile } from "./watch-file.ts";

export interface MboxAccess {
  readonly root: MboxRoot;
  readonly actAs: <T>(work: () => T) => T;
  /** Throws `no-space` where so much more would be more than the quota allows. */
  readonly mustHaveRoom: (sizes: readonly number[]) => void;
}

/** Structures are read from the index, and written to it, so many at a time. */
const structureBatch = 250;
/** Of an mbox that is made by a delivery. */
export const newMboxMode = 0o600;

/** One mbox as one connection sees it. */
export class MboxView implements OpenMailbox {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly uidValidity: number;
  readonly #access: MboxAccess;
  readonly #view: MailboxView;
  readonly #watches = new Set<Disposable>();

  constructor(access: MboxAccess, name: string, isReadOnly: boolean) {
    this.#access = access;
    this.name = spelledMailbox(name);
    const mailbox = access.actAs(() => access.root.look(name));
    this.isReadOnly = isReadOnly || !access.actAs(() => mailbox.isWritable);
    this.uidValidity = mailbox.index.uidValidity;
    this.#view = new MailboxView(mailbox.index);
  }

  get mailboxId(): string {
    return `${this.uidValidity}`;
  }

  get uidNext(): number {
    return this.#view.uidNext;
  }

  get highestModSeq(): number {
    return this.#view.highestModSeq;
  }

  get messages(): readonly MessageRecord[] {
    return this.#view.messages;
  }

  get keywords(): readonly string[] {
    return this.#mailbox.keywords;
  }

  get canAddKeywords(): boolean {
    return !this.isReadOnly;
  }

  get #mailbox(): MboxMailbox {
    return this.#access.actAs(() => this.#access.root.mailbox(this.name));
  }

  sync(): MailboxChanges {
    const { index } = this.#access.actAs(() => this.#access.root.look(this.name));
    if (index.uidValidity === this.uidValidity) return this.#view.catchUp(index);
    throw new Failure("failed", `cannot go on with mailbox "${this.name}": another has taken its place, open it again`);
  }

  watch(onChange: () => void): Disposable {
    const mailbox = this.#mailbox;
    const watch = this.#access.actAs(() => watchFile(mailbox.path, () => mailbox.isUnfinished, onChange));
    this.#watches.add(watch);
    return {
      [Symbol.dispose]: () => {
        this.#watches.delete(watch);
        watch[Symbol.dispose]();
      },
    };
  }

  content(uid: number): MessageContent {
    const bytes = this.#read(uid);
    if (bytes === undefined) {
      throw new Failure("not-found", `cannot read message ${uid} of "${this.name}": it was removed`);
    }
    return {
      sizeBytes: bytes.length,
      read: (from = 0, to = bytes.length) => bytes.subarray(from, to),
      readHeader: () => bytes.subarray(0, headerEndOf(bytes)),
      [Symbol.dispose]() {},
    };
  }

  #read(uid: number): Uint8Array | undefined {
    const { root, actAs } = this.#access;
    return actAs(() => root.guarded(() => root.mailbox(this.name).read(uid)));
  }

  summaries(uids: readonly number[]): Iterable<readonly [uid: number, summary: MessageSummary]> {
    return this.#inBatches(uids, summaries, (bytes) => parseSummary(bytes, true));
  }

  structures(uids: readonly number[]): Iterable<readonly [uid: number, structure: MessageStructure]> {
    return this.#inBatches(uids, structures, parseMessage);
  }

  *#inBatches<T>(
    uids: readonly number[],
    kind: ContentKind<T>,
    parse: (bytes: Uint8Array) => T | undefined,
  ): Iterable<readonly [uid: number, value: T]> {
    const { root, actAs } = this.#access;
    const read = (uid: number): T | undefined => {
      const bytes = this.#read(uid);
      return bytes === undefined ? undefined : parse(bytes);
    };
    for (let at = 0; at < uids.length; at += structureBatch) {
      const { held } = this.#mailbox.index;
      const wanted = uids.slice(at, at + structureBatch).flatMap((uid) => held.get(uid)?.record ?? []);
      yield* throughIndex(wanted, { database: root.database, kind, read, act: actAs });
    }
  }

  matching(query: TextQuery, uids: readonly number[]): Promise<ReadonlySet<number>> {
    return this.#mailbox.texts.search(query, uids, {
      act: (work) => this.#access.actAs(work),
      read: (uid) => this.#read(uid),
    });
  }

  async setFlags(uids: readonly number[], change: FlagChange): Promise<Flagged> {
    const own = this.#ownUids(uids);
    const flagged = await this.#change((session, mailbox) => changeFlags(mailbox, session, { uids: own, change }));
    this.#view.replace(flagged.changed);
    return flagged;
  }

  async copy(uids: readonly number[], target: string): Promise<Copied> {
    const { root, actAs, mustHaveRoom } = this.#access;
    actAs(() => root.mailbox(target));
    const found = this.#ownUids(uids).flatMap((uid) => this.#messageOf(uid) ?? []);
    mustHaveRoom(found.map(({ message }) => message.content.length));
    const messages = found.map(({ message }) => message);
    const added = await changeMailbox(
      root,
      target,
      (session, mailbox) => ({ uids: mailbox.add(session, messages), uidValidity: mailbox.index.uidValidity }),
      { actAs, createMode: newMboxMode },
    );
    return { ...added, sourceUids: found.map(({ uid }) => uid) };
  }

  async move(uids: readonly number[], target: string): Promise<Copied> {
    this.#mustWrite();
    const { root, actAs } = this.#access;
    actAs(() => root.mailbox(target));
    const found = this.#ownUids(uids).flatMap((uid) => this.#messageOf(uid) ?? []);
    using noted = new DisposableStack();
    const added = await changeMailbox(
      root,
      target,
      (session, mailbox) => {
        const numbered = found.map(({ uid, emailId }, index) => {
          return { sourceUid: uid, uid: session.base.lastUid + 1 + index, emailId };
        });
        const names = { source: this.name, target: spelledMailbox(target) };
        noted.use(noteMove(root, { pid: process.pid, ...names, messages: numbered }));
        const newUids = mailbox.add(
          session,
          found.map(({ message }) => message),
        );
        return { uids: newUids, uidValidity: mailbox.index.uidValidity };
      },
      { actAs, createMode: newMboxMode },
    );
    const sourceUids = found.map(({ uid }) => uid);
    await this.#remove(sourceUids, () => true);
    return { ...added, sourceUids };
  }

  async expunge(uids: readonly number[] = this.messages.map(({ uid }) => uid)): Promise<readonly number[]> {
    const own = this.#ownUids(uids);
    if (own.length === 0) this.#mustWrite();
    return this.#remove(own, ({ flags }) => flags.includes("\\Deleted"));
  }

  async #remove(uids: readonly number[], isToGo: (record: MessageRecord) => boolean): Promise<readonly number[]> {
    const gone = await this.#change((session, mailbox) => {
      const removed = uids.filter((uid) => {
        const held = mailbox.index.held.get(uid);
        return held !== undefined && isToGo(held.record);
      });
      if (removed.length > 0) mailbox.edit(session, { removed: new Set(removed) });
      return removed;
    });
    this.#view.remove(new Set(gone));
    return [...gone].sort((a, b) => a - b);
  }

  vanishedSince(modSeq: number): readonly number[] {
    return this.#access.actAs(() => this.#mailbox.index.vanishedSince(modSeq));
  }

  async #change<T>(work: (session: MboxSession, mailbox: MboxMailbox) => T): Promise<T> {
    this.#mustWrite();
    const { root, actAs } = this.#access;
    const isThere = actAs(() => root.look(this.name).index.held.size > 0);
    // An INBOX without its file: nothing can be changed in it, and none is made for that.
    const create = isThere ? {} : { createMode: newMboxMode };
    return changeMailbox(root, this.name, work, { actAs, ...create });
  }

  #messageOf(
    uid: number,
  ): { readonly uid: number; readonly emailId: string; readonly message: NewMessage } | undefined {
    const content = this.#read(uid);
    const record = this.#mailbox.index.held.get(uid)?.record;
    if (content === undefined || record === undefined) return undefined;
    const { flags, receivedMs, emailId } = record;
    return { uid, emailId, message: { content, flags, receivedMs } };
  }

  #ownUids(uids: readonly number[]): readonly number[] {
    return uids.filter((uid) => this.#view.has(uid));
  }

  #mustWrite(): void {
    if (!this.isReadOnly) return;
    throw new Failure("refused", `cannot change mailbox "${this.name}": it is open for reading only`);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
    this.#watches.clear();
  }
}

interface FlagsToChange {
  readonly uids: readonly number[];
  readonly change: FlagChange;
}

function changeFlags(mailbox: MboxMailbox, session: MboxSession, { uids, change }: FlagsToChange): Flagged {
  const { unchangedSince } = change;
  const given = spelledFlags(change.flags);
  const listing = change.mode === "remove" ? session : mailbox.withKeywords(session, given);
  const held = uids.flatMap((uid) => mailbox.index.held.get(uid)?.record ?? []);
  const isHeldBack = ({ modSeq }: MessageRecord): boolean => unchangedSince !== undefined && modSeq > unchangedSince;
  const after = new Map<number, readonly string[]>();
  for (const record of held) {
    if (isHeldBack(record)) continue;
    const flags = flagsAfter(record.flags, { mode: change.mode, flags: given }, listing.base.keywords);
    if (flags.join(" ") !== record.flags.join(" ")) after.set(record.uid, flags);
  }
  if (after.size > 0) {
    const edits = Array.from(after, ([uid, flags]) => ({ uid, flags }));
    const first = listing === session ? undefined : session.placed[0]?.uid;
    const listed = first === undefined || after.has(first) ? edits : [...edits, { uid: first }];
    mailbox.edit(listing, { headers: mailbox.headers(listing, listed) }, after);
  }
  const modified = held.filter(isHeldBack).map(({ uid }) => uid);
  const changed = held
    .filter((record) => !isHeldBack(record))
    .flatMap(({ uid }) => mailbox.index.held.get(uid)?.record ?? []);
  return { changed, modified };
}
