import { Failure } from "../../base/index.ts";
import type { Content, DataPiece } from "../../tree/index.ts";
import { appendRun, type MappedRun } from "./block-map.ts";
import type { BlockRun } from "./block-allocator.ts";
import type { CoalescingWriter } from "../coalescing-writer.ts";

const zeros = new Uint8Array(64 * 1024);

/** What hands out blocks and takes in what goes there. */
export interface ContentPlace {
  readonly blockSizeBytes: number;
  readonly out: CoalescingWriter;
  /** From 1 to `count` adjacent blocks. */
  takeRun(count: number): BlockRun | Promise<BlockRun>;
}

/** Puts the content of one file into newly taken blocks, leaving holes where it has them. */
export class ContentWriter {
  readonly runs: MappedRun[] = [];
  readonly #place: ContentPlace;
  readonly #name: string;
  readonly #sizeBytes: number;
  readonly #onBytes: ((count: number) => void) | undefined;
  /** The place in the file up to which all is written or known to be a hole. */
  #position = 0;
  /** The place in the file up to which blocks are taken. */
  #mappedEnd = 0;

  constructor(place: ContentPlace, file: { name: string; sizeBytes: number }, onBytes?: (count: number) => void) {
    this.#place = place;
    this.#name = file.name;
    this.#sizeBytes = file.sizeBytes;
    this.#onBytes = onBytes;
  }

  get blockCount(): number {
    return this.runs.reduce((sum, run) => sum + run.length, 0);
  }

  async write(content: Content): Promise<void> {
    if (Array.isArray(content)) for (const piece of content as readonly DataPiece[]) await this.#add(piece);
    else for await (const piece of content as AsyncIterable<DataPiece>) await this.#add(piece);
    await this.#padTo(this.#mappedEnd);
  }

  async #add({ at, bytes }: DataPiece): Promise<void> {
    const end = at + bytes.length;
    if (at < this.#position || end > this.#sizeBytes) {
      throw new Failure("failed", `cannot read "${this.#name}": it changed while it was read`, {
        hint: "try again when nothing writes to it",
      });
    }
    if (bytes.length === 0) return;
    const blockSize = this.#place.blockSizeBytes;
    if (at > this.#position) {
      await this.#padTo(Math.min(at, this.#mappedEnd));
      if (at > this.#mappedEnd) this.#skipTo(at - (at % blockSize));
    }
    if (this.#mappedEnd < end) await this.#takeBlocksTo(end);
    await this.#padTo(at);
    await this.#put(bytes);
    this.#onBytes?.(bytes.length);
  }

  #skipTo(place: number): void {
    this.#position = place;
    this.#mappedEnd = place;
  }

  async #takeBlocksTo(end: number): Promise<void> {
    const blockSize = this.#place.blockSizeBytes;
    while (this.#mappedEnd < end) {
      const run = await this.#place.takeRun(Math.ceil((end - this.#mappedEnd) / blockSize));
      appendRun(this.runs, this.#mappedEnd / blockSize, run);
      this.#mappedEnd += run.length * blockSize;
    }
  }

  async #padTo(place: number): Promise<void> {
    while (this.#position < place) await this.#put(zeros.subarray(0, Math.min(place - this.#position, zeros.length)));
  }

  /** Puts bytes at the position, which blocks are taken for. */
  async #put(bytes: Uint8Array): Promise<void> {
    const blockSize = this.#place.blockSizeBytes;
    for (let done = 0; done < bytes.length;) {
      const run = this.#runAt(Math.floor(this.#position / blockSize));
      const inRun = this.#position - run.logical * blockSize;
      const count = Math.min(bytes.length - done, run.length * blockSize - inRun);
      const piece = count === bytes.length ? bytes : bytes.subarray(done, done + count);
      const wait = this.#place.out.put(run.start * blockSize + inRun, piece);
      if (wait !== undefined) await wait;
      this.#position += count;
      done += count;
    }
  }

  /** The run of a block that was taken lately: one of the last. */
  #runAt(logical: number): MappedRun {
    for (let n = this.runs.length - 1; n >= 0; n--) {
      const run = this.runs[n];
      if (run !== undefined && run.logical <= logical) return run;
    }
    throw new RangeError(`no block was taken for block ${logical} of ${this.#name}`);
  }
}
