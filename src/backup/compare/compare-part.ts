import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { filesAt, openFileSystem, probe, type Extent } from "../../filesystem/index.ts";
import type { PartStream } from "../open-part.ts";

/** Differences are counted in blocks of so many bytes. */
const blockBytes = 4096;
/** Beyond so many stretches, files are no longer looked for behind all of them. */
const stretchLimit = 100_000;
const fileLimit = 20;

export interface PartDifference {
  readonly blocks: number;
  /** Files of today that have data there, the first of them. */
  readonly files: readonly string[];
  /** There may be others. */
  readonly hasMoreFiles: boolean;
}

/** Compares what was saved of a partition, and only that, with what is there. Undefined where it is the same. */
export async function comparePart(
  stream: PartStream,
  source: BlockReader,
  job: JobOptions,
): Promise<PartDifference | undefined> {
  const found = new Differences();
  for await (const batch of stream.batches) {
    stopIfAborted(job.signal);
    for (const { at, bytes } of batch) await found.compare(source, at, bytes);
  }
  if (found.blocks === 0) return undefined;
  const { files, hasMoreFiles } = await filesIn(source, found.stretches, job);
  return { blocks: found.blocks, files, hasMoreFiles: hasMoreFiles || found.stretches.length >= stretchLimit };
}

class Differences {
  blocks = 0;
  readonly stretches: Extent[] = [];

  async compare(source: BlockReader, at: number, bytes: Uint8Array): Promise<void> {
    const there = Math.max(0, Math.min(bytes.length, source.sizeBytes - at));
    const now = Buffer.from(await readBytes(source, at, there));
    if (there === bytes.length && now.equals(bytes)) return;
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + blockBytes - ((at + from) % blockBytes));
      const isSame = to <= there && now.subarray(from, to).equals(bytes.subarray(from, to));
      if (!isSame) this.#add(at + from, to - from);
      from = to;
    }
  }

  #add(startBytes: number, lengthBytes: number): void {
    this.blocks++;
    const last = this.stretches.at(-1);
    if (last !== undefined && last.startBytes + last.lengthBytes === startBytes) {
      this.stretches[this.stretches.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes };
    } else if (this.stretches.length < stretchLimit) this.stretches.push({ startBytes, lengthBytes });
  }
}

/** None where the file system cannot be read: then it differs too much. */
async function filesIn(source: BlockReader, stretches: readonly Extent[], { signal }: JobOptions) {
  try {
    if ((await probe(source)) === undefined) return { files: [], hasMoreFiles: false };
    await using fileSystem = await openFileSystem(source);
    const options = { pathLimit: fileLimit, ...(signal === undefined ? {} : { signal }) };
    const { paths, isIncomplete } = await filesAt(fileSystem, stretches, options);
    return { files: paths, hasMoreFiles: isIncomplete };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "interrupted") throw error;
    return { files: [], hasMoreFiles: true };
  }
}
