import * as fs from "node:fs";
import { headerEndOf } from "../../message/index.ts";
import { toWire } from "../line-ends.ts";
import type { MessageContent } from "../open-mailbox.ts";

/** One for all: thousands of beginnings are read in a row, each for a moment. */
const scratch = Buffer.alloc(16 * 1024);

/** A message's file, opened; its bytes are read when they are first asked for. */
export class FileContent implements MessageContent {
  readonly #fd: number;
  #knownFileBytes: number | undefined;
  readonly #sizeBytes: number | undefined;
  #wire: Uint8Array | undefined;
  #isClosed = false;

  /** Takes over the file. `sizeBytes` is the size on the wire where it is known. */
  constructor(fd: number, sizeBytes?: number) {
    this.#fd = fd;
    this.#sizeBytes = sizeBytes;
  }

  /** Asked only where it is needed: for the beginning of ten thousand files it is not. */
  get #fileBytes(): number {
    this.#knownFileBytes ??= fs.fstatSync(this.#fd).size;
    return this.#knownFileBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes ?? this.#whole().length;
  }

  read(from = 0, to = this.sizeBytes): Uint8Array {
    // Where all lines end in CRLF, offsets are those of the file.
    if (this.#wire === undefined && this.#sizeBytes === this.#fileBytes && to - from < this.#fileBytes) {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(to, this.#fileBytes) - from));
      return bytes.subarray(0, readFully(this.#fd, bytes, from));
    }
    return this.#whole().subarray(from, to);
  }

  /**
   * As the file begins, its lines ended as they are there: most headers whole. The bytes hold until the next message is
   * asked for its beginning.
   */
  beginning(): { readonly bytes: Uint8Array; readonly isWhole: boolean } {
    const bytes = scratch.subarray(0, readFully(this.#fd, scratch, 0));
    return { bytes, isWhole: bytes.length < scratch.length };
  }

  readHeader(): Uint8Array {
    const { bytes, isWhole } = this.beginning();
    const end = headerEndOf(bytes);
    // A copy, since those bytes are soon others.
    if (end !== undefined) return Uint8Array.from(toWire(bytes.subarray(0, end)));
    const whole = this.#whole();
    return isWhole ? whole : whole.subarray(0, headerEndOf(whole));
  }

  #whole(): Uint8Array {
    if (this.#wire === undefined) {
      const bytes = Buffer.allocUnsafe(this.#fileBytes);
      this.#wire = toWire(bytes.subarray(0, readFully(this.#fd, bytes, 0)));
    }
    return this.#wire;
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) fs.closeSync(this.#fd);
    this.#isClosed = true;
  }
}

function readFully(fd: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const readBytes = fs.readSync(fd, into, done, into.length - done, position + done);
    if (readBytes === 0) break;
    done += readBytes;
  }
  return done;
}
