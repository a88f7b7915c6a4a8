import { hash } from "node:crypto";
import * as fs from "node:fs";
import { Failure, isSystemError } from "../../../base/index.ts";
import { IndexedMailbox, MailboxTexts, newMailboxId, type Found, type IndexDatabase } from "../index-db/index.ts";
import { wireBytes } from "../line-ends.ts";
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
  get recheckAtMs(): number {
    return this.#isUnfinished ? this.#owner.now() + recheckMs : this.#recheckAtMs;
  }

  /** Takes in what others did. Cheap where they did nothing. */
  refresh(isMoving: boolean): void {
    this.uidList.refresh();
    this.keywords.refresh();
    const times = folderTimes(this.path);
    const isSame = times.text === this.#times?.text || this.#isAsIndexed(times);
    const isKnown = isSame && !this.#isUnfinished && this.#owner.now() < this.#recheckAtMs;
    const isListed = this.uidList.header?.uidValidity === this.index.uidValidity;
    if (!isKnown || !isListed || this.keywords.version !== this.#keywordsVersion) this.look(isMoving);
    else if (isMoving && this.#hasNew) this.look(true);
  }

  /** At the start of a process, where the index was left in agreement with the folders. */
  #isAsIndexed(times: FolderTimes): boolean {
    if (this.#times !== undefined || this.index.stamp !== this.#stampOf(times)) return false;
    this.#times = times;
    this.#keywordsVersion = this.keywords.version;
    this.#isUnfinished = false;
    this.#recheckAtMs = Infinity;
    return true;
  }

  #stampOf(times: FolderTimes): string {
    return `${times.text} ${this.keywords.version}`;
  }

  get #hasNew(): boolean {
    return Array.from(this.index.held.values()).some(({ place }) => place.startsWith("new/"));
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
    const vanished = this.#missing(look, isMoving);
    const { appeared, undecided } = this.#appeared(look, isMoving);
    const changed = this.#changed(look);
    const marginMs = this.#times.latestMs % 1000 === 0 ? coarseClockMs : fineClockMs;
    const isSettled = startMs - this.#times.latestMs > marginMs && !this.#isUnfinished && !look.hasMoved;
    this.#recheckAtMs = isSettled ? Infinity : startMs + marginMs;
    const stamp = isSettled ? this.#stampOf(this.#times) : "";
    const uidNext = Math.min(this.uidList.nextUid, ...undecided);
    if (appeared.length + changed.length + vanished.length > 0 || stamp !== this.index.stamp) {
      this.#isUnfinished ||= !this.index.update({ appeared, changed, vanished, stamp, uidNext });
    } else if (uidNext > this.index.uidNext) this.index.update({ uidNext });
    this.#keywordsVersion = this.keywords.version;
    this.#removeTwice(look);
  }

  /** Where a message is now; undefined where it is gone. */
  locate(uid: number, isMoving: boolean): string | undefined {
    this.look(isMoving);
    return this.index.held.get(uid)?.place;
  }

  /** Takes the lock of the list; undefined where another process has it. */
  tryLock(): Disposable | undefined {
    return this.uidList.tryLock(this.#owner);
  }

  /** Under the lock: takes in all that has a UID, so that the next one can be given. */
  settle(): void {
    if (this.uidList.header === undefined || this.uidList.header.uidValidity !== this.index.uidValidity)
      this.look(false);
    else if (this.index.catchUp() || this.uidList.nextUid > this.index.uidNext) this.look(false);
  }

  /** Changes of this process in its folders need not be looked for; those of others at the same moment are, later. */
  ownChange<T>(work: () => T): T {
    const before = folderTimes(this.path);
    const wasKnown = before.text === this.#times?.text && !this.#isUnfinished;
    try {
      return work();
    } finally {
      if (wasKnown) {
        this.#times = folderTimes(this.path);
        this.#recheckAtMs = this.#owner.now() + recheckMs;
      }
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
   * Messages that are in none of the folders. While others rename, a folder that is read may show a file under neither of
   * its names: gone is only what is not found in a second look during which nothing changed.
   */
  #missing(look: Look, isMoving: boolean): number[] {
    let missing = this.#notIn(look);
    for (let looks = 1; missing.length > 0; looks++) {
      const before = folderTimes(this.path);
      const again = lookInto(this.path, isMoving);
      const after = folderTimes(this.path);
      for (const [base, place] of again.places) look.places.set(base, place);
      missing = this.#notIn(look);
      this.#times = before;
      if (before.text === after.text) break;
      if (looks < lookLimit) continue;
      this.#isUnfinished = true;
      return [];
    }
    return missing;
  }

  #notIn({ places }: Look): number[] {
    const missing: number[] = [];
    for (const [uid, { place }] of this.index.held) if (!places.has(baseOfPlace(place))) missing.push(uid);
    // Listed since: somebody has seen it.
    const known = this.index.uidNext;
    for (const { uid, base } of this.uidList.entries.values()) {
      if (uid >= known && !places.has(base)) missing.push(uid);
    }
    return missing;
  }

  #changed({ places }: Look): { uid: number; place: string; flags: readonly string[] }[] {
    const changed: { uid: number; place: string; flags: readonly string[] }[] = [];
    const areMeaningsOther = this.keywords.version !== this.#keywordsVersion;
    for (const [uid, { place }] of this.index.held) {
      const now = places.get(baseOfPlace(place)) ?? place;
      const isOther = now !== place || (areMeaningsOther && /:2,.*[a-z]/.test(now));
      if (isOther) changed.push({ uid, place: now, flags: this.flagsOf(now) });
    }
    return changed;
  }

  /** `undecided` are UIDs of which it could not be seen whether they are there. */
  #appeared(look: Look, isMoving: boolean): { appeared: Found[]; undecided: number[] } {
    const appeared: Found[] = [];
    let strangers = Array.from(look.places.keys()).filter((base) => this.index.uidOf(base) === undefined);
    const unlisted = strangers.filter((base) => !this.#isListed(base));
    if (unlisted.length > 0) this.#assign(unlisted);
    strangers = strangers.filter((base) => this.#isListed(base));
    for (let looks = 1; strangers.length > 0; looks++) {
      strangers = strangers.filter((base) => {
        const [entry, place] = [this.uidList.entries.get(base), look.places.get(base)];
        if (entry === undefined || place === undefined) return false;
        const message = this.found(entry.uid, place, extensionOf(entry, "G") ?? base);
        if (message !== undefined) appeared.push(message);
        return message === undefined;
      });
      if (strangers.length === 0 || looks === lookLimit) break;
      const again = lookInto(this.path, isMoving);
      for (const base of strangers) {
        const place = again.places.get(base);
        if (place === undefined) look.places.delete(base);
        else look.places.set(base, place);
      }
    }
    this.#isUnfinished ||= strangers.length > 0;
    const undecided = strangers.flatMap((base) => this.uidList.entries.get(base)?.uid ?? []);
    return { appeared: appeared.sort((a, b) => a.uid - b.uid), undecided };
  }

  /** One that was gone, and whose UID is used up, comes back as a new message. */
  #isListed(base: string): boolean {
    const entry = this.uidList.entries.get(base);
    return entry !== undefined && (entry.uid >= this.index.uidNext || this.index.uidNext === 1);
  }

  #assign(bases: readonly string[]): void {
    using lock = this.#lockSoon();
    if (lock === undefined) {
      this.#isUnfinished = true;
      return;
    }
    const unlisted = bases.filter((base) => !this.#isListed(base)).sort(compareDelivery);
    if (unlisted.length === 0) return;
    const first = Math.max(this.uidList.nextUid, this.index.uidNext);
    const entries = unlisted.map((base, index) => ({ uid: first + index, base, extensions: [] }));
    const alive = new Set(unlisted);
    const fd = this.uidList.append(entries, (base) => alive.has(base) || this.isAlive(base));
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
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPauseMs);
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

export function baseOfPlace(place: string): string {
  const colon = place.indexOf(":");
  return place.slice(4, colon < 0 ? undefined : colon);
}

function emailIdOf(guid: string, sizeBytes: number, receivedMs: number): string {
  return `M${hash("sha1", `${guid}\0${sizeBytes}\0${receivedMs}`, "base64url")}`;
}
