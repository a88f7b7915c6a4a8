import * as fs from "node:fs";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import type { NewMessage } from "../mail-store.ts";
import { IndexedMailbox, MailboxTexts, newMailboxId, type Found, type IndexDatabase } from "../index-db/index.ts";
import { append, needsRecovery, rewrite, tryLockToChange, type ChangeOptions } from "./change.ts";
import { bytesOfFile } from "./file-io.ts";
import { lineEndAtEnd } from "./append.ts";
import { headerOf } from "./header-of.ts";
import { flagsIn, identify, numberedFrom, placedOf, type Identified, type Known } from "./identify.ts";
import { lockMboxNow, tryLockMbox, type LockedMbox } from "./lock.ts";
import { formatPseudoMessage, uidLimit, type MailboxBase } from "./metadata.ts";
import { appendedText } from "./message-text.ts";
import { decodePlace, encodePlace } from "./place.ts";
import { planRewrite, shifted, type Edits, type Placed } from "./plan-rewrite.ts";
import { MboxScanner, type MboxMessage } from "./scan.ts";
import { stampOf } from "./stamp.ts";

export interface MboxMailboxOptions extends ChangeOptions {
  readonly nowMs: () => number;
  readonly host: string;
  /** The folder of Dovecot's index of this mailbox, where it has one. */
  readonly dovecotIndex: string;
  /** For a mailbox that has none yet: greater than all that were given. */
  readonly nextUidValidity: () => number;
}

/** An mbox that is locked for writing, with everything in it known. */
export interface MboxSession {
  readonly locked: LockedMbox;
  readonly base: MailboxBase;
  /** In the order of the file, the one that only holds the base too. */
  readonly placed: readonly Placed[];
}

/** What a message shall say about itself. */
export interface HeaderEdit {
  readonly uid: number;
  /** Others than it has. */
  readonly flags?: readonly string[] | undefined;
}

/** How long a look waits where it is needed to answer at all. */
const lookTimeoutMs = 5000;

/** An mbox of this process, for all its connections: what is in the file, by UID. */
export class MboxMailbox {
  readonly path: string;
  readonly index: IndexedMailbox;
  readonly texts: MailboxTexts;
  readonly #options: MboxMailboxOptions;
  #keywords: readonly string[] | undefined;
  /** Where all messages are, in a file with this stamp: taking it from the index takes a while where there are many. */
  #placed: { readonly stamp: string; readonly placed: readonly Placed[] } | undefined;
  #isUnfinished = false;

  constructor(
    database: IndexDatabase,
    { key, path }: { readonly key: string; readonly path: string },
    options: MboxMailboxOptions,
  ) {
    this.path = path;
    this.#options = options;
    this.index = new IndexedMailbox(database, key, "stamp");
    this.texts = new MailboxTexts(database, this.index);
  }

  /** Every keyword in use. */
  get keywords(): readonly string[] {
    return this.#keywords ?? [];
  }

  /** Whether another program's lock kept something back: another look is worth it soon. */
  get isUnfinished(): boolean {
    return this.#isUnfinished;
  }

  get isWritable(): boolean {
    try {
      fs.accessSync(this.path, fs.constants.W_OK);
      return true;
    } catch (error) {
      return isSystemError(error, "ENOENT");
    }
  }

  /** Takes in what others did, as far as their locks let it. Cheap where they did nothing. */
  refresh(): void {
    this.index.catchUp();
    const stamp = this.#stampNow();
    if (stamp === undefined) return this.#lookAtNothing();
    if (stamp === this.index.stamp && this.#keywords !== undefined) return;
    const isKnown = this.index.uidValidity !== 0 && this.#keywords !== undefined;
    const options = { kind: "read", nowMs: this.#options.nowMs } as const;
    const locked = isKnown
      ? tryLockMbox(this.path, options)
      : lockMboxNow(this.path, { ...options, timeoutMs: lookTimeoutMs });
    this.#isUnfinished = locked === undefined;
    if (locked === undefined) return;
    {
      using reading = locked;
      if (!needsRecovery(reading, this.#options) && this.#look(reading) !== undefined) return;
    }
    // There are messages without UIDs, or somebody was killed: both need the locks to write.
    using writing = tryLockToChange(this.path, this.#options);
    this.#isUnfinished = writing === undefined;
    if (writing !== undefined) this.#lookAndMark(writing);
  }

  /**
   * Runs `work` with the file locked and everything in it known; undefined where another has it locked. `createMode`
   * makes one that is not there.
   */
  tryChange<T>(
    work: (session: MboxSession) => T,
    create: { readonly createMode?: number } = {},
  ): { readonly result: T } | undefined {
    using locked = tryLockToChange(this.path, { ...this.#options, ...create });
    return locked === undefined ? undefined : { result: work(this.#lookAndMark(locked)) };
  }

  /** The message as it is on the wire; undefined where another removed it. */
  read(uid: number): Uint8Array | undefined {
    const found = this.#readAtPlace(uid);
    if (found !== undefined || !this.index.held.has(uid)) return found;
    this.refresh();
    return this.#readAtPlace(uid);
  }

  #readAtPlace(uid: number): Uint8Array | undefined {
    const held = this.index.held.get(uid);
    if (held === undefined || !fs.existsSync(this.path)) return undefined;
    const { offset, bodyOffset, bodyEnd } = decodePlace(held.place);
    const options = { kind: "read", nowMs: this.#options.nowMs, timeoutMs: lookTimeoutMs } as const;
    using locked = lockMboxNow(this.path, options);
    // As long as it is as it was last seen, what was noted to be done to it has not begun.
    const isAsKnown = stampOf(locked.fd) === this.index.stamp;
    if (!isAsKnown && needsRecovery(locked, this.#options)) return undefined;
    const scanner = new MboxScanner(bytesOfFile(locked.fd), this.path);
    if (offset >= scanner.sizeBytes) return undefined;
    const message = scanner.messageAt(offset, () => bodyEnd - bodyOffset);
    const isIt = isAsKnown || message?.header.metadata.uid === uid;
    return message === undefined || !isIt ? undefined : scanner.content(message);
  }

  /** Header blocks for these messages, in the room of the old ones where they fit. */
  headers({ locked, base, placed }: MboxSession, edits: readonly HeaderEdit[]): ReadonlyMap<number, Uint8Array> {
    const scanner = new MboxScanner(bytesOfFile(locked.fd), this.path);
    const wanted = new Map(edits.map((edit) => [edit.uid, edit]));
    const headers = new Map<number, Uint8Array>();
    for (const { uid, extent } of placed) {
      const edit = wanted.get(uid);
      if (edit === undefined) continue;
      const { flags } = edit;
      const message = scanner.messageAt(extent.offset, () => extent.bodyEnd - extent.bodyOffset);
      if (message === undefined) throw new Error(`no message at ${extent.offset} of "${this.path}"`);
      headers.set(uid, headerOf(message, { uid, base, flags, isFirst: placed[0]?.uid === uid }));
    }
    return headers;
  }

  /** Writes other headers, or removes messages, and tells the index. */
  edit(session: MboxSession, edits: Edits, flags: ReadonlyMap<number, readonly string[]> = new Map()): MboxSession {
    const { locked, base, placed } = session;
    const stays = placed.filter(({ uid }) => edits.removed?.has(uid) !== true);
    const isEmptied = stays.length === 0 && placed.length > 0;
    const { nowMs, host } = this.#options;
    const moved = this.#baseMoved(session, stays, edits);
    const before = fs.fstatSync(locked.fd);
    const plan = planRewrite(
      placed,
      {
        ...edits,
        headers: new Map([...moved, ...(edits.headers ?? [])]),
        atEnd: isEmptied ? formatPseudoMessage(base, { nowMs: nowMs(), host }) : edits.atEnd,
      },
      before.size,
    );
    rewrite(locked, plan, this.#options);
    if (plan.newSizeBytes === before.size) this.#showDovecot(locked, before);
    this.#keywords = base.keywords;
    const changed = plan.placed.flatMap(({ uid, extent }) => {
      const held = plan.isMoved || edits.headers?.has(uid) === true ? this.index.held.get(uid) : undefined;
      return held === undefined
        ? []
        : [{ uid, place: encodePlace(extent), flags: flags.get(uid) ?? held.record.flags }];
    });
    const vanished = [...(edits.removed ?? [])];
    const stamp = stampOf(locked.fd);
    this.index.update({ changed, vanished, stamp });
    this.#placed = isEmptied ? undefined : { stamp, placed: plan.placed };
    return { locked, base, placed: plan.placed };
  }

  /** Puts messages after all others; their UIDs, in that order. All of them or none; synced. */
  add(session: MboxSession, messages: readonly NewMessage[]): readonly number[] {
    if (messages.length === 0) return [];
    const withFlags = this.withKeywords(
      session,
      messages.flatMap(({ flags }) => flags),
    );
    const { locked, base, placed } = withFlags;
    const lastUid = base.lastUid + messages.length;
    if (lastUid > uidLimit) throw new Failure("refused", `cannot add to "${this.path}": it has no UIDs left`);
    const newBase = { ...base, lastUid };
    const texts = messages.map(({ content, flags, receivedMs }, index) => {
      const isFirst = placed.length === 0 && index === 0;
      const uid = base.lastUid + 1 + index;
      const metadata = { uid, flags, isOld: flags.length > 0, base: isFirst ? newBase : undefined };
      return appendedText(content, receivedMs, metadata);
    });
    const [first] = placed;
    const next = { ...withFlags, base: newBase };
    // First the number that is given next: where it ends between the two, one is passed over, and none given twice.
    const edited = first === undefined ? next : this.edit(next, { headers: this.headers(next, [{ uid: first.uid }]) });
    const lineEnd = lineEndAtEnd(locked);
    const at = fs.fstatSync(locked.fd).size + lineEnd.length;
    append(locked, Buffer.concat([lineEnd, ...texts]), this.#options);
    this.#added(edited, { text: Buffer.concat(texts), at });
    return messages.map((_, index) => base.lastUid + 1 + index);
  }

  /** Tells the index what was put at the end of the file. */
  #added({ locked, base, placed }: MboxSession, { text, at }: { readonly text: Buffer; readonly at: number }): void {
    const bytes = { sizeBytes: text.length, read: (from: number, into: Uint8Array) => void text.copy(into, 0, from) };
    const scanner = new MboxScanner(bytes, this.path);
    const appeared = Array.from(scanner.messages(), (message) => {
      const { uid = 0 } = message.header.metadata;
      const place = encodePlace(shifted(message, { by: at, growth: 0 }));
      return this.#found(scanner, message, { uid, place, flags: flagsIn(message, base) });
    });
    const last = placed.at(-1);
    const ended = last === undefined ? [] : [{ uid: last.uid, extent: { ...last.extent, endOffset: at } }];
    const changed = ended.flatMap(({ uid, extent }) => this.#change(uid, encodePlace(extent)));
    const stamp = stampOf(locked.fd);
    this.#keywords = base.keywords;
    this.index.update({ appeared, changed, stamp, uidNext: base.lastUid + 1 });
    const added = appeared.map(({ uid, place }) => ({ uid, extent: decodePlace(place) }));
    this.#placed = { stamp, placed: [...placed.slice(0, -1), ...ended, ...added] };
  }

  /** Lists the keywords among these flags that the mailbox does not have yet. */
  withKeywords(session: MboxSession, flags: readonly string[]): MboxSession {
    const known = new Set(session.base.keywords.map((keyword) => keyword.toLowerCase()));
    const added = flags.filter(
      (flag) => !flag.startsWith("\\") && !known.has(flag.toLowerCase()) && known.add(flag.toLowerCase()),
    );
    if (added.length === 0) return session;
    return { ...session, base: { ...session.base, keywords: [...session.base.keywords, ...added] } };
  }

  /**
   * Dovecot goes by size and whole seconds: it would not look at a second change within one that leaves the size. Where it
   * has an index of this mailbox, the time of the file goes on by a second each time.
   */
  #showDovecot({ fd }: LockedMbox, before: fs.Stats): void {
    const seconds = (stat: fs.Stats): number => Math.floor(stat.mtimeMs / 1000);
    const now = fs.fstatSync(fd);
    if (seconds(now) > seconds(before) || !fs.existsSync(this.#options.dovecotIndex)) return;
    fs.futimesSync(fd, now.atimeMs / 1000, seconds(before) + 1);
  }

  /** Where the message with the base goes, the next one gets it. */
  #baseMoved(session: MboxSession, stays: readonly Placed[], edits: Edits): ReadonlyMap<number, Uint8Array> {
    const [first] = stays;
    if (first === undefined || first === session.placed[0] || edits.headers?.has(first.uid) === true) return new Map();
    return this.headers({ ...session, placed: stays }, [{ uid: first.uid }]);
  }

  #stampNow(): string | undefined {
    try {
      return stampOf(this.path);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw new Failure("failed", `cannot read "${this.path}": ${systemReason(error)}`, { cause: error });
    }
  }

  #lookAtNothing(): void {
    this.#keywords ??= [];
    if (this.index.uidValidity === 0)
      this.index.reset({ uidValidity: this.#options.nextUidValidity(), mailboxId: newMailboxId() });
    const vanished = [...this.index.held.keys()];
    if (vanished.length > 0) this.index.update({ vanished, stamp: "" });
  }

  /** Undefined where it takes the locks to write to come to an end. */
  #look(locked: LockedMbox): MboxSession | undefined {
    const stamp = stampOf(locked.fd);
    const scanner = new MboxScanner(bytesOfFile(locked.fd), this.path);
    const { first, base } = this.#base(scanner);
    const holder = first?.header.metadata.isPseudo === true ? [{ uid: 0, extent: first }] : [];
    if (stamp === this.index.stamp) {
      this.#keywords = base.keywords;
      if (this.#placed?.stamp !== stamp) {
        this.#placed = { stamp, placed: [...holder, ...placedOf(this.index.held)] };
      }
      return { locked, base, placed: this.#placed.placed };
    }
    const fileBase = first?.header.metadata.base;
    const identified = identify(scanner, this.#known(stamp), { first, base: fileBase });
    const isMarked =
      identified.seen.every(({ uid }) => uid !== undefined) && (first === undefined || fileBase !== undefined);
    if (!isMarked && this.isWritable) return undefined;
    const placed = this.#takeIn(identified, { scanner, base, stamp });
    return { locked, base, placed: [...holder, ...placed] };
  }

  #known(stamp: string): Known {
    const { held, uidNext } = this.index;
    const [inode, size] = this.index.stamp.split(" ");
    return { held, uidNext, sizeBytes: inode === stamp.split(" ")[0] ? Number(size) : 0 };
  }

  #base(scanner: MboxScanner): { readonly first: MboxMessage | undefined; readonly base: MailboxBase } {
    const first = scanner.first();
    const inFile = first?.header.metadata.base;
    if (inFile !== undefined && inFile.uidValidity !== this.index.uidValidity)
      this.index.reset({ uidValidity: inFile.uidValidity, mailboxId: newMailboxId() });
    if (this.index.uidValidity === 0)
      this.index.reset({ uidValidity: this.#options.nextUidValidity(), mailboxId: newMailboxId() });
    const lastUid = Math.max(inFile?.lastUid ?? 0, this.index.uidNext - 1);
    return {
      first,
      base: { uidValidity: this.index.uidValidity, lastUid, keywords: inFile?.keywords ?? this.#keywordsInIndex() },
    };
  }

  /** Where mutt has removed the message that had the list, what the index knows is left of it. */
  #keywordsInIndex(): readonly string[] {
    const flags = new Set(this.index.messages.flatMap((record) => record.flags));
    return [...flags].filter((flag) => !flag.startsWith("\\"));
  }

  /** Gives UIDs to messages that have none, in their headers, and looks again. */
  #lookAndMark(locked: LockedMbox): MboxSession {
    const looked = this.#look(locked);
    if (looked !== undefined) return looked;
    const scanner = new MboxScanner(bytesOfFile(locked.fd), this.path);
    const { first, base } = this.#base(scanner);
    const { unread, seen } = identify(scanner, this.#known(stampOf(locked.fd)), {
      first,
      base: first?.header.metadata.base,
    });
    const { messages, lastUid } = numberedFrom(seen, base.lastUid);
    const newBase = { ...base, lastUid };
    const holder = first?.header.metadata.isPseudo === true ? [{ uid: 0, extent: first }] : [];
    const placed = [...holder, ...unread, ...messages.map(({ uid, message }) => ({ uid, extent: message }))];
    const headers = new Map<number, Uint8Array>();
    const firstUid = placed[0]?.uid;
    if (first !== undefined && firstUid !== undefined) {
      headers.set(firstUid, headerOf(first, { uid: firstUid, base: newBase, isFirst: true }));
    }
    for (const { uid, message, isNew } of messages) {
      if (isNew && uid !== firstUid) headers.set(uid, headerOf(message, { uid, base: newBase, isFirst: false }));
    }
    rewrite(locked, planRewrite(placed, { headers }, scanner.sizeBytes), this.#options);
    const again = this.#look(locked);
    if (again === undefined) throw new Error(`messages of "${this.path}" could not be given UIDs`);
    return again;
  }

  /** Tells the index what is in the file; the messages that it has then, in order. */
  #takeIn(
    { seen, unread }: Identified,
    { scanner, base, stamp }: { readonly scanner: MboxScanner; readonly base: MailboxBase; readonly stamp: string },
  ): readonly Placed[] {
    const { messages, lastUid } = numberedFrom(seen, base.lastUid);
    const appeared: Found[] = [];
    const changed = unread.slice(-1).flatMap(({ uid, extent }) => this.#change(uid, encodePlace(extent)));
    for (const { uid, message } of messages) {
      const [place, flags] = [encodePlace(message), flagsIn(message, base)];
      if (this.index.held.has(uid)) changed.push(...this.#change(uid, place, flags));
      else appeared.push(this.#found(scanner, message, { uid, place, flags }));
    }
    const isThere = new Set([...unread, ...messages].map(({ uid }) => uid));
    const vanished = [...this.index.held.keys()].filter((uid) => !isThere.has(uid));
    this.#keywords = base.keywords;
    this.index.update({ appeared, changed, vanished, stamp, uidNext: lastUid + 1 });
    return [...unread, ...messages.map(({ uid, message }) => ({ uid, extent: message }))];
  }

  #change(uid: number, place: string, flags?: readonly string[]) {
    const held = this.index.held.get(uid);
    const now = flags ?? held?.record.flags ?? [];
    const isSame = held?.place === place && held.record.flags.join(" ") === now.join(" ");
    return isSame ? [] : [{ uid, place, flags: now }];
  }

  #found(scanner: MboxScanner, message: MboxMessage, known: Pick<Found, "uid" | "place" | "flags">): Found {
    const { sizeBytes, digest } = scanner.sum(message);
    const { receivedMs } = message.fromLine;
    return { ...known, sizeBytes, receivedMs, savedMs: this.#options.nowMs(), emailId: `M${digest.slice(0, 40)}` };
  }
}
