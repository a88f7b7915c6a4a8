import * as fs from "node:fs";
import { promisify } from "node:util";
import { Failure, libc, systemReason } from "../base/index.ts";
import type { DataPiece } from "./entry.ts";
import { openToRead, systemPath } from "./folder-scan.ts";

const readAsync = promisify(fs.read);
const pieceBytes = 1024 * 1024;

/** A file that is too large to be held in memory, as it was when it was looked at. */
export interface LargeFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly isSparse: boolean;
}

/** Two buffers for one file at a time. */
export type BufferPair = readonly [Uint8Array, Uint8Array];

export function newBufferPair(): BufferPair {
  return [new Uint8Array(pieceBytes), new Uint8Array(pieceBytes)];
}

/** The content of a large file in pieces of up to 1 MiB, the next one being read while one is in use. */
export async function* readLargeFile(file: LargeFile, buffers: BufferPair): AsyncGenerator<DataPiece> {
  const fd = openFile(file);
  let coming: Promise<DataPiece> | undefined;
  try {
    refuseChanged(file, fs.fstatSync(fd).size);
    let turn = 0;
    for (const range of dataRanges(fd, file)) {
      for (let at = range.start; at < range.end; at += pieceBytes) {
        const length = Math.min(pieceBytes, range.end - at);
        const next = readPiece(file, fd, at, buffers[turn % 2 === 0 ? 0 : 1].subarray(0, length));
        next.catch(() => {}); // reported when its turn comes
        turn++;
        if (coming !== undefined) yield await coming;
        coming = next;
      }
    }
    if (coming !== undefined) yield await coming;
    refuseChanged(file, fs.fstatSync(fd).size);
  } finally {
    await coming?.catch(() => {}); // a reader that gave up leaves a read under way
    fs.closeSync(fd);
  }
}

function openFile(file: LargeFile): number {
  try {
    return openToRead(systemPath(file.path));
  } catch (error) {
    throw new Failure("failed", `cannot read "${file.path}": ${systemReason(error)}`, { cause: error });
  }
}

async function readPiece(file: LargeFile, fd: number, at: number, into: Uint8Array): Promise<DataPiece> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await readAsync(fd, into, done, into.length - done, at + done);
    if (bytesRead === 0) refuseChanged(file, at + done);
    done += bytesRead;
  }
  return { at, bytes: into };
}

function refuseChanged(file: LargeFile, sizeBytes: number): void {
  if (sizeBytes === file.sizeBytes) return;
  throw new Failure("failed", `cannot read "${file.path}": it changed while it was read`, {
    hint: "try again when nothing writes to it",
  });
}

/** The parts of a file that are not holes. */
function* dataRanges(fd: number, file: LargeFile): Generator<{ readonly start: number; readonly end: number }> {
  const system = file.isSparse ? libc() : undefined;
  if (system === undefined) {
    yield { start: 0, end: file.sizeBytes };
    return;
  }
  for (let at = 0; at < file.sizeBytes;) {
    const start = system.seekData(fd, at);
    if (start < 0) return;
    const end = Math.min(system.seekHole(fd, start), file.sizeBytes);
    if (end <= start) return;
    yield { start, end };
    at = end;
  }
}
