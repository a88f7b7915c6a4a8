import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { isSystemError } from "../../../base/index.ts";
import { tryDotlock, type LockOwner } from "./dotlock.ts";
import {
  formatEntry,
  formatHeader,
  parseEntry,
  parseHeader,
  type UidListEntry,
  type UidListHeader,
} from "./uid-list.ts";

/** Lines of messages that are gone are left until there are so many more of them than others. */
const deadLineLimit = 200;

/** `dovecot-uidlist` of one mailbox: read as it grows, and changed under its lock. */
export class UidListFile {
  readonly path: string;
  readonly #mode: number;
  readonly #entries = new Map<string, UidListEntry>();
  #header: UidListHeader | undefined;
  #seen: { readonly ino: number; readonly sizeBytes: number; readonly mtimeMs: number } | undefined;
  #readBytes = 0;
  #lines = 0;
  #lastUid = 0;
  /** What is there is not all in order: the next change writes the whole file. */
  #isToBeRewritten = false;
  #isLocked = false;

  constructor(path: string, mode: number) {
    this.path = path;
    this.#mode = mode;
  }

  /** Undefined where there is no list that can be read. */
  get header(): UidListHeader | undefined {
    return this.#header;
  }

  get entries(): ReadonlyMap<string, UidListEntry> {
    return this.#entries;
  }

  get nextUid(): number {
    return Math.max(this.#header?.nextUid ?? 1, this.#lastUid + 1);
  }

  /** Reads what others have written since. */
  refresh(): void {
    const stat = fs.statSync(this.path, { throwIfNoEntry: false });
    if (stat === undefined) {
      this.#clear();
      return;
    }
    const seen = this.#seen;
    if (seen?.ino === stat.ino && seen.sizeBytes === stat.size && seen.mtimeMs === stat.mtimeMs) return;
    const hasGrown = seen?.ino === stat.ino && seen.sizeBytes < stat.size && this.#header !== undefined;
    if (!hasGrown) this.#clear();
    this.#read();
  }

  /** Whether this process has the lock. */
  get isLocked(): boolean {
    return this.#isLocked;
  }

  /** Takes the lock and reads what is new; undefined where somebody else has the lock. */
  tryLock(owner: LockOwner): Disposable | undefined {
    const lock = tryDotlock(this.path, owner);
    if (lock === undefined) return undefined;
    this.#isLocked = true;
    const held = {
      [Symbol.dispose]: () => {
        this.#isLocked = false;
        lock[Symbol.dispose]();
      },
    };
    try {
      this.refresh();
      return held;
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
  }

  /** Under the lock: a list for a mailbox that has none. Entries are those that are known from elsewhere. */
  create(header: Omit<UidListHeader, "others">, entries: readonly UidListEntry[]): void {
    this.#clear();
    this.#header = { ...header, others: [] };
    for (const entry of entries) this.#take(entry);
    this.#rewrite();
  }

  /**
   * Under the lock: writes new messages down, in ascending order of UIDs. `alive` counts the others that are there, and
   * `isAlive` tells which. The file that is given is to be synced and closed.
   */
  append(entries: readonly UidListEntry[], alive: number, isAlive: (base: string) => boolean): number {
    for (const entry of entries) this.#take(entry);
    const dead = this.#lines - alive - entries.length;
    if (this.#isToBeRewritten || dead > Math.max(deadLineLimit, alive / 4)) {
      const added = new Set(entries.map(({ base }) => base));
      for (const base of this.#entries.keys()) if (!added.has(base) && !isAlive(base)) this.#entries.delete(base);
      this.#rewrite();
      return fs.openSync(this.path, "r");
    }
    const fd = fs.openSync(this.path, "a", this.#mode);
    try {
      fs.writeSync(fd, entries.map(formatEntry).join(""));
      this.#remember(fs.fstatSync(fd));
      return fd;
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  #rewrite(): void {
    if (this.#header === undefined) throw new TypeError("a list of UIDs without a header");
    const header = {
      ...this.#header,
      nextUid: this.nextUid,
      guid: this.#header.guid ?? randomBytes(16).toString("hex"),
    };
    const entries = [...this.#entries.values()].sort((a, b) => a.uid - b.uid);
    const temporary = `${this.path}.tmp`;
    const fd = fs.openSync(temporary, "w", this.#mode);
    try {
      fs.writeFileSync(fd, formatHeader(header) + entries.map(formatEntry).join(""));
      fs.fdatasyncSync(fd);
      fs.renameSync(temporary, this.path);
      this.#remember(fs.fstatSync(fd));
    } finally {
      fs.closeSync(fd);
    }
    this.#header = header;
    this.#lines = entries.length;
    this.#isToBeRewritten = false;
  }

  #remember(stat: fs.Stats): void {
    this.#seen = { ino: stat.ino, sizeBytes: stat.size, mtimeMs: stat.mtimeMs };
    this.#readBytes = stat.size;
  }

  #clear(): void {
    this.#entries.clear();
    this.#header = undefined;
    this.#seen = undefined;
    this.#readBytes = 0;
    this.#lines = 0;
    this.#lastUid = 0;
    this.#isToBeRewritten = false;
  }

  #read(): void {
    const fd = openExisting(this.path);
    if (fd === undefined) return;
    try {
      const stat = fs.fstatSync(fd);
      if (this.#seen !== undefined && stat.ino !== this.#seen.ino) this.#clear();
      // With the end of the line before: what is new follows what is known, unless another has written over it.
      let from = Math.max(0, this.#readBytes - 1);
      let bytes = readFrom(fd, from, stat.size);
      if (this.#readBytes > 0 && bytes[0] !== 0x0a) {
        this.#clear();
        from = 0;
        bytes = readFrom(fd, from, stat.size);
      }
      const isTail = this.#readBytes > 0;
      const whole = bytes.subarray(isTail ? 1 : 0, bytes.lastIndexOf(0x0a) + 1);
      this.#parse(whole.toString("utf8"));
      this.#readBytes += whole.length;
      this.#seen = { ino: stat.ino, sizeBytes: stat.size, mtimeMs: stat.mtimeMs };
      // A line without its end: its writer was stopped, unless he is still at it.
      this.#isToBeRewritten ||= this.#readBytes < from + bytes.length;
    } finally {
      fs.closeSync(fd);
    }
  }

  #parse(text: string): void {
    let at = 0;
    for (let end = text.indexOf("\n", at); end >= 0; at = end + 1, end = text.indexOf("\n", at)) {
      const line = text.slice(at, end);
      if (this.#header === undefined) {
        this.#header = parseHeader(line);
        if (this.#header === undefined) return;
        this.#isToBeRewritten = line.startsWith("1 ") || this.#header.guid === undefined;
        continue;
      }
      const entry = parseEntry(line);
      if (entry === undefined || entry.uid <= this.#lastUid) this.#isToBeRewritten = true;
      else this.#take(entry);
    }
  }

  #take(entry: UidListEntry): void {
    // At the end of the map, so that it stays in order of UIDs.
    this.#entries.delete(entry.base);
    this.#entries.set(entry.base, entry);
    this.#lastUid = Math.max(this.#lastUid, entry.uid);
    this.#lines++;
  }
}

function readFrom(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, to - from));
  return bytes.subarray(0, fs.readSync(fd, bytes, 0, bytes.length, from));
}

function openExisting(path: string): number | undefined {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
