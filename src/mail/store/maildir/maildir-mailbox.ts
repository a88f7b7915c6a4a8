import { hash } from "node:crypto";
import * as fs from "node:fs";
import { Failure, isSystemError } from "../../../base/index.ts";
import { IndexedMailbox, MailboxTexts, newMailboxId, type Found, type IndexDatabase } from "../index-db/index.ts";
import { wireBytes } from "../line-ends.ts";
import { undoStoppedAppends } from "./append-together.ts";
import { cleanTmp } from "./clean-tmp.ts";
import type { LockOwner } from "./dotlock.ts";
import { compareDelivery, parseFileName, sizeInName } from "./file-name.ts";
import { KeywordsFile } from "./keywords-file.ts";
import { folderTimes, lookInto, type FolderTimes, type Look } from "./look.ts";
import { UidListFile } from "./uid-list-file.ts";
import { extensionOf, type UidListEntry } from "./uid-list.ts";
import { nextUidValidity } from "./uid-validity.ts";

/** A change that is not older than this may be followed by another with the same time. */
const fineClockMs = 20;
/** The same where the file system keeps whole seconds. */
const coarseClockMs = 1100;
/** After changes of one's own, what another program did at that very moment is looked for so much later. */
const recheckMs = 1000;
/** How often a folder is read again while others rename in it, before what is not found is left for the next time. */
const lookLimit = 5;
/** So long a look waits for the lock of the list; what is new is shown the next time otherwise. */
const lockWaitMs = 60;
const lockPauseMs = 3;

interface Comparison {
  /** Base names of which the index knows nothing. */
  readonly strangers: readonly string[];
  readonly moved: readonly (readonly [uid: number, place: string])[];
  readonly vanished: readonly number[];
  /** How many of those that are known are there. */
  readonly seen: number;
}

export interface MailboxPlace {
  /** The root of the Maildir. */
  readonly root: string;
  /** Within it: `.Sent`, or "" for INBOX. */
  readonly folder: string;
  readonly owner: LockOwner;
}

/** A mailbox of this process, for all its connections: what is in its folder, by UID. */
export class MaildirMailbox {
  readonly path: string;
  readonly index: IndexedMailbox;
  readonly uidList: UidListFile;
  readonly keywords: KeywordsFile;
  readonly texts: MailboxTexts;
  readonly fileMode: number;
  readonly #root: string;
  readonly #owner: LockOwner;
  #times: FolderTimes | undefined;
  #recheckAtMs = 0;
  /** Something was seen that could not be dealt with: the next look reads the folders again. */
  #isUnfinished = true;
  #keywordsVersion = "";
  /** Messages were left in `new` by who only looked. */
  #isLeftInNew = true;

  constructor(database: IndexDatabase, { root, folder, owner }: MailboxPlace) {
    this.#root = root;
    this.#owner = owner;
    this.path = folder === "" ? root : `${root}/${folder}`;
    const stat = fs.statSync(this.path, { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true)
      throw new Failure("not-found", `cannot open mailbox "${this.path}": there is none`);
    for (const name of ["cur", "new", "tmp"])
      fs.mkdirSync(`${this.path}/${name}`, { recursive: true, mode: stat.mode });
    cleanTmp(this.path, owner.now());
    this.fileMode = stat.mode & 0o666;
    this.index = new IndexedMailbox(database, folder, baseOfPlace);
    this.texts = new MailboxTexts(database, this.index);
    this.uidList = new UidListFile(`${this.path}/dovecot-uidlist`, this.fileMode);
    this.keywords = new KeywordsFile(`${this.path}/dovecot-keywords`, this.fileMode);
    this.keywords.refresh();
  }

  /** When a look has to be taken again though nothing has happened; Infinity where it need not. */
  get lookAgainInMs(): number {
    return this.#isUnfinished ? recheckMs : Math.max(0, this.#recheckAtMs - this.#owner.now());
  }

  /** Takes in what others did. Cheap where they did nothing. */
  refresh(isMoving: boolean): void {
    this.uidList.refresh();
    this.keywords.refresh();
    const times = folderTimes(this.path);
    const isSame = times.text === this.#times?.text || this.#isAsIndexed(times);
    const isKnown = isSame && !this.#isUnfinished && this.#owner.now() < this.#recheckAtMs;
    const { header, nextUid } = this.uidList;
    const isListed = header?.uidValidity === this.index.uidValidity && nextUid <= this.index.uidNext;
    if (!isKnown || !isListed || this.keywords.version !== this.#keywordsVersion) this.look(isMoving);
    else if (isMoving && this.#isLeftInNew) this.look(true);
  }

  /** At the start of a process, where the index was left in agreement with the folders. */
  #isAsIndexed(times: FolderTimes): boolean {
    if (this.#times !== undefined || this.index.stamp !== this.#stampOf(times)) return false;
    this.#times = times;
    this.#keywordsVersion = this.keywords.version;
    this.#isUnfinished = false;
    this.#recheckAtMs = Infinity;
    this.#isLeftInNew = Array.from(this.index.held.values()).some(({ place }) => place.startsWith("new/"));
    return true;
  }

  #stampOf(times: FolderTimes): string {
    return `${times.text} ${this.keywords.version}`;
  }

  /** Reads the folders, whatever their times are. */
  look(isMoving: boolean): void {
    this.keywords.refresh();
    this.index.catchUp();
    const startMs = this.#owner.now();
    this.#isUnfinished = false;
    this.#times = folderTimes(this.path);
    const look = lookInto(this.path, isMoving);
    this.#prepareList();
    let compared = this.#compare(look, isMoving);
    const isListMissingSome = compared.strangers.some((base) => !this.#isListed(base));
    using lock = isListMissingSome ? this.#lockSoon() : undefined;
    if (lock !== undefined) {
      // What others listed until now has to be seen before UIDs above theirs are given.
      this.index.catchUp();
      this.#lookAgain(look, isMoving);
      compared = this.#compare(look, isMoving);
      this.#assign(compared.strangers, look);
    } else if (isListMissingSome) this.#isUnfinished = true;
    const renumbered = this.#renumbered(look);
    const vanished = [...compared.vanished, ...renumbered.map(({ uid }) => uid)];
    const strangers = [...compared.strangers, ...renumbered.map(({ base }) => base)];
    const { moved } = compared;
    const { appeared, undecided } = this.#appeared(look, strangers, isMoving);
    const changed = this.#changed(moved);
    const marginMs = this.#times.latestMs % 1000 === 0 ? coarseClockMs : fineClockMs;
    const isSettled = startMs - this.#times.latestMs > marginMs && !this.#isUnfinished && !look.hasMoved;
    this.#recheckAtMs = isSettled ? Infinity : startMs + marginMs;
    const stamp = isSettled ? this.#stampOf(this.#times) : "";
    const uidNext = Math.min(this.uidList.nextUid, ...undecided);
    if (appeared.length + changed.length + vanished.length > 0 || stamp !== this.index.stamp) {
      this.#isUnfinished ||= !this.index.update({ appeared, changed, vanished, stamp, uidNext });
    } else if (uidNext > this.index.uidNext) this.index.update({ uidNext });
    this.#keywordsVersion = this.keywords.version;
    this.#isLeftInNew = !isMoving && look.hasNew;
    this.#removeTwice(look);
  }

  /** Where a message is now; undefined where it is gone. */
  locate(uid: number, isMoving: boolean): string | undefined {
    this.look(isMoving);
    return this.index.held.get(uid)?.place;
  }

  /** Takes the lock of the list; undefined where another process has it. */
  tryLock(): Disposable | undefined {
    if (this.uidList.isLocked) return { [Symbol.dispose]() {} };
    const lock = this.uidList.tryLock(this.#owner);
    try {
      if (lock !== undefined) undoStoppedAppends(this.path);
      return lock;
    } catch (error) {
      lock?.[Symbol.dispose]();
      throw error;
    }
  }

  /** Under the lock: takes in all that has a UID, so that the next one can be given. */
  settle(): void {
    for (let looks = 0; looks < lookLimit; looks++) {
      const isSame = this.uidList.header?.uidValidity === this.index.uidValidity && !this.index.catchUp();
      if (isSame && this.uidList.nextUid <= this.index.uidNext) return;
      if (looks > 0) pause();
      this.look(false);
    }
    if (this.uidList.nextUid <= this.index.uidNext) return;
    throw new Failure("failed", `cannot add to "${this.path}": other programs keep renaming what is there`);
  }

  /** Changes of this process in its folders need not be looked for; those of others at the same moment are, later. */
  ownChange<T>(work: () => T): T {
    const before = folderTimes(this.path);
    const wasKnown = before.text === this.#times?.text && !this.#isUnfinished;
    try {
      const result = work();
      if (wasKnown) {
        this.#times = folderTimes(this.path);
        this.#recheckAtMs = this.#owner.now() + recheckMs;
      }
      return result;
    } catch (error) {
      this.#isUnfinished = true;
      throw error;
    }
  }

  flagsOf(name: string): readonly string[] {
    return this.keywords.flagsOf(parseFileName(name).letters);
  }

  /** What identifies its content, in whichever mailbox it is. */
  guidOf(place: string): string {
    const base = baseOfPlace(place);
    const entry = this.uidList.entries.get(base);
    return (entry === undefined ? undefined : extensionOf(entry, "G")) ?? base;
  }

  /** Undefined where the file has gone. */
  found(uid: number, place: string, guid: string): Found | undefined {
    const path = `${this.path}/${place}`;
    try {
      const stat = fs.statSync(path);
      const base = baseOfPlace(place);
      const sizeBytes = sizeInName(base, "W") ?? wireBytes(fs.readFileSync(path));
      const receivedMs = Math.floor(stat.mtimeMs / 1000) * 1000;
      const emailId = emailIdOf(guid, sizeBytes, receivedMs);
      const flags = this.flagsOf(place);
      return { uid, place, flags, sizeBytes, receivedMs, savedMs: Math.floor(stat.ctimeMs), emailId };
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Base names that are listed as of a message that is there. */
  isAlive(base: string): boolean {
    return this.index.uidOf(base) !== undefined;
  }

  #prepareList(): void {
    this.uidList.refresh();
    if (this.uidList.header === undefined) {
      using lock = this.#lockSoon();
      if (lock === undefined) throw new Failure("failed", `cannot read "${this.uidList.path}": it is locked`);
      if (this.uidList.header === undefined) this.#createList();
    }
    const uidValidity = this.uidList.header?.uidValidity ?? 0;
    if (uidValidity === this.index.uidValidity) return;
    this.index.reset({ uidValidity, mailboxId: this.uidList.header?.guid ?? newMailboxId() });
  }

  /** Where the index knows the UIDs of a mailbox whose list is gone, it stays the same mailbox. */
  #createList(): void {
    const { index } = this;
    const entries = Array.from(index.held.values(), ({ record, place }): UidListEntry => {
      return { uid: record.uid, base: baseOfPlace(place), extensions: [] };
    });
    const uidValidity = index.uidValidity || nextUidValidity(this.#root, this.#owner.now());
    const header = { uidValidity, nextUid: index.uidNext, guid: index.mailboxId || newMailboxId() };
    this.uidList.create(
      header,
      entries.sort((a, b) => a.uid - b.uid),
    );
  }

  /**
   * What is in the folders, beside what is known. While others rename, a folder that is read may show a file under neither
   * of its names: gone is only what is not found in a second look during which nothing changed.
   */
  #compare(look: Look, isMoving: boolean): Comparison {
    for (let looks = 1; ; looks++) {
      const compared = this.#matched(look.places);
      if (compared.seen === this.index.held.size && this.#isListedThere(look.places))
        return { ...compared, vanished: [] };
      const { isStill } = this.#lookAgain(look, isMoving);
      if (isStill) return { ...this.#matched(look.places), vanished: this.#notIn(look.places) };
      if (looks < lookLimit) continue;
      this.#isUnfinished = true;
      return { ...this.#matched(look.places), vanished: [] };
    }
  }

  /** Adds what it finds; `isStill` where nothing has changed meanwhile. */
  #lookAgain(
    look: Look,
    isMoving: boolean,
  ): { readonly isStill: boolean; readonly places: ReadonlyMap<string, string> } {
    this.#times = folderTimes(this.path);
    const { places } = lookInto(this.path, isMoving);
    for (const [base, place] of places) look.places.set(base, place);
    return { isStill: this.#times.text === folderTimes(this.path).text, places };
  }

  #matched(places: ReadonlyMap<string, string>): Omit<Comparison, "vanished"> {
    const strangers: string[] = [];
    const moved: (readonly [number, string])[] = [];
    for (const [base, place] of places) {
      const uid = this.index.uidOf(base);
      const held = uid === undefined ? undefined : this.index.held.get(uid);
      if (uid === undefined || held === undefined) strangers.push(base);
      else if (held.place !== place) moved.push([uid, place]);
    }
    return { strangers, moved, seen: places.size - strangers.length };
  }

  /** Messages that another program has lost sight of and found again: they have a later UID then. */
  #renumbered({ places }: Look): readonly { readonly uid: number; readonly base: string }[] {
    const known = this.index.uidNext;
    if (this.uidList.nextUid <= known) return [];
    return Array.from(this.uidList.entries.values()).flatMap((entry) => {
      const uid = entry.uid < known || !places.has(entry.base) ? undefined : this.index.uidOf(entry.base);
      return uid === undefined || uid === entry.uid ? [] : { uid, base: entry.base };
    });
  }

  #notIn(places: ReadonlyMap<string, string>): number[] {
    const missing: number[] = [];
    for (const [uid, { place }] of this.index.held) if (!places.has(baseOfPlace(place))) missing.push(uid);
    return missing;
  }

  /** Whether those are there that were listed since: somebody has seen them. */
  #isListedThere(places: ReadonlyMap<string, string>): boolean {
    const known = this.index.uidNext;
    if (this.uidList.nextUid <= known) return true;
    return Array.from(this.uidList.entries.values()).every(({ uid, base }) => uid < known || places.has(base));
  }

  #changed(moved: Comparison["moved"]): { uid: number; place: string; flags: readonly string[] }[] {
    const changed = moved.map(([uid, place]) => ({ uid, place, flags: this.flagsOf(place) }));
    if (this.keywords.version === this.#keywordsVersion) return changed;
    const others = new Set(moved.map(([uid]) => uid));
    for (const [uid, { place }] of this.index.held) {
      if (!others.has(uid) && /:2,.*[a-z]/.test(place)) changed.push({ uid, place, flags: this.flagsOf(place) });
    }
    return changed;
  }

  /** `undecided` are UIDs of which it could not be seen whether they are there. */
  #appeared(
    look: Look,
    bases: readonly string[],
    isMoving: boolean,
  ): { readonly appeared: Found[]; readonly undecided: readonly number[] } {
    const appeared: Found[] = [];
    let strangers = bases.filter((base) => this.#isListed(base));
    for (let looks = 1; strangers.length > 0; looks++) {
      strangers = strangers.filter((base) => {
        const [entry, place] = [this.uidList.entries.get(base), look.places.get(base)];
        if (entry === undefined || place === undefined) return false;
        const message = this.found(entry.uid, place, extensionOf(entry, "G") ?? base);
        if (message !== undefined) appeared.push(message);
        return message === undefined;
      });
      if (strangers.length === 0 || looks === lookLimit) break;
      const { isStill, places } = this.#lookAgain(look, isMoving);
      strangers = strangers.filter((base) => places.has(base) || !isStill);
    }
    const undecided = strangers.flatMap((base) => this.uidList.entries.get(base)?.uid ?? []);
    this.#isUnfinished ||= undecided.length > 0;
    // UIDs only grow: none is shown before one below it.
    const limit = Math.min(...undecided);
    return { appeared: appeared.filter(({ uid }) => uid < limit).sort((a, b) => a.uid - b.uid), undecided };
  }

  /** One that was gone, and whose UID is used up, comes back as a new message. */
  #isListed(base: string): boolean {
    const entry = this.uidList.entries.get(base);
    return entry !== undefined && (entry.uid >= this.index.uidNext || this.index.uidNext === 1);
  }

  /** Under the lock: the next UIDs for those that have none. */
  #assign(bases: readonly string[], { places }: Look): void {
    const unlisted = bases.filter((base) => !this.#isListed(base)).sort(compareDelivery);
    if (unlisted.length === 0) return;
    const first = Math.max(this.uidList.nextUid, this.index.uidNext);
    const entries = unlisted.map((base, index) => ({ uid: first + index, base, extensions: [] }));
    const fd = this.uidList.append(entries, places.size, (base) => places.has(base));
    try {
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  #lockSoon(): Disposable | undefined {
    for (let waitedMs = 0; waitedMs < lockWaitMs; waitedMs += lockPauseMs) {
      const lock = this.tryLock();
      if (lock !== undefined) return lock;
      pause();
    }
    return undefined;
  }

  /** Two names for one file, of a program that was stopped between link and unlink: one is enough. */
  #removeTwice({ twice }: Look): void {
    for (const places of twice) {
      const [first, second] = places.map((place) => fs.statSync(`${this.path}/${place}`, { throwIfNoEntry: false }));
      if (first === undefined || second === undefined) continue;
      using lock = this.tryLock();
      if (lock === undefined) continue;
      if (first.ino === second.ino) fs.rmSync(`${this.path}/${places[0]}`, { force: true });
      else this.#rename(places[0]);
      this.#isUnfinished = true;
    }
  }

  /** Two messages of one name: the one gets another. */
  #rename(place: string): void {
    const target = `${this.path}/new/${Math.floor(this.#owner.now() / 1000)}.${hash("sha1", place).slice(0, 16)}`;
    try {
      fs.renameSync(`${this.path}/${place}`, target);
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
  }
}

/** For the moment in which another program finishes what it does. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPauseMs);
}

export function baseOfPlace(place: string): string {
  const colon = place.indexOf(":");
  return place.slice(4, colon < 0 ? undefined : colon);
}

function emailIdOf(guid: string, sizeBytes: number, receivedMs: number): string {
  return `M${hash("sha1", `${guid}\0${sizeBytes}\0${receivedMs}`, "base64url")}`;
}
