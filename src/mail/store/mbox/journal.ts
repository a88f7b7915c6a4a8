import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { crc32 } from "node:zlib";
import { Failure, isSystemError } from "../../../base/index.ts";
import { readWhole, type FileIo } from "./file-io.ts";

/** Bytes that come to lie from a place on, one part after the other: new ones, or some that are in the file already. */
export interface Run {
  readonly at: number;
  readonly parts: readonly (Uint8Array | { readonly from: number; readonly to: number })[];
}

/** Where the bytes of a run are in the journal, and what was in their place, as a checksum of each sector. */
export interface JournalRun {
  readonly at: number;
  readonly lengthBytes: number;
  readonly payloadAt: number;
  readonly oldSums: readonly number[];
}

export type JournalNote =
  | {
      readonly kind: "rewrite";
      readonly inode: number;
      readonly oldSizeBytes: number;
      readonly newSizeBytes: number;
      /** Of what is cut off at the end. */
      readonly cutSum: number;
      readonly runs: readonly JournalRun[];
    }
  | {
      readonly kind: "append";
      readonly inode: number;
      readonly from: number;
      readonly lengthBytes: number;
      readonly sum: number;
      /** Of what lies in the first page: if anything of it was written, then that. */
      readonly firstPageSum: number;
      /** Where the bytes have "From " themselves. */
      readonly fromPlaces: readonly number[];
    };

export interface OpenJournal extends Disposable {
  readonly path: string;
  readonly fd: number;
  /** Absent where its writing did not come to the end: nothing was changed then. */
  readonly note?: JournalNote;
}

/** What a disk writes at once: each is as it was, or as it will be. */
const sectorBytes = 512;
/** What the kernel copies at once. */
const pageBytes = 4096;
const magic = Buffer.from("holdfast mbox journal 1\n");
const trailerBytes = 12; // length of the note, its CRC-32, CRC-32 of the payload
const noteLimitBytes = 64 * 2 ** 20;
const copyBytes = 2 ** 20;

/**
 * Where the journal of an mbox may be: beside it, under a name that neither Dovecot nor others take for a mailbox, or
 * in the user's own folder where files cannot be created beside it.
 */
export function journalPaths(mailbox: string, stateFolder: string | undefined): readonly string[] {
  const real = fs.realpathSync(mailbox);
  const beside = path.join(path.dirname(real), `.${path.basename(real)}.holdfast.lock`);
  if (stateFolder === undefined) return [beside];
  const name = createHash("sha256").update(real).digest("hex").slice(0, 32);
  return [beside, path.join(stateFolder, `${name}.journal`)];
}

/** The journal that somebody left; only one's own, or of whom the mailbox belongs to: others must not write in it. */
export function findJournal(paths: readonly string[], ownerOfMailbox: number): OpenJournal | undefined {
  for (const candidate of paths) {
    let fd: number;
    try {
      fd = fs.openSync(candidate, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    } catch (error) {
      if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) continue;
      throw error;
    }
    const stat = fs.fstatSync(fd);
    const isTrusted = stat.isFile() && [0, ownerOfMailbox, process.geteuid?.() ?? stat.uid].includes(stat.uid);
    const note = isTrusted ? readNote(fd, stat.size) : undefined;
    if (isTrusted) {
      const dispose = (): void => fs.closeSync(fd);
      return { path: candidate, fd, ...(note !== undefined && { note }), [Symbol.dispose]: dispose };
    }
    fs.closeSync(fd);
  }
  return undefined;
}

function readNote(fd: number, sizeBytes: number): JournalNote | undefined {
  if (sizeBytes < magic.length + trailerBytes) return undefined;
  const trailer = Buffer.alloc(trailerBytes);
  readWhole(fd, trailer, sizeBytes - trailerBytes);
  const noteLength = trailer.readUInt32LE(0);
  const payloadBytes = sizeBytes - trailerBytes - noteLength;
  if (noteLength > noteLimitBytes || payloadBytes < magic.length) return undefined;
  const note = Buffer.alloc(noteLength);
  readWhole(fd, note, payloadBytes);
  if (crc32(note) !== trailer.readUInt32LE(4)) return undefined;
  if (sumOf(fd, { from: 0, to: payloadBytes }) !== trailer.readUInt32LE(8)) return undefined;
  return JSON.parse(note.toString()) as JournalNote;
}

/** CRC-32 of a part of a file. */
export function sumOf(fd: number, { from, to }: { readonly from: number; readonly to: number }): number {
  let sum = 0;
  for (const bytes of chunksOf(fd, { from, to })) sum = crc32(bytes, sum);
  return sum;
}

/** A part of a file, piece by piece; each good until the next. */
export function* chunksOf(fd: number, { from, to }: { readonly from: number; readonly to: number }): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(copyBytes, to - from)));
  for (let at = from; at < to; at += copyBytes) {
    const bytes = buffer.subarray(0, Math.min(copyBytes, to - at));
    readWhole(fd, bytes, at);
    yield bytes;
  }
}

export function bytesInFirstPage(from: number): number {
  return pageBytes - (from % pageBytes);
}

/**
 * CRC-32 of each sector of a part of a file, sectors counted from its beginning. `shift` is how much further on the bytes
 * are in the file that is read.
 */
export function sectorSums(
  fd: number,
  { from, to, shift = 0 }: { readonly from: number; readonly to: number; readonly shift?: number },
): number[] {
  const sums: number[] = [];
  const buffer = Buffer.allocUnsafe(copyBytes);
  for (let at = from; at < to;) {
    const end = Math.min(to, at - (at % sectorBytes) + copyBytes);
    const bytes = buffer.subarray(0, end - at);
    readWhole(fd, bytes, at + shift);
    for (let sector = at; sector < end;) {
      const next = Math.min(end, sector - (sector % sectorBytes) + sectorBytes);
      sums.push(crc32(bytes.subarray(sector - at, next - at)));
      sector = next;
    }
    at = end;
  }
  return sums;
}

export interface JournalOptions {
  readonly mailbox: string;
  readonly paths: readonly string[];
  readonly io: FileIo;
  /** Whom the mailbox belongs to, and so the journal. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** Writes a journal of a rewriting, synced: from now on it will be carried out, whatever happens. */
export function writeRewriteJournal(
  mailboxFd: number,
  change: { readonly runs: readonly Run[]; readonly newSizeBytes: number },
  options: JournalOptions,
): string {
  const { ino, size } = fs.fstatSync(mailboxFd);
  const written = writeJournal({ ...options, isSynced: true }, (writer) => {
    const runs = change.runs.map((run) => {
      const payloadAt = writer.at;
      for (const part of run.parts) {
        if (part instanceof Uint8Array) writer.write(part);
        else for (const bytes of chunksOf(mailboxFd, part)) writer.write(bytes);
      }
      const lengthBytes = writer.at - payloadAt;
      const old = { from: run.at, to: Math.min(size, run.at + lengthBytes) };
      return { at: run.at, lengthBytes, payloadAt, oldSums: sectorSums(mailboxFd, old) };
    });
    const cutSum = sumOf(mailboxFd, { from: change.newSizeBytes, to: size });
    const sizes = { oldSizeBytes: size, newSizeBytes: change.newSizeBytes };
    return { kind: "rewrite", inode: ino, ...sizes, cutSum, runs };
  });
  if (written !== undefined) return written;
  throw new Failure("refused", `cannot change "${options.mailbox}": files cannot be created beside it`, {
    hint: "a change is first written there, so that none is half done; let the user's group write in that folder",
  });
}

/** Writes where an append begins, so that half of one is known for what it is. */
export function writeAppendJournal(
  mailboxFd: number,
  append: { readonly from: number; readonly bytes: Uint8Array; readonly fromPlaces: readonly number[] },
  options: JournalOptions,
): string | undefined {
  const { from, bytes, fromPlaces } = append;
  const inode = fs.fstatSync(mailboxFd).ino;
  const sums = { sum: crc32(bytes), firstPageSum: crc32(bytes.subarray(0, bytesInFirstPage(from))) };
  const note = { kind: "append", inode, from, lengthBytes: bytes.length, ...sums, fromPlaces } as const;
  // Not synced: the kernel keeps the order towards a process that is killed. After a power failure half of a message
  // that nobody was told of may stay; a second sync for each delivery would be a high price for that.
  return writeJournal({ ...options, isSynced: false }, () => note);
}

class JournalWriter {
  at = 0;
  sum = 0;
  readonly #fd: number;
  readonly #io: FileIo;

  constructor(fd: number, io: FileIo) {
    this.#fd = fd;
    this.#io = io;
  }

  write(bytes: Uint8Array): void {
    this.#io.write(this.#fd, bytes, this.at);
    this.sum = crc32(bytes, this.sum);
    this.at += bytes.length;
  }
}

function writeJournal(
  options: JournalOptions & { readonly isSynced: boolean },
  fill: (writer: JournalWriter) => JournalNote,
): string | undefined {
  const { io, owner, isSynced } = options;
  const created = createFirst(options.paths);
  if (created === undefined) return undefined;
  const { fd, target } = created;
  const part = unfinished(target);
  try {
    if (process.geteuid?.() === 0) fs.fchownSync(fd, owner.uid, owner.gid);
    const writer = new JournalWriter(fd, io);
    writer.write(magic);
    const note = Buffer.from(JSON.stringify(fill(writer)));
    const trailer = Buffer.alloc(trailerBytes);
    trailer.writeUInt32LE(note.length, 0);
    trailer.writeUInt32LE(crc32(note), 4);
    trailer.writeUInt32LE(writer.sum, 8);
    io.write(fd, Buffer.concat([note, trailer]), writer.at);
    if (isSynced) io.sync(fd);
  } catch (error) {
    fs.rmSync(part, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(part, target);
  if (isSynced) io.syncFolder(path.dirname(target));
  return target;
}

/** The name of a journal that is being written. */
function unfinished(target: string): string {
  return `${target}.lock`;
}

/** What was begun and never counted; only for who has the locks to write. */
export function removeUnfinished(paths: readonly string[]): void {
  for (const target of paths.map(unfinished)) if (fs.existsSync(target)) fs.rmSync(target, { force: true });
}

/** In the first place where files may be created; beside its name, which it takes over from an older one. */
function createFirst(paths: readonly string[]): { readonly fd: number; readonly target: string } | undefined {
  for (const [index, target] of paths.entries()) {
    try {
      if (index > 0) fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
      fs.rmSync(unfinished(target), { force: true });
      return { fd: fs.openSync(unfinished(target), "wx+", 0o600), target };
    } catch (error) {
      if (!isSystemError(error, "EACCES", "EPERM", "EROFS")) throw error;
    }
  }
  return undefined;
}
