import type { DataPiece } from "../../../tree/index.ts";
import { clustersIn, type ClusterRun } from "../../cluster-run.ts";
import { ClusterWriter } from "../../cluster-writer.ts";
import type { NewContent } from "../../editable-file-system.ts";
import { allocationOf, type Allocation } from "../chain.ts";
import { partsOf, validBytes, type FileFacts } from "../exfat-file.ts";
import { joined, partOf, placeIn, type StreamPlace } from "./data-place.ts";
import type { ExfatVolume } from "./exfat-volume.ts";

/** A change to the data of a file: the bytes from `at` to `at + bytes.length`, and the size afterwards. */
interface Splice {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
}

/** A file whose data is to change. */
export interface DataOwner {
  readonly id: number;
  readonly facts: FileFacts;
  /** For messages. */
  readonly what: string;
}

const pieceBytes = 1024 * 1024;

/**
 * The data of files. Nothing is overwritten that the device refers to: new data goes into new clusters, which take the
 * place of the old ones with the commit.
 */
export class FileStore {
  readonly #volume: ExfatVolume;

  constructor(volume: ExfatVolume) {
    this.#volume = volume;
  }

  /** Writes data into new clusters; gives where it is. */
  async put({ sizeBytes, content = [] }: NewContent, name: string): Promise<readonly ClusterRun[]> {
    const runs = this.#volume.take(this.#volume.clustersFor(sizeBytes));
    await new ClusterWriter(this.#volume, runs, name).write(content, sizeBytes);
    return runs;
  }

  /** Says where all data of a file is now; gives what its set is to say. */
  settle({ id, facts, what }: DataOwner, runs: readonly ClusterRun[], sizeBytes: number): Promise<StreamPlace> {
    return this.#change({ id, facts, what }, runs, placeIn(runs, sizeBytes));
  }

  /** The clusters of a file as they are to be. */
  async runsOf({ id, facts, what }: DataOwner): Promise<readonly ClusterRun[]> {
    return this.#volume.chains.get(id)?.runs ?? (await this.#onDevice(facts, what)).runs;
  }

  /** Overwrites a part, which may pass the end. */
  write(owner: DataOwner, at: number, bytes: Uint8Array): Promise<StreamPlace> {
    const sizeBytes = Math.max(owner.facts.stream.dataBytes, at + bytes.length);
    return this.#splice(owner, { at, bytes, sizeBytes });
  }

  async truncate(owner: DataOwner, sizeBytes: number): Promise<StreamPlace> {
    if (sizeBytes > owner.facts.stream.dataBytes) {
      return this.#splice(owner, { at: sizeBytes, bytes: new Uint8Array(0), sizeBytes });
    }
    const runs = await this.runsOf(owner);
    const kept = this.#volume.clustersFor(sizeBytes);
    const left = partOf(runs, 0, kept);
    const place = placeIn(left, sizeBytes, Math.min(sizeBytes, validBytes(owner.facts)));
    const changed = await this.#change(owner, left, place);
    this.#volume.release(partOf(runs, kept));
    return changed;
  }

  /** Puts new clusters in the place of those that a change touches, and behind the last. */
  async #splice(owner: DataOwner, { at, bytes, sizeBytes }: Splice): Promise<StreamPlace> {
    const { clusterBytes } = this.#volume;
    const { dataBytes } = owner.facts.stream;
    const valid = validBytes(owner.facts);
    const runs = await this.runsOf(owner);
    const from = Math.floor(Math.min(at, valid) / clusterBytes);
    // What was never written is given zeros, so that all of the file is valid.
    const end = valid < dataBytes || sizeBytes > dataBytes ? sizeBytes : at + bytes.length;
    const to = Math.max(from, Math.ceil(end / clusterBytes));
    const replaced = partOf(runs, from, to);
    const taken = this.#volume.take(to - from);
    const base = from * clusterBytes;
    const content = this.#mixed(replaced, { at: at - base, bytes, oldBytes: Math.max(0, valid - base) });
    await new ClusterWriter(this.#volume, taken, owner.what).write(content, (to - from) * clusterBytes);
    const all = joined([...partOf(runs, 0, from), ...taken, ...partOf(runs, to)]);
    const place = await this.#change(owner, all, placeIn(all, sizeBytes));
    this.#volume.release(replaced);
    return place;
  }

  async #change({ id, facts, what }: DataOwner, runs: readonly ClusterRun[], place: StreamPlace): Promise<StreamPlace> {
    const known = this.#volume.chains.get(id);
    const was = known === undefined ? await this.#onDevice(facts, what) : known.was;
    this.#volume.chains.set(id, { was, runs });
    return place;
  }

  #onDevice({ stream }: FileFacts, what: string): Promise<Allocation> {
    return allocationOf(this.#volume.table, stream, what);
  }

  /** What the clusters of a change hold: the new bytes, and beside them what was there. */
  async *#mixed(
    replaced: readonly ClusterRun[],
    { at, bytes, oldBytes }: { readonly at: number; readonly bytes: Uint8Array; readonly oldBytes: number },
  ): AsyncGenerator<DataPiece> {
    const replacedBytes = Math.min(oldBytes, clustersIn(replaced) * this.#volume.clusterBytes);
    yield* this.#oldBytes(replaced, 0, Math.min(at, replacedBytes));
    if (bytes.length > 0) yield { at, bytes };
    yield* this.#oldBytes(replaced, at + bytes.length, replacedBytes);
  }

  /** The bytes from `start` to `end` of what stands in clusters. */
  async *#oldBytes(runs: readonly ClusterRun[], start: number, end: number): AsyncGenerator<DataPiece> {
    if (start >= end) return;
    const { layout, device, out } = this.#volume;
    await out.drain();
    for (const part of partsOf(layout, runs, end)) {
      for (let at = Math.max(start, part.at); at < part.at + part.lengthBytes;) {
        const piece = new Uint8Array(Math.min(part.at + part.lengthBytes - at, pieceBytes));
        await device.read(part.deviceAt + at - part.at, piece);
        yield { at, bytes: piece };
        at += piece.length;
      }
    }
  }
}
