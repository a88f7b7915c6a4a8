import * as fs from "node:fs";
import { libc } from "../../../base/index.ts";
import type { MboxBytes } from "./scan.ts";

/** What changes a file: apart, so that tests can make each call fail. Whole or throws. */
export interface FileIo {
  write(fd: number, bytes: Uint8Array, at: number): void;
  truncate(fd: number, sizeBytes: number): void;
  /** Makes the file longer, with the space for it taken; as before where there is none. */
  extend(fd: number, extent: { readonly fromBytes: number; readonly toBytes: number }): void;
  sync(fd: number): void;
  /** Makes what was created, renamed or removed in a folder last. */
  syncFolder(folder: string): void;
}

const zerosBytes = 2 ** 20;

export const fileIo: FileIo = {
  write(fd, bytes, at) {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
  },
  truncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
  extend(fd, { fromBytes, toBytes }) {
    if (libc()?.preallocate(fd, fromBytes, toBytes - fromBytes) === true) return;
    try {
      for (let at = fromBytes; at < toBytes; at += zerosBytes) {
        fileIo.write(fd, new Uint8Array(Math.min(zerosBytes, toBytes - at)), at);
      }
    } catch (error) {
      fs.ftruncateSync(fd, fromBytes);
      throw error;
    }
  },
  sync: (fd) => fs.fsyncSync(fd),
  syncFolder(folder) {
    const fd = fs.openSync(folder, "r");
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
};

/** The bytes of an open file, as long as it is now. */
export function bytesOfFile(fd: number): MboxBytes {
  return { sizeBytes: fs.fstatSync(fd).size, read: (at, into) => readWhole(fd, into, at) };
}

/** Fills the buffer from that place, or throws. */
export function readWhole(fd: number, into: Uint8Array, at: number): void {
  for (let done = 0; done < into.length;) {
    const count = fs.readSync(fd, into, done, into.length - done, at + done);
    if (count === 0) throw new Error(`the file ends before offset ${at + into.length}`);
    done += count;
  }
}
