import { Failure } from "../../../base/index.ts";
import type { DataPiece } from "../../../tree/index.ts";
import type { NewContent } from "../../editable-file-system.ts";
import type { ClusterRun } from "../../cluster-run.ts";
import { ClusterWriter } from "../../cluster-writer.ts";
import { chainRuns } from "../chain.ts";
import { damaged } from "../../damaged.ts";
import { clusterOf, type ShortEntry } from "../directory-entry.ts";
import { clusterAt } from "../layout.ts";
import type { FatVolume } from "./fat-volume.ts";

/** The largest file: its size has 32 bits. */
const fileLimitBytes = 2 ** 32 - 1;

/** What an entry says of where a file's data is. */
export type DataPlace = Pick<ShortEntry, "clusterHigh" | "clusterLow" | "sizeBytes">;

/** A change to the data of a file: the bytes from `at` to `at + lengthBytes`, and the size afterwards. */
interface Splice {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
}

/**
 * The data of files. Nothing is overwritten that the device refers to: new data goes into new clusters, which take the
 * place of the old ones with the commit.
 */
export class FileStore {
  readonly #volume: FatVolume;

  constructor(volume: FatVolume) {
    this.#volume = volume;
  }

  /** Writes data into new clusters; gives what the entry is to say. */
  async put({ sizeBytes, content = [] }: NewContent, name: string): Promise<DataPlace> {
    refuseTooLarge(sizeBytes, name);
    const runs = await this.#volume.takeChain(this.#volume.clustersFor(sizeBytes));
    await new ClusterWriter(this.#volume, runs, name).write(content, sizeBytes);
    return placeAt(runs[0]?.start ?? 0, sizeBytes);
  }

  /** Overwrites a part, which may pass the end. */
  write(entry: ShortEntry, at: number, bytes: Uint8Array, what: string): Promise<DataPlace> {
    const sizeBytes = Math.max(entry.sizeBytes, at + bytes.length);
    refuseTooLarge(sizeBytes, what);
    return this.#splice(entry, { at, bytes, sizeBytes }, what);
  }

  async truncate(entry: ShortEntry, sizeBytes: number, what: string): Promise<DataPlace> {
    refuseTooLarge(sizeBytes, what);
    const { table } = this.#volume;
    const first = clusterOf(entry, this.#volume.isLarge);
    if (sizeBytes > entry.sizeBytes) {
      return this.#splice(entry, { at: sizeBytes, bytes: new Uint8Array(0), sizeBytes }, what);
    }
    const kept = this.#volume.clustersFor(sizeBytes);
    if (kept === 0) {
      await this.#volume.releaseChain(first, what);
      return placeAt(0, sizeBytes);
    }
    const last = await this.#clusterAt(first, kept - 1, what);
    const next = await table.value(last);
    if (next < table.marks.end) {
      await this.#volume.releaseChain(next, what);
      await table.set(last, table.marks.mask);
    }
    return placeAt(first, sizeBytes);
  }

  /** Puts new clusters in the place of those that a change touches, and behind the last. */
  async #splice(entry: ShortEntry, change: Splice, what: string): Promise<DataPlace> {
    const { at, bytes, sizeBytes } = change;
    const { table, layout } = this.#volume;
    const first = clusterOf(entry, this.#volume.isLarge);
    const oldCount = this.#volume.clustersFor(entry.sizeBytes);
    const from = Math.floor(Math.min(at, entry.sizeBytes) / layout.clusterBytes);
    const to = Math.ceil(Math.max(at + bytes.length, from * layout.clusterBytes) / layout.clusterBytes);
    if (to <= from) return placeAt(first, sizeBytes);
    const replaced = await this.#range(first, { from, to: Math.min(to, oldCount) }, what);
    const after = to < oldCount ? await this.#clusterAt(first, to, what) : undefined;
    const before = from > 0 ? await this.#clusterAt(first, from - 1, what) : undefined;
    const runs = await this.#volume.takeChain(to - from, after);
    const base = from * layout.clusterBytes;
    const content = this.#mixed(replaced, { ...change, at: at - base, oldBytes: Math.max(0, entry.sizeBytes - base) });
    const lengthBytes = (to - from) * layout.clusterBytes;
    await new ClusterWriter(this.#volume, runs, what).write(content, lengthBytes);
    if (after === undefined && before !== undefined) await this.#cutExcess(before, oldCount - from, what);
    else if (after === undefined && first !== 0) await this.#volume.releaseChain(first, what);
    else for (const run of replaced) await this.#volume.release(run);
    const start = runs[0]?.start ?? 0;
    if (before === undefined) return placeAt(start, sizeBytes);
    await table.set(before, start);
    return placeAt(first, sizeBytes);
  }

  /** Frees all that follows a cluster: `known` clusters that belong to the file, and what might be beyond its size. */
  async #cutExcess(before: number, known: number, what: string): Promise<void> {
    const next = await this.#volume.table.value(before);
    if (next < this.#volume.table.marks.end) await this.#volume.releaseChain(next, what);
    else if (known > 0) throw damaged(what, "its clusters end before its size");
  }

  /** What the clusters of a change hold: the new bytes, and beside them what was there. */
  async *#mixed(
    replaced: readonly ClusterRun[],
    { at, bytes, oldBytes }: { readonly at: number; readonly bytes: Uint8Array; readonly oldBytes: number },
  ): AsyncGenerator<DataPiece> {
    yield* this.#oldBytes(replaced, 0, Math.min(at, oldBytes));
    if (bytes.length > 0) yield { at, bytes };
    const { clusterBytes } = this.#volume.layout;
    const replacedBytes = replaced.reduce((sum, { count }) => sum + count, 0) * clusterBytes;
    yield* this.#oldBytes(replaced, at + bytes.length, Math.min(oldBytes, replacedBytes));
  }

  /** The bytes from `start` to `end` of what stands in clusters. */
  async *#oldBytes(runs: readonly ClusterRun[], start: number, end: number): AsyncGenerator<DataPiece> {
    const { layout, device, out } = this.#volume;
    if (start >= end) return;
    await out.drain();
    for (let runAt = 0, n = 0; n < runs.length; n++) {
      const run = runs[n] ?? { start: 0, count: 0 };
      const runEnd = runAt + run.count * layout.clusterBytes;
      for (let at = Math.max(start, runAt); at < Math.min(end, runEnd);) {
        const bytes = new Uint8Array(Math.min(end, runEnd, at + pieceBytes) - at);
        await device.read(clusterAt(layout, run.start) + at - runAt, bytes);
        yield { at, bytes };
        at += bytes.length;
      }
      runAt = runEnd;
    }
  }

  /** Clusters number `from` up to, not including, `to` of a chain. */
  async #range(first: number, { from, to }: { from: number; to: number }, what: string): Promise<ClusterRun[]> {
    const runs: ClusterRun[] = [];
    if (from >= to) return runs;
    let number = 0;
    for await (const run of chainRuns(this.#volume.table, first, { limit: to, what })) {
      const skip = Math.max(0, from - number);
      if (skip < run.count) runs.push({ start: run.start + skip, count: run.count - skip });
      number += run.count;
    }
    if (number < to) throw damaged(what, "its clusters end before its size");
    return runs;
  }

  async #clusterAt(first: number, number: number, what: string): Promise<number> {
    const [run] = await this.#range(first, { from: number, to: number + 1 }, what);
    if (run === undefined) throw damaged(what, "its clusters end before its size");
    return run.start;
  }
}

const pieceBytes = 1024 * 1024;

/** What an entry says of data that begins at a cluster; of none where that is 0. */
export function placeAt(start: number, sizeBytes: number): DataPlace {
  return { clusterHigh: Math.floor(start / 0x10000), clusterLow: start % 0x10000, sizeBytes };
}

function refuseTooLarge(sizeBytes: number, what: string): void {
  if (sizeBytes <= fileLimitBytes) return;
  throw new Failure("failed", `cannot write ${what}: it would have ${sizeBytes} bytes, FAT holds files below 4 GiB`, {
    hint: "a file system such as ext4 holds larger ones",
  });
}
