import * as fs from "node:fs";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import { bytesOfFile, fileIo, readWhole, type FileIo } from "./file-io.ts";
import { parseFromLine } from "./from-line.ts";
import {
  bytesInFirstPage,
  chunksOf,
  findJournal,
  journalPaths,
  removeUnfinished,
  sectorSums,
  sumOf,
  writeAppendJournal,
  writeRewriteJournal,
  type JournalNote,
  type JournalOptions,
  type JournalRun,
  type OpenJournal,
  type Run,
} from "./journal.ts";
import { lockMbox, tryLockMbox, type LockedMbox, type LockOptions } from "./lock.ts";
import { MboxScanner } from "./scan.ts";

/** Where a change is noted before it is made, and by what it is made. */
export interface ChangeOptions {
  /** For the journal where files cannot be created beside the mailbox. */
  readonly stateFolder?: string | undefined;
  readonly io?: FileIo | undefined;
}

type RewriteNote = JournalNote & { readonly kind: "rewrite" };
type AppendNote = JournalNote & { readonly kind: "append" };

const newline = 10;

/** Waits for the locks, and ends what somebody was killed over. */
export async function lockToChange(
  path: string,
  options: Omit<LockOptions, "kind"> & ChangeOptions & { readonly signal?: AbortSignal; readonly timeoutMs?: number },
): Promise<LockedMbox> {
  const locked = await lockMbox(path, { ...options, kind: "write" });
  return recovered(locked, options);
}

/** The same in one try; undefined where another has a lock. */
export function tryLockToChange(
  path: string,
  options: Omit<LockOptions, "kind"> & ChangeOptions,
): LockedMbox | undefined {
  const locked = tryLockMbox(path, { ...options, kind: "write" });
  return locked === undefined ? undefined : recovered(locked, options);
}

function recovered(locked: LockedMbox, options: ChangeOptions): LockedMbox {
  try {
    recover(locked, options);
    return locked;
  } catch (error) {
    locked[Symbol.dispose]();
    throw error;
  }
}

/** Whether somebody was killed while changing it: what is there is not to be read before `recover`. */
export function needsRecovery({ path, fd }: LockedMbox, { stateFolder }: ChangeOptions): boolean {
  using journal = findJournal(journalPaths(path, stateFolder), fs.fstatSync(fd).uid);
  return journal?.note !== undefined;
}

/**
 * Puts these bytes in these places, the runs in order of place, and makes the file so long. All of it or nothing: it is
 * in the journal first, and whoever locks the mailbox next carries it out where this process does not come to the end.
 */
export function rewrite(
  locked: LockedMbox,
  change: { readonly runs: readonly Run[]; readonly newSizeBytes: number },
  options: ChangeOptions,
): void {
  const journal = journalOptions(locked, options);
  changing(locked.path, () => {
    if (change.newSizeBytes === fs.fstatSync(locked.fd).size && change.runs.every(isInOnePage)) {
      return writeInPlace(locked.fd, change.runs, journal.io);
    }
    const written = writeRewriteJournal(locked.fd, change, journal);
    carryOut(locked, written, journal);
  });
}

/** Nothing can come between the bytes of one page: it has the one or the other. */
function isInOnePage({ at, parts }: Run): boolean {
  const [bytes] = parts;
  return parts.length === 1 && bytes instanceof Uint8Array && bytes.length <= bytesInFirstPage(at);
}

function writeInPlace(fd: number, runs: readonly Run[], io: FileIo): void {
  for (const { at, parts } of runs) for (const part of parts) if (part instanceof Uint8Array) io.write(fd, part, at);
  if (runs.length > 0) io.sync(fd);
}

/** Adds bytes at the end. Synced when it returns; as before where it throws. */
export function append(locked: LockedMbox, bytes: Uint8Array, options: ChangeOptions): void {
  const from = fs.fstatSync(locked.fd).size;
  const journal = journalOptions(locked, options);
  changing(locked.path, () => {
    const note = writeAppendJournal(locked.fd, { from, bytes, fromPlaces: fromPlaces(bytes) }, journal);
    try {
      journal.io.write(locked.fd, bytes, from);
      journal.io.sync(locked.fd);
    } catch (error) {
      fs.ftruncateSync(locked.fd, from);
      if (note !== undefined) fs.rmSync(note, { force: true });
      throw error;
    }
    if (note !== undefined) fs.rmSync(note, { force: true });
  });
}

function changing(path: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
    throw new Failure(code, `cannot change "${path}": ${systemReason(error)}`, { cause: error });
  }
}

function journalOptions({ path, fd }: LockedMbox, options: ChangeOptions): JournalOptions {
  const { uid, gid } = fs.fstatSync(fd);
  const paths = journalPaths(path, options.stateFolder);
  return { mailbox: path, paths, io: options.io ?? fileIo, owner: { uid, gid } };
}

function carryOut(locked: LockedMbox, journalPath: string, options: JournalOptions): void {
  const uid = fs.fstatSync(locked.fd).uid;
  using journal = findJournal([journalPath], uid);
  if (journal?.note?.kind !== "rewrite") throw new Error(`the journal "${journalPath}" cannot be read`);
  const { runs, newSizeBytes } = journal.note;
  const { io } = options;
  const { size } = fs.fstatSync(locked.fd);
  if (newSizeBytes > size) io.extend(locked.fd, { fromBytes: size, toBytes: newSizeBytes });
  for (const { at, lengthBytes, payloadAt } of runs) {
    let done = at;
    for (const bytes of chunksOf(journal.fd, { from: payloadAt, to: payloadAt + lengthBytes })) {
      io.write(locked.fd, bytes, done);
      done += bytes.length;
    }
  }
  io.sync(locked.fd);
  // Only now: as long as what is cut off is there, one can tell what others added after it.
  if (newSizeBytes < size) {
    io.truncate(locked.fd, newSizeBytes);
    io.sync(locked.fd);
  }
  fs.rmSync(journalPath);
}

/** Ends what another process began and was killed over. To be called by who has the locks to write. */
function recover(locked: LockedMbox, options: ChangeOptions): void {
  const journal = journalOptions(locked, options);
  removeUnfinished(journal.paths);
  using found = findJournal(journal.paths, journal.owner.uid);
  if (found === undefined) return;
  const { note } = found;
  const isOfThisFile = note?.inode === fs.fstatSync(locked.fd).ino;
  changing(locked.path, () => {
    if (note?.kind === "append" && isOfThisFile) recoverAppend(locked, note, journal);
    if (note?.kind === "rewrite") recoverRewrite(locked, { ...found, note, isOfThisFile }, journal);
    fs.rmSync(found.path, { force: true });
  });
}

/** Half of a message that nobody was told of is taken out; what others put behind it stays. */
function recoverAppend(locked: LockedMbox, note: AppendNote, options: JournalOptions): void {
  const { size } = fs.fstatSync(locked.fd);
  const { from, lengthBytes } = note;
  if (size <= from) return;
  if (size >= from + lengthBytes && sumOf(locked.fd, { from, to: from + lengthBytes }) === note.sum) return;
  const begun = { from, to: from + Math.min(lengthBytes, bytesInFirstPage(from)) };
  if (size < begun.to || sumOf(locked.fd, begun) !== note.firstPageSum) return; // not begun: what is there is of others
  const rest = Buffer.alloc(size - from);
  readWhole(locked.fd, rest, from);
  const own = new Set(note.fromPlaces);
  const others = fromPlaces(rest).find((at) => !own.has(at) && fromLineAt(rest, at));
  const runs = others === undefined ? [] : [{ at: from, parts: [rest.subarray(others)] }];
  const kept = others === undefined ? 0 : rest.length - others;
  const journal = writeRewriteJournal(locked.fd, { runs, newSizeBytes: from + kept }, options);
  carryOut(locked, journal, options);
}

/** Where "From " is, at the beginning of a line or not: what was added to half a line does not begin one. */
function fromPlaces(bytes: Uint8Array): readonly number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const places: number[] = [];
  for (let at = buffer.indexOf("From "); at !== -1; at = buffer.indexOf("From ", at + 1)) places.push(at);
  return places;
}

function fromLineAt(buffer: Buffer, at: number): boolean {
  const end = buffer.indexOf(newline, at);
  return parseFromLine(buffer.subarray(at, end === -1 ? buffer.length : end).toString()) !== undefined;
}

type FoundRewrite = OpenJournal & { readonly note: RewriteNote; readonly isOfThisFile: boolean };

function recoverRewrite(locked: LockedMbox, found: FoundRewrite, options: JournalOptions): void {
  const { note } = found;
  const addedAt = found.isOfThisFile ? whereAddedTo(locked.fd, found) : undefined;
  if (addedAt === undefined || !found.note.runs.every((run) => isExplained(locked.fd, found, run))) {
    return keepWhatIsMissing(locked, found, options);
  }
  const { size } = fs.fstatSync(locked.fd);
  const added = { from: addedAt, to: size };
  const runs = note.runs.map((run, index) => {
    const bytes = Buffer.alloc(run.lengthBytes);
    readWhole(found.fd, bytes, run.payloadAt);
    const isLast = index === note.runs.length - 1 && run.at + run.lengthBytes === note.newSizeBytes;
    return { at: run.at, parts: isLast ? [bytes, added] : [bytes] };
  });
  if (runs.length === 0) runs.push({ at: note.newSizeBytes, parts: [added] });
  const isMoved = addedAt !== note.newSizeBytes;
  const change = {
    runs: isMoved ? runs : runs.map(({ at, parts }) => ({ at, parts: parts.filter((part) => part !== added) })),
    newSizeBytes: note.newSizeBytes + size - addedAt,
  };
  carryOut(locked, writeRewriteJournal(locked.fd, change, options), options);
}

/** Where that begins which others added since; undefined where the file is not what was begun on. */
function whereAddedTo(fd: number, { fd: journalFd, note }: FoundRewrite): number | undefined {
  const { size } = fs.fstatSync(fd);
  const { oldSizeBytes, newSizeBytes } = note;
  if (newSizeBytes <= oldSizeBytes) {
    const isUncut = size >= oldSizeBytes && sumOf(fd, { from: newSizeBytes, to: oldSizeBytes }) === note.cutSum;
    if (isUncut) return oldSizeBytes;
    return size >= newSizeBytes ? newSizeBytes : undefined;
  }
  if (size < oldSizeBytes) return undefined;
  const last = note.runs.at(-1);
  if (size < newSizeBytes || last === undefined) return oldSizeBytes;
  const [isNow, shallBe] = [Buffer.alloc(newSizeBytes - oldSizeBytes), Buffer.alloc(newSizeBytes - oldSizeBytes)];
  readWhole(fd, isNow, oldSizeBytes);
  readWhole(journalFd, shallBe, last.payloadAt + oldSizeBytes - last.at);
  return isNow.every((byte, at) => byte === 0 || byte === shallBe[at]) ? newSizeBytes : oldSizeBytes;
}

/** Whether each sector is what it was or what it shall be: else another program has written in it. */
function isExplained(fd: number, { fd: journalFd, note }: FoundRewrite, run: JournalRun): boolean {
  const extent = { from: run.at, to: Math.min(note.oldSizeBytes, run.at + run.lengthBytes) };
  if (extent.to > fs.fstatSync(fd).size) return false;
  const shallBe = sectorSums(journalFd, { ...extent, shift: run.payloadAt - run.at });
  return sectorSums(fd, extent).every((sum, index) => sum === run.oldSums[index] || sum === shallBe[index]);
}

/**
 * Another program has rewritten what was half done. Whichever messages of the journal are nowhere in the file are added
 * to it: rather one twice than one lost.
 */
function keepWhatIsMissing(locked: LockedMbox, found: FoundRewrite, options: JournalOptions): void {
  const isThere = digestsIn(locked);
  const missing: Uint8Array[] = [];
  const last = found.note.runs.at(-1);
  if (last === undefined) return;
  const bytes = Buffer.alloc(last.lengthBytes);
  readWhole(found.fd, bytes, last.payloadAt);
  const source = {
    sizeBytes: bytes.length,
    read: (at: number, into: Uint8Array) => into.set(bytes.subarray(at, at + into.length)),
  };
  const scanner = new MboxScanner(source, found.path);
  if (scanner.messageAt(0) === undefined) return; // single fields, no messages
  for (const message of scanner.messages()) {
    if (!isThere.has(scanner.sum(message).digest)) missing.push(bytes.subarray(message.offset, message.endOffset));
  }
  const { size } = fs.fstatSync(locked.fd);
  const added = missing.reduce((sum, part) => sum + part.length, 0);
  if (added === 0) return;
  const change = { runs: [{ at: size, parts: [Buffer.from("\n"), ...missing] }], newSizeBytes: size + added + 1 };
  carryOut(locked, writeRewriteJournal(locked.fd, change, options), options);
}

/** Of every message that can be told apart; what other programs left may not be an mbox any more. */
function digestsIn({ fd, path }: LockedMbox): ReadonlySet<string> {
  const scanner = new MboxScanner(bytesOfFile(fd), path);
  const digests = new Set<string>();
  if (scanner.messageAt(0) === undefined) return digests;
  for (const message of scanner.messages()) digests.add(scanner.sum(message).digest);
  return digests;
}
