import * as fs from "node:fs";
import { Failure, isSystemError } from "../../../base/index.ts";
import type { MessageRecord } from "../../message-record.ts";
import { parseMessage, parseSummary, type MessageStructure, type MessageSummary } from "../../message/index.ts";
import { structures, summaries, throughIndex, type ContentKind } from "../index-db/index.ts";
import { MailboxView } from "../mailbox-view.ts";
import type {
  Copied,
  FlagChange,
  Flagged,
  MailboxChanges,
  MessageContent,
  OpenMailbox,
  TextQuery,
} from "../open-mailbox.ts";
import { changeFlags, expungeDeleted, transferMessages } from "./changes.ts";
import { FileContent } from "./file-content.ts";
import type { MaildirAccess } from "./maildir-access.ts";
import type { MaildirMailbox } from "./maildir-mailbox.ts";
import { ToSync } from "./synced.ts";

/** Structures are read from the index, and written to it, so many at a time. */
const structureBatch = 250;
/** How often a message that others rename is looked for before it counts as gone. */
const openLimit = 10;

const noChanges: MailboxChanges = { appeared: [], changed: [], vanished: [] };

export class MaildirView implements OpenMailbox {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly uidValidity: number;
  readonly mailboxId: string;
  readonly #access: MaildirAccess;
  readonly #view: MailboxView;
  readonly #watches = new Set<Disposable>();

  constructor(access: MaildirAccess, name: string, isReadOnly: boolean) {
    this.#access = access;
    this.name = name;
    this.isReadOnly = isReadOnly;
    const mailbox = access.look(name, !isReadOnly);
    this.uidValidity = mailbox.index.uidValidity;
    this.mailboxId = mailbox.index.mailboxId;
    this.#view = new MailboxView(mailbox.index);
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
    return this.#access.mailbox(this.name).keywords.inUse;
  }

  get canAddKeywords(): boolean {
    return !this.isReadOnly && !this.#access.mailbox(this.name).keywords.isFull;
  }

  sync(): MailboxChanges {
    const mailbox = this.#access.look(this.name, !this.isReadOnly);
    this.#mustBeSame(mailbox);
    return this.#view.messages === mailbox.index.messages && this.#view.uidNext === mailbox.index.uidNext
      ? noChanges
      : this.#view.catchUp(mailbox.index);
  }

  watch(onChange: () => void): Disposable {
    const watch = this.#access.watch(this.name, onChange);
    this.#watches.add(watch);
    return {
      [Symbol.dispose]: () => {
        this.#watches.delete(watch);
        watch[Symbol.dispose]();
      },
    };
  }

  content(uid: number): MessageContent {
    return this.#access.act(() => this.#open(this.#access.mailbox(this.name), uid));
  }

  summaries(uids: readonly number[]): Iterable<readonly [uid: number, summary: MessageSummary]> {
    return this.#inBatches(uids, summaries, (mailbox, uid) => this.#read(mailbox, uid, summaryOf));
  }

  structures(uids: readonly number[]): Iterable<readonly [uid: number, structure: MessageStructure]> {
    return this.#inBatches(uids, structures, (mailbox, uid) => {
      return this.#read(mailbox, uid, (content) => parseMessage(content.read()));
    });
  }

  matching(query: TextQuery, uids: readonly number[]): Promise<ReadonlySet<number>> {
    const mailbox = this.#access.mailbox(this.name);
    return mailbox.texts.search(query, uids, {
      act: (work) => this.#access.act(work),
      read: (uid) => this.#read(mailbox, uid, (content) => content.read()),
    });
  }

  async setFlags(uids: readonly number[], change: FlagChange): Promise<Flagged> {
    this.#mustWrite();
    const mailbox = this.#access.look(this.name, true);
    if (change.mode !== "remove") await this.#access.addKeywords(mailbox, change.flags);
    const flagged = this.#access.change(() => changeFlags(mailbox, this.#ownUids(uids), change));
    this.#view.replace(flagged.changed);
    return flagged;
  }

  copy(uids: readonly number[], target: string): Promise<Copied> {
    return this.#transfer(uids, target, false);
  }

  async move(uids: readonly number[], target: string): Promise<Copied> {
    this.#mustWrite();
    const moved = await this.#transfer(uids, target, true);
    this.#view.remove(new Set(moved.sourceUids));
    return moved;
  }

  async expunge(uids?: readonly number[]): Promise<readonly number[]> {
    this.#mustWrite();
    using toSync = new ToSync();
    const gone = this.#access.change(() => {
      const mailbox = this.#access.look(this.name, true);
      const deleted = this.#ownUids(uids ?? this.messages.map(({ uid }) => uid)).filter((uid) => {
        return mailbox.index.held.get(uid)?.record.flags.includes("\\Deleted") === true;
      });
      const expunged = deleted.length === 0 ? [] : expungeDeleted(mailbox, deleted);
      if (expunged.length > 0) toSync.folder(`${mailbox.path}/cur`);
      return expunged;
    });
    await toSync.done();
    this.#view.remove(new Set(gone));
    return [...gone].sort((a, b) => a - b);
  }

  vanishedSince(modSeq: number): readonly number[] {
    return this.#access.act(() => this.#access.mailbox(this.name).index.vanishedSince(modSeq));
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
    this.#watches.clear();
  }

  async #transfer(uids: readonly number[], target: string, isMove: boolean): Promise<Copied> {
    using toSync = new ToSync();
    const source = this.#access.look(this.name, !this.isReadOnly);
    const into = this.#access.look(target, false);
    const own = this.#ownUids(uids);
    if (!isMove) this.#access.mustHaveRoom(own.map((uid) => source.index.held.get(uid)?.record.sizeBytes ?? 0));
    const nextName = (): string => this.#access.nextName();
    const done = await this.#access.locked(into, () => {
      return transferMessages({ source, target: into, uids: own, isMove, nextName }, toSync);
    });
    await toSync.done();
    return { ...done, uidValidity: into.index.uidValidity };
  }

  *#inBatches<T>(
    uids: readonly number[],
    kind: ContentKind<T>,
    read: (mailbox: MaildirMailbox, uid: number) => T | undefined,
  ): Iterable<readonly [uid: number, value: T]> {
    for (let at = 0; at < uids.length; at += structureBatch) {
      const batch = uids.slice(at, at + structureBatch);
      yield* this.#access.act(() => {
        const mailbox = this.#access.mailbox(this.name);
        const wanted = batch.flatMap((uid) => this.#view.find(uid) ?? mailbox.index.held.get(uid)?.record ?? []);
        const { database } = this.#access;
        const act = <R>(work: () => R): R => this.#access.act(work);
        return throughIndex(wanted, { database, kind, read: (uid) => read(mailbox, uid), act });
      });
    }
  }

  /** Undefined for a message that is gone. */
  #read<T>(mailbox: MaildirMailbox, uid: number, work: (content: FileContent) => T): T | undefined {
    try {
      using content = this.#open(mailbox, uid);
      return work(content);
    } catch (error) {
      if (error instanceof Failure && error.code === "not-found") return undefined;
      throw error;
    }
  }

  #open(mailbox: MaildirMailbox, uid: number): FileContent {
    for (let tries = 0; tries < openLimit; tries++) {
      const place = tries === 0 ? mailbox.index.held.get(uid)?.place : mailbox.locate(uid, !this.isReadOnly);
      if (place === undefined) break;
      try {
        return new FileContent(fs.openSync(`${mailbox.path}/${place}`, "r"), this.#view.find(uid)?.sizeBytes);
      } catch (error) {
        if (!isSystemError(error, "ENOENT")) throw error;
      }
    }
    throw new Failure("not-found", `cannot read message ${uid} of "${this.name}": it was removed`);
  }

  #ownUids(uids: readonly number[]): readonly number[] {
    return uids.filter((uid) => this.#view.has(uid));
  }

  #mustWrite(): void {
    if (this.isReadOnly)
      throw new Failure("refused", `cannot change mailbox "${this.name}": it is open for reading only`);
  }

  #mustBeSame({ index }: MaildirMailbox): void {
    if (index.uidValidity === this.uidValidity) return;
    throw new Failure("failed", `cannot go on with mailbox "${this.name}": another has taken its place, open it again`);
  }
}

function summaryOf(content: FileContent): MessageSummary | undefined {
  const { bytes, isWhole } = content.beginning();
  return parseSummary(bytes, isWhole) ?? parseSummary(content.read(), true);
}
