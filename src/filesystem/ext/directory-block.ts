import { damaged } from "../damaged.ts";
import { directoryEntry, directoryEntryHeaderBytes } from "./directory-entry.ts";

/** An entry of a directory as it stands in its block. */
export interface DirectoryRecord {
  readonly at: number;
  readonly recordLength: number;
  readonly inode: number;
  /** 0 where the file system keeps no types. */
  readonly fileType: number;
  readonly name: Uint8Array;
}

const smallestRecord = directoryEntryHeaderBytes + 4;

/** The entries in use in a stretch of entries, which fill it wholly. Throws `damaged` where they do not. */
export function recordsIn(bytes: Uint8Array, start: number, what: string): DirectoryRecord[] {
  const records: DirectoryRecord[] = [];
  for (let at = start; at < bytes.length;) {
    if (at + directoryEntryHeaderBytes > bytes.length) throw damaged(what, "an entry passes the end of its block");
    const { inode, recordLength: lengthOnDisk, nameLength, fileType } = directoryEntry.decode(bytes, at);
    const recordLength = realRecordLength(lengthOnDisk, bytes.length);
    if (recordLength < smallestRecord || recordLength % 4 !== 0 || at + recordLength > bytes.length) {
      throw damaged(what, `an entry of ${recordLength} bytes at ${at} does not fit its block`);
    }
    if (inode !== 0) {
      const nameEnd = at + directoryEntryHeaderBytes + nameLength;
      if (nameLength === 0 || nameEnd > at + recordLength)
        throw damaged(what, `the name at ${at} does not fit its entry`);
      records.push({
        at,
        recordLength,
        inode,
        fileType,
        name: bytes.subarray(at + directoryEntryHeaderBytes, nameEnd),
      });
    }
    at += recordLength;
  }
  return records;
}

/** In a block of 64 KiB the 16 bits cannot hold every length: the two lowest, always 0, hold the upper ones. */
export function realRecordLength(onDisk: number, blockBytes: number): number {
  if (blockBytes < 65536) return onDisk;
  if (onDisk === 0 || onDisk === 65535) return 65536;
  return (onDisk & 0xfffc) | ((onDisk & 3) << 16);
}

const dot = 0x2e;

/** Whether a name is `.` or `..`. */
export function isDotName(name: Uint8Array): boolean {
  return name[0] === dot && (name.length === 1 || (name.length === 2 && name[1] === dot));
}
