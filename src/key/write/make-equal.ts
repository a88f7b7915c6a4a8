import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { alignedBuffer, type BlockDevice, type BlockReader } from "../../device/index.ts";
import type { Extent } from "../../filesystem/index.ts";
import { grainBytes } from "./required-extents.ts";

/** A disk that is made equal. */
export type EqualDisk = Pick<BlockDevice, "sizeBytes" | "read" | "write" | "flush">;

export interface EqualRequest {
  readonly target: BlockReader;
  /** What has to be equal: ascending, in whole grains. */
  readonly extents: readonly Extent[];
  /** What stands in front of the first partition: table and boot code, a multiple of the grain. */
  readonly headBytes: number;
  /** What was written is read from the disk itself from now on. */
  readonly forgetCached?: () => void;
}

export interface Equalled {
  readonly comparedBytes: number;
  /** 0: the disk was equal already. */
  readonly writtenBytes: number;
}

/** What a disk writes whole or not at all. */
const sectorBytes = 512;
const chunkBytes = 4 * 2 ** 20;
/** So many chunks are read, compared and written at the same time. */
const laneCount = 4;
/** Smaller chunks are read whole. */
const sampledBytes = 2 ** 20;
/** What differs is written in runs of these: less makes many small writes, which flash is slow at. */
const runGrainBytes = 64 * 1024;
/** The table: sector 0 and, of a GPT, the header and its entries. */
const tableBytes = 5 * grainBytes;

/**
 * Makes a disk equal to a target where that matters, by writing only what differs, and reads it all back. Before the
 * first write the disk's table is erased, and the new one is written last, when the rest was read back: what is
 * interrupted is no key. Doing it again finishes it. Throws `mismatch` where the disk does not keep what was written.
 */
export async function makeEqual(disk: EqualDisk, request: EqualRequest, job: JobOptions = {}): Promise<Equalled> {
  const { extents, headBytes } = request;
  const data = cutAt(extents, headBytes).behind;
  const work = new EqualWork(disk, request, job);
  await work.write(data);
  if (work.writtenBytes > 0) await work.verify(data);
  const head = cutAt(extents, headBytes).before;
  if (work.writtenBytes === 0 && !(await work.differs(head))) return work.result;
  await work.eraseTable(); // before the head is compared: it is part of it
  const { before: first, behind: rest } = cutAt(head, sectorBytes);
  for (const part of [rest, first]) {
    await work.write(part);
    await work.verify(part);
  }
  return work.result;
}

class EqualWork {
  writtenBytes = 0;
  #doneBytes = 0;
  #erasing: Promise<void> | undefined;
  readonly #disk: EqualDisk;
  readonly #request: EqualRequest;
  readonly #job: JobOptions;
  readonly #comparedBytes: number;

  constructor(disk: EqualDisk, request: EqualRequest, job: JobOptions) {
    this.#disk = disk;
    this.#request = request;
    this.#job = job;
    this.#comparedBytes = request.extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  }

  get result(): Equalled {
    return { comparedBytes: this.#comparedBytes, writtenBytes: this.writtenBytes };
  }

  /** Writes what differs, and lets it reach the disk. */
  async write(extents: readonly Extent[]): Promise<void> {
    const before = this.writtenBytes;
    await this.#eachChunk("writing", extents, async (at, here, wanted) => {
      for (const { start, end } of await this.#differing(at, here, wanted)) {
        await this.eraseTable();
        await this.#disk.write(at + start, wanted.subarray(start, end));
        this.writtenBytes += end - start;
      }
    });
    if (this.writtenBytes > before) await this.#disk.flush();
  }

  async verify(extents: readonly Extent[]): Promise<void> {
    this.#request.forgetCached?.();
    await this.#eachChunk("verifying", extents, async (at, here, wanted) => {
      await this.#disk.read(at, here);
      const run = differingRuns(here, wanted)[0];
      if (run === undefined) return;
      throw new Failure(
        "mismatch",
        `cannot verify the device: it does not keep what is written at byte ${at + run.start}`,
        {
          hint: "it is worn out, broken, or smaller than it says; use another one",
        },
      );
    });
  }

  async differs(extents: readonly Extent[]): Promise<boolean> {
    let found = false;
    await this.#eachChunk("comparing", extents, async (at, here, wanted) => {
      await this.#disk.read(at, here);
      found ||= differingRuns(here, wanted).length > 0;
    });
    return found;
  }

  /** Once, before anything else is written: what is half written must not be taken for the key that was there. */
  eraseTable(): Promise<void> {
    this.#erasing ??= (async () => {
      await this.#disk.write(0, alignedBuffer(Math.min(tableBytes, this.#request.headBytes)));
      await this.#disk.flush();
    })();
    return this.#erasing;
  }

  /** What has to be written of a chunk. Where samples of it are all different, the rest is not read only to be compared. */
  async #differing(at: number, here: Uint8Array, wanted: Uint8Array): Promise<readonly Run[]> {
    if (wanted.length < sampledBytes || !(await this.#isOther(at, here, wanted))) {
      await this.#disk.read(at, here);
      return differingRuns(here, wanted);
    }
    return [{ start: 0, end: wanted.length }];
  }

  async #isOther(at: number, here: Uint8Array, wanted: Uint8Array): Promise<boolean> {
    const last = Math.floor((wanted.length - grainBytes) / grainBytes);
    for (const grain of [0, Math.floor(last / 2), last]) {
      const [start, end] = [grain * grainBytes, (grain + 1) * grainBytes];
      await this.#disk.read(at + start, here.subarray(start, end));
      if (Buffer.compare(here.subarray(start, end), wanted.subarray(start, end)) === 0) return false;
    }
    return true;
  }

  /** Reads what is wanted; what is there is for `visit` to read. */
  async #eachChunk(
    phase: string,
    extents: readonly Extent[],
    visit: (at: number, here: Uint8Array, wanted: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const chunks = chunksOf(extents);
    let isStopped = false;
    const lane = async (): Promise<void> => {
      const buffers = [alignedBuffer(chunkBytes), alignedBuffer(chunkBytes)] as const;
      for (const { startBytes: at, lengthBytes } of chunks) {
        if (isStopped) return;
        stopIfAborted(this.#job.signal);
        const [here, wanted] = [buffers[0].subarray(0, lengthBytes), buffers[1].subarray(0, lengthBytes)];
        await this.#request.target.read(at, wanted);
        await visit(at, here, wanted);
        this.#doneBytes += lengthBytes;
        this.#report(phase);
      }
    };
    const lanes = Array.from({ length: laneCount }, async () => {
      try {
        await lane();
      } catch (error) {
        isStopped = true;
        throw error;
      }
    });
    // The disk is not closed under a lane that still works.
    const failed = (await Promise.allSettled(lanes)).find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #report(phase: string): void {
    // All is read once to be compared and once to be verified.
    const totalBytes = 2 * this.#comparedBytes;
    this.#job.onProgress?.({ phase, doneBytes: Math.min(this.#doneBytes, totalBytes), totalBytes });
  }
}

/** Chunks, each handed out once however many lanes ask. */
function* chunksOf(extents: readonly Extent[]): Generator<Extent> {
  for (const { startBytes, lengthBytes } of extents) {
    for (let done = 0; done < lengthBytes; done += chunkBytes) {
      yield { startBytes: startBytes + done, lengthBytes: Math.min(chunkBytes, lengthBytes - done) };
    }
  }
}

interface Run {
  readonly start: number;
  readonly end: number;
}

function differingRuns(here: Uint8Array, wanted: Uint8Array): readonly Run[] {
  const runs: { start: number; end: number }[] = [];
  if (Buffer.compare(here, wanted) === 0) return runs;
  for (let start = 0; start < here.length; start += runGrainBytes) {
    const end = Math.min(start + runGrainBytes, here.length);
    if (Buffer.compare(here.subarray(start, end), wanted.subarray(start, end)) === 0) continue;
    const last = runs.at(-1);
    if (last?.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}

function cutAt(extents: readonly Extent[], atBytes: number): { readonly before: Extent[]; readonly behind: Extent[] } {
  const before: Extent[] = [];
  const behind: Extent[] = [];
  for (const { startBytes, lengthBytes } of extents) {
    const inFront = Math.max(0, Math.min(lengthBytes, atBytes - startBytes));
    if (inFront > 0) before.push({ startBytes, lengthBytes: inFront });
    if (inFront < lengthBytes) behind.push({ startBytes: startBytes + inFront, lengthBytes: lengthBytes - inFront });
  }
  return { before, behind };
}
