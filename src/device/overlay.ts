import { refuseOutside } from "./bounds.ts";
import type { BlockDevice, BlockReader } from "./block-device.ts";

const pageBytes = 4096;

/**
 * A copy-on-write view of a reader: writes stay in memory, in pages of 4 KiB, and the reader under it is
 * never touched. It borrows the reader: disposing of it forgets what was written and closes nothing.
 */
export class OverlayDevice implements BlockDevice {
  readonly sizeBytes: number;
  readonly #under: BlockReader;
  readonly #pages = new Map<number, Uint8Array>();

  constructor(under: BlockReader) {
    this.#under = under;
    this.sizeBytes = under.sizeBytes;
  }

  /** How much memory the written pages take. */
  get heldBytes(): number {
    return this.#pages.size * pageBytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside("the overlay", this.sizeBytes, at, into.length);
    await this.#under.read(at, into);
    if (this.#pages.size === 0) return;
    for (const { page, inPage, inCall } of piecesOf(at, into.length)) {
      const held = this.#pages.get(page);
      if (held !== undefined) into.set(held.subarray(inPage, inPage + inCall.length), inCall.start);
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    refuseOutside("the overlay", this.sizeBytes, at, from.length);
    for (const { page, inPage, inCall } of piecesOf(at, from.length)) {
      const held = await this.#pageToWrite(page, inCall.length);
      held.set(from.subarray(inCall.start, inCall.start + inCall.length), inPage);
    }
  }

  async zero(at: number, lengthBytes: number): Promise<void> {
    refuseOutside("the overlay", this.sizeBytes, at, lengthBytes);
    for (const { page, inPage, inCall } of piecesOf(at, lengthBytes)) {
      const held = await this.#pageToWrite(page, inCall.length);
      held.fill(0, inPage, inPage + inCall.length);
    }
  }

  async flush(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pages.clear();
  }

  async #pageToWrite(page: number, lengthBytes: number): Promise<Uint8Array> {
    const held = this.#pages.get(page);
    if (held !== undefined) return held;
    const fresh = new Uint8Array(pageBytes);
    const there = Math.min(pageBytes, this.sizeBytes - page * pageBytes);
    if (lengthBytes < there) await this.#under.read(page * pageBytes, fresh.subarray(0, there));
    this.#pages.set(page, fresh);
    return fresh;
  }
}

interface Piece {
  readonly page: number;
  readonly inPage: number;
  readonly inCall: { readonly start: number; readonly length: number };
}

function* piecesOf(at: number, lengthBytes: number): Generator<Piece> {
  for (let done = 0; done < lengthBytes;) {
    const page = Math.floor((at + done) / pageBytes);
    const inPage = at + done - page * pageBytes;
    const length = Math.min(pageBytes - inPage, lengthBytes - done);
    yield { page, inPage, inCall: { start: done, length } };
    done += length;
  }
}
