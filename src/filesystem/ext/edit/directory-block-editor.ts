import { damaged } from "../../damaged.ts";
import { realRecordLength } from "../directory-block.ts";
import {
  directoryEntry,
  directoryRecordLength,
  directoryTail,
  directoryTailBytes,
  directoryTailFileType,
} from "../directory-entry.ts";
import { directoryBlockChecksum } from "../checksum.ts";

/** A name that stands in a block of a directory, and where. */
export interface FoundRecord {
  readonly at: number;
  /** The record before it in the block, -1 where it is the first. */
  readonly previousAt: number;
  readonly inode: number;
}

/** A name as it goes into a directory. */
export interface NewRecord {
  readonly name: Uint8Array;
  readonly inode: number;
  /** 0 where the file system keeps no types. */
  readonly fileType: number;
}

const inodeAt = directoryEntry.fields.inode[0];
const lengthAt = directoryEntry.fields.recordLength[0];
const nameLengthAt = directoryEntry.fields.nameLength[0];
const typeAt = directoryEntry.fields.fileType[0];
const headerBytes = directoryEntry.sizeBytes;
const smallestRecord = headerBytes + 4;

/** One block of names, changed in place. Its last 12 bytes are a checksum where the file system has them. */
export class DirectoryBlockEditor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #what: string;

  constructor(bytes: Uint8Array, options: { readonly hasTail: boolean; readonly what: string }) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length - (options.hasTail ? directoryTailBytes : 0);
    this.#what = options.what;
  }

  find(name: Uint8Array): FoundRecord | undefined {
    let previousAt = -1;
    for (let at = 0; at < this.#end;) {
      const next = this.#next(at);
      if (this.bytes[at + nameLengthAt] === name.length && this.#inode(at) !== 0 && this.#hasName(at, name)) {
        return { at, previousAt, inode: this.#inode(at) };
      }
      previousAt = at;
      at = next;
    }
    return undefined;
  }

  /** Whether a name of so many bytes finds room. */
  hasRoomFor(nameBytes: number): boolean {
    return this.#roomFor(nameBytes) !== undefined;
  }

  /** Puts a name where there is room for it, which the caller has made sure of. */
  insert(record: NewRecord): void {
    const room = this.#roomFor(record.name.length);
    if (room === undefined) throw new RangeError(`${this.#what}: no room for a name`);
    const { at, usedBytes, lengthBytes } = room;
    if (usedBytes > 0) this.#setLength(at, usedBytes);
    this.#write(at + usedBytes, record);
    this.#setLength(at + usedBytes, lengthBytes - usedBytes);
  }

  /** Takes a record out; its room goes to the one before it. */
  remove({ at, previousAt }: FoundRecord): void {
    const next = this.#next(at);
    if (previousAt >= 0) {
      this.#setLength(previousAt, next - previousAt);
      this.bytes.fill(0, at, next);
    } else {
      this.bytes.fill(0, at, at + lengthAt);
      this.bytes.fill(0, at + lengthAt + 2, next);
    }
  }

  /** Lets a name stand for another file. */
  redirect(at: number, { inode, fileType }: Pick<NewRecord, "inode" | "fileType">): void {
    this.#view.setUint32(at + inodeAt, inode, true);
    this.bytes[at + typeAt] = fileType;
  }

  records(): NewRecord[] {
    const records: NewRecord[] = [];
    for (let at = 0; at < this.#end; at = this.#next(at)) {
      const inode = this.#inode(at);
      if (inode === 0) continue;
      const nameEnd = at + headerBytes + (this.bytes[at + nameLengthAt] ?? 0);
      const name = Uint8Array.from(this.bytes.subarray(at + headerBytes, nameEnd));
      records.push({ name, inode, fileType: this.bytes[at + typeAt] ?? 0 });
    }
    return records;
  }

  /** Fills the block with these records, which fit, and nothing else. */
  setRecords(records: readonly NewRecord[]): void {
    this.bytes.fill(0);
    this.#setLength(0, this.#end);
    let at = 0;
    for (const [n, record] of records.entries()) {
      this.#write(at, record);
      const length = directoryRecordLength(record.name.length);
      const isLast = n === records.length - 1;
      this.#setLength(at, isLast ? this.#end - at : length);
      at += length;
    }
  }

  /** Makes the checksum right; only where the file system has them. */
  seal(seed: number): void {
    directoryTail.patch(
      this.bytes,
      {
        inode: 0,
        recordLength: directoryTailBytes,
        nameLength: 0,
        fileType: directoryTailFileType,
        checksum: directoryBlockChecksum(this.bytes, seed),
      },
      this.bytes.length - directoryTailBytes,
    );
  }

  #roomFor(nameBytes: number): { at: number; usedBytes: number; lengthBytes: number } | undefined {
    const needed = directoryRecordLength(nameBytes);
    for (let at = 0; at < this.#end;) {
      const next = this.#next(at);
      const usedBytes = this.#inode(at) === 0 ? 0 : directoryRecordLength(this.bytes[at + nameLengthAt] ?? 0);
      if (next - at - usedBytes >= needed) return { at, usedBytes, lengthBytes: next - at };
      at = next;
    }
    return undefined;
  }

  #inode(at: number): number {
    return this.#view.getUint32(at + inodeAt, true);
  }

  /** Where the record after this one starts. */
  #next(at: number): number {
    if (at + headerBytes > this.#end) throw damaged(this.#what, "an entry passes the end of its block");
    const length = realRecordLength(this.#view.getUint16(at + lengthAt, true), this.bytes.length);
    const used = headerBytes + (this.#inode(at) === 0 ? 0 : (this.bytes[at + nameLengthAt] ?? 0));
    if (length < smallestRecord || length < used || length % 4 !== 0 || at + length > this.#end) {
      throw damaged(this.#what, `an entry of ${length} bytes at ${at} does not fit its block`);
    }
    return at + length;
  }

  #hasName(at: number, name: Uint8Array): boolean {
    const start = at + headerBytes;
    for (let n = 0; n < name.length; n++) if (this.bytes[start + n] !== name[n]) return false;
    return true;
  }

  #write(at: number, { name, inode, fileType }: NewRecord): void {
    this.#view.setUint32(at + inodeAt, inode, true);
    this.bytes[at + nameLengthAt] = name.length;
    this.bytes[at + typeAt] = fileType;
    this.bytes.set(name, at + headerBytes);
  }

  /** In blocks of 64 KiB the two lowest bits, always 0, hold the upper ones. */
  #setLength(at: number, length: number): void {
    const isHuge = this.bytes.length >= 65536;
    const onDisk = !isHuge ? length : length === 65536 ? 65535 : (length & 0xfffc) | (length >>> 16);
    this.#view.setUint16(at + lengthAt, onDisk, true);
  }
}

/** Whether a block ends as a block of names with a checksum does. */
export function endsWithTail(bytes: Uint8Array): boolean {
  const tail = directoryTail.decode(bytes, bytes.length - directoryTailBytes);
  return tail.inode === 0 && tail.fileType === directoryTailFileType && tail.recordLength === directoryTailBytes;
}

/** Whether a name is `.` or `..`. */
export function isDot(name: Uint8Array): boolean {
  return (name.length === 1 || name.length === 2) && name.every((byte) => byte === 0x2e);
}
