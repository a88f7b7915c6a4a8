import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { BlockDevice } from "../device/index.ts";
import type { Content, DataPiece } from "../tree/index.ts";
import { clustersIn, type ClusterRun } from "./cluster-run.ts";
import type { CoalescingWriter } from "./coalescing-writer.ts";

/** Where clusters are written to. */
export interface ClusterTarget {
  readonly device: BlockDevice;
  readonly out: CoalescingWriter;
  readonly clusterBytes: number;
  /** Where on the device a cluster is. */
  placeOf(cluster: number): number;
}

const zeros = new Uint8Array(64 * 1024);
/** From this length on zeros are left to the device, which may make a hole of them. */
const holeBytes = 1024 * 1024;

/** Puts data one piece after the other into new clusters. */
export class ClusterWriter {
  readonly #target: ClusterTarget;
  readonly #runs: readonly ClusterRun[];
  readonly #name: string;
  #run = 0;
  #inRun = 0;
  #position = 0;

  constructor(target: ClusterTarget, runs: readonly ClusterRun[], name: string) {
    this.#target = target;
    this.#runs = runs;
    this.#name = name;
  }

  /** Writes content of at most `sizeBytes`, zeros where it has holes and to the end of the last cluster. */
  async write(content: Content, sizeBytes: number): Promise<void> {
    if (Array.isArray(content)) for (const piece of content as readonly DataPiece[]) await this.#add(piece, sizeBytes);
    else for await (const piece of content as AsyncIterable<DataPiece>) await this.#add(piece, sizeBytes);
    await this.#zeroTo(clustersIn(this.#runs) * this.#target.clusterBytes);
  }

  async #add({ at, bytes }: DataPiece, sizeBytes: number): Promise<void> {
    if (at < this.#position || at + bytes.length > sizeBytes) {
      throw new Failure("failed", `cannot read "${printableName(this.#name)}": it changed while it was read`, {
        hint: "try again when nothing writes to it",
      });
    }
    await this.#zeroTo(at);
    for (let done = 0; done < bytes.length;) {
      const { deviceAt, lengthBytes } = this.#place(bytes.length - done);
      const wait = this.#target.out.put(deviceAt, bytes.subarray(done, done + lengthBytes));
      if (wait !== undefined) await wait;
      this.#advance(lengthBytes);
      done += lengthBytes;
    }
  }

  async #zeroTo(end: number): Promise<void> {
    while (this.#position < end) {
      const { deviceAt, lengthBytes } = this.#place(end - this.#position);
      let count = lengthBytes;
      if (lengthBytes >= holeBytes) {
        await this.#target.out.drain();
        await this.#target.device.zero(deviceAt, lengthBytes);
      } else {
        count = Math.min(lengthBytes, zeros.length);
        await this.#target.out.put(deviceAt, zeros.subarray(0, count));
      }
      this.#advance(count);
    }
  }

  /** Where the next bytes go, and how many of them. */
  #place(wantedBytes: number): { readonly deviceAt: number; readonly lengthBytes: number } {
    const run = this.#runs[this.#run];
    if (run === undefined) throw new RangeError(`no cluster was taken for byte ${this.#position} of ${this.#name}`);
    const left = run.count * this.#target.clusterBytes - this.#inRun;
    return { deviceAt: this.#target.placeOf(run.start) + this.#inRun, lengthBytes: Math.min(wantedBytes, left) };
  }

  #advance(count: number): void {
    this.#position += count;
    this.#inRun += count;
    const run = this.#runs[this.#run];
    if (run === undefined || this.#inRun < run.count * this.#target.clusterBytes) return;
    this.#run++;
    this.#inRun = 0;
  }
}
