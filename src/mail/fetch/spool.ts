import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";

/** What is kept in memory of one message; the rest goes to a file without a name. */
const memoryLimitBytes = 1024 * 1024;
const blockBytes = 1024 * 1024;
const carriageReturn = 13;
const lineFeed = 10;

/** A message that has come whole. */
export interface SpooledMessage extends Disposable {
  readonly sizeBytes: number;
  /** The beginning, with the header: all of a message that is not large. */
  readonly head: Buffer;
  /** What comes after the head, cut at ends of lines where that can be. */
  rest(): Generator<Buffer>;
}

/** Collects a message as it comes from a server. */
export class Spool implements Disposable {
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #stripsReturns: boolean;
  #pieces: Buffer[] = [];
  #memoryBytes = 0;
  #fileBytes = 0;
  #receivedBytes = 0;
  #fd: number | undefined;
  #hasReturn = false;

  /** More than `limitBytes` is not taken: the server had announced less. `stripsReturns` makes LF of CRLF. */
  constructor(options: { readonly folder: string; readonly limitBytes: number; readonly stripsReturns: boolean }) {
    this.#folder = options.folder;
    this.#limitBytes = options.limitBytes;
    this.#stripsReturns = options.stripsReturns;
  }

  readonly write = (bytes: Buffer): void => {
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#limitBytes) {
      throw new Failure(
        "damaged",
        `cannot fetch a message: it is longer than ${this.#limitBytes} bytes, less was announced`,
      );
    }
    this.#keep(this.#stripsReturns ? this.#withoutReturns(bytes) : bytes);
  };

  finish(): SpooledMessage {
    if (this.#hasReturn) this.#keep(Buffer.of(carriageReturn));
    const head = this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
    const fd = this.#fd;
    this.#fd = undefined;
    this.#pieces = [];
    return {
      sizeBytes: this.#memoryBytes + this.#fileBytes,
      head,
      rest: () => restOf(fd),
      [Symbol.dispose]() {
        if (fd !== undefined) fs.closeSync(fd);
      },
    };
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  #keep(bytes: Buffer): void {
    if (this.#fd === undefined && this.#memoryBytes + bytes.length <= memoryLimitBytes) {
      this.#pieces.push(bytes);
      this.#memoryBytes += bytes.length;
      return;
    }
    try {
      this.#fd ??= openNameless(this.#folder);
      for (let at = 0; at < bytes.length;) at += fs.writeSync(this.#fd, bytes, at);
    } catch (error) {
      const code = isSystemError(error, "ENOSPC", "EDQUOT") ? "no-space" : "failed";
      throw new Failure(code, `cannot keep a large message in "${this.#folder}": ${systemReason(error)}`, {
        cause: error,
      });
    }
    this.#fileBytes += bytes.length;
  }

  /** A return at the very end waits for what comes next. */
  #withoutReturns(bytes: Buffer): Buffer {
    if (!this.#hasReturn && !bytes.includes(carriageReturn)) return bytes;
    const out = Buffer.allocUnsafe(bytes.length + 1);
    let to = 0;
    if (this.#hasReturn && bytes[0] !== lineFeed) out[to++] = carriageReturn;
    this.#hasReturn = false;
    for (let from = 0; from < bytes.length;) {
      const found = bytes.indexOf(carriageReturn, from);
      const end = found < 0 ? bytes.length : found;
      to += bytes.copy(out, to, from, end);
      if (found < 0) break;
      from = end + 1;
      if (from === bytes.length) this.#hasReturn = true;
      else if (bytes[from] !== lineFeed) out[to++] = carriageReturn;
    }
    return out.subarray(0, to);
  }
}

/** A file that is gone with this process. */
function openNameless(folder: string): number {
  const file = path.join(folder, `spool-${process.pid}-${randomBytes(8).toString("hex")}`);
  const fd = fs.openSync(file, "wx+", 0o600);
  fs.unlinkSync(file);
  return fd;
}

function* restOf(fd: number | undefined): Generator<Buffer> {
  if (fd === undefined) return;
  for (let at = 0; ;) {
    const block = Buffer.allocUnsafe(blockBytes);
    const count = fs.readSync(fd, block, 0, blockBytes, at);
    if (count === 0) return;
    const lastEnd = block.lastIndexOf(lineFeed, count - 1) + 1;
    const length = lastEnd === 0 || count < blockBytes ? count : lastEnd;
    yield block.subarray(0, length);
    at += length;
  }
}
