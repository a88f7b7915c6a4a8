import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { alignedBuffer, type BlockDevice, type BlockReader } from "../../device/index.ts";
import { CoalescingWriter, leftOutOfNtfs } from "../../filesystem/index.ts";
import type { BackupFolder, BackupPart } from "../clonezilla/index.ts";
import { openPart, packedDataOf, type PartStream } from "../open-part.ts";
import { isZero } from "../packed/index.ts";
import { ntfsImage, type Piece } from "../partclone/index.ts";

/** What all that is done with one backup has in hand. */
export interface Restoring {
  readonly folder: BackupFolder;
  /** Where programs are looked for that unpack what this one does not. */
  readonly env: NodeJS.ProcessEnv;
  readonly job: JobOptions;
  /** Hears how many bytes of packed data were taken. */
  readonly onRead: (phase: string, bytes: number) => void;
}

/** Where a partition is restored to. */
export interface PartPlace {
  readonly device: BlockDevice;
  /** It reads as zeros already. */
  readonly isFresh: boolean;
}

/** What was copied. */
export interface CopiedPart {
  readonly restoredBytes: number;
  /** Of the file system; of plain bytes how many there were. */
  readonly contentBytes: number;
}

/** Zeros are looked for in stretches of this length: a new file has them already. */
const zeroStretchBytes = 32 * 1024;

/** How large the content of a partition is. Of plain bytes nobody can tell before all of them were read. */
export async function contentBytesOf(restoring: Restoring, part: BackupPart): Promise<number> {
  await using stream = await openStream(restoring, part);
  // NTFS has a sector behind its last cluster; what old images say of their device may be less than their blocks.
  if (stream.head !== undefined) return Math.max(blocksBytes(stream), stream.head.description.deviceBytes);
  let lengthBytes = 0;
  for await (const batch of stream.batches) for (const { bytes } of batch) lengthBytes += bytes.length;
  return lengthBytes;
}

/** How large the device was that a partition's content stood on: NTFS has a sector more than its blocks. */
export async function deviceBytesOf(restoring: Restoring, part: BackupPart): Promise<number> {
  {
    await using stream = await openStream(restoring, part);
    if (stream.head !== undefined) return stream.head.description.deviceBytes;
  }
  return await contentBytesOf(restoring, part);
}

/**
 * Writes what a backup has of a partition to its places. Throws `no-space` where the device ends before it, unless what
 * is behind the end is to be left out.
 */
export async function copyPart(
  restoring: Restoring,
  part: BackupPart,
  { device, isFresh }: PartPlace,
  { cutsOff = false }: { readonly cutsOff?: boolean } = {},
): Promise<CopiedPart> {
  await using stream = await openStream(restoring, part, `restoring ${part.name}`);
  const needed = stream.head === undefined ? 0 : blocksBytes(stream);
  if (needed > device.sizeBytes && !cutsOff) throw tooSmall(part.name, needed, device.sizeBytes);
  const put = isFresh ? putData : putAll;
  const writer = new CoalescingWriter(device, device.sizeBytes);
  let restoredBytes = 0;
  let end = 0;
  try {
    for await (const batch of stream.batches) {
      stopIfAborted(restoring.job.signal);
      for (const { at, bytes } of batch) {
        end = Math.max(end, at + bytes.length);
        if (end > device.sizeBytes && !cutsOff) throw tooSmall(part.name, end, device.sizeBytes);
        restoredBytes += bytes.length;
        const waiting = put(writer, at, bytes.subarray(0, Math.max(0, device.sizeBytes - at)));
        if (waiting !== undefined) await waiting;
      }
    }
    await writer.drain();
  } finally {
    await writer.settle(); // whether it fails or not, the device is left with nothing in hand
  }
  if (stream.head?.description.fileSystem === ntfsImage) await writeLeftOut(device);
  return { restoredBytes, contentBytes: needed === 0 ? end : needed };
}

/** The second boot sector of NTFS is in no image of its clusters. */
async function writeLeftOut(device: BlockDevice): Promise<void> {
  const leftOut = await leftOutOfNtfs(device);
  if (leftOut !== undefined) await device.write(leftOut.at, leftOut.bytes);
}

/** Reads a device where a backup has data, and compares. Throws `mismatch` where it is not the same. */
export async function comparePart(restoring: Restoring, part: BackupPart, reader: BlockReader): Promise<void> {
  await using stream = await openStream(restoring, part, `verifying ${part.name}`);
  const buffer = alignedBuffer(compareBytes);
  for await (const batch of stream.batches) {
    stopIfAborted(restoring.job.signal);
    for (const piece of batch) await comparePiece(part.name, piece, { reader, buffer });
  }
}

/** Reads a backup's data of a partition through, for its checksums. */
export async function readThrough(restoring: Restoring, part: BackupPart): Promise<void> {
  await using stream = await openStream(restoring, part, `reading ${part.name}`);
  for (const batches = stream.batches[Symbol.asyncIterator](); (await batches.next()).done !== true;) {
    stopIfAborted(restoring.job.signal);
  }
}

const compareBytes = 4 * 1024 * 1024;

async function comparePiece(
  name: string,
  { at, bytes }: Piece,
  { reader, buffer }: { readonly reader: BlockReader; readonly buffer: Uint8Array },
): Promise<void> {
  for (let done = 0; done < bytes.length; done += buffer.length) {
    const here = buffer.subarray(0, Math.min(buffer.length, bytes.length - done));
    if (at + done >= reader.sizeBytes) return;
    const there = here.subarray(0, Math.min(here.length, reader.sizeBytes - at - done));
    await reader.read(at + done, there);
    if (Buffer.compare(there, bytes.subarray(done, done + there.length)) === 0) continue;
    throw new Failure(
      "mismatch",
      `cannot verify ${name}: the target does not keep what is written near byte ${at + done}`,
      { hint: "it is worn out, broken, or smaller than it says; use another one" },
    );
  }
}

async function openStream({ folder, env, onRead }: Restoring, part: BackupPart, phase = ""): Promise<PartStream> {
  return await openPart(packedDataOf(folder, part, env), part.kind, (bytes) => {
    if (phase !== "") onRead(phase, bytes);
  });
}

function blocksBytes({ head }: PartStream): number {
  return head === undefined ? 0 : head.description.blockBytes * head.description.blockCount;
}

function tooSmall(name: string, needed: number, there: number): Failure {
  const [takes, has] = [needed, there].map((bytes) => `${formatSize(bytes)} (${bytes} bytes)`);
  return new Failure("no-space", `cannot restore ${name}: it takes ${takes}, its place has ${has}`);
}

function putAll(writer: CoalescingWriter, at: number, bytes: Uint8Array): Promise<void> | undefined {
  return writer.put(at, bytes);
}

/** A promise only where the writer has to be waited for. */
function putData(writer: CoalescingWriter, at: number, bytes: Uint8Array): Promise<void> | undefined {
  let start = 0;
  let waiting: Promise<void> | undefined;
  const flush = (end: number): void => {
    if (end === start) return;
    const [from, part] = [at + start, bytes.subarray(start, end)];
    waiting = waiting === undefined ? writer.put(from, part) : waiting.then(() => writer.put(from, part));
  };
  for (let stretch = 0; stretch < bytes.length; stretch += zeroStretchBytes) {
    const next = Math.min(stretch + zeroStretchBytes, bytes.length);
    if (!isZero(bytes.subarray(stretch, next))) continue;
    flush(stretch);
    start = next;
  }
  flush(bytes.length);
  return waiting;
}
