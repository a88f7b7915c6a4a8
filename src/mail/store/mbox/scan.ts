import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Failure } from "../../../base/index.ts";
import { toWire } from "../line-ends.ts";
import { fromLineLimitBytes, parseFromLine, type FromLine } from "./from-line.ts";
import type { Extent } from "./plan-rewrite.ts";
import { parseHeaderBlock, type HeaderBlock, type Metadata } from "./metadata.ts";

/** The bytes of an mbox, however they are held. */
export interface MboxBytes {
  readonly sizeBytes: number;
  /** Fills the buffer or throws. */
  read(at: number, into: Uint8Array): void;
}

/** Where a message lies in an mbox, and what its first lines say. */
export interface MboxMessage extends Extent {
  readonly fromLine: FromLine;
  readonly header: HeaderBlock;
}

/** How long the body was when it was last seen: where another message follows there, it is not looked through. */
export type GuessBodyBytes = (metadata: Metadata) => number | undefined;

/** What takes reading the whole message: asked for only where it is needed. */
export interface MessageSum {
  /** As it is on the wire: lines ending in CRLF. */
  readonly sizeBytes: number;
  /** SHA-256 of the fields that are its own and of its body, lines ending in LF, hexadecimal. */
  readonly digest: string;
}

/** What follows a header that is longer is taken for the body. */
export const headerLimitBytes = 4 * 2 ** 20;
/** Of what is read at once: little after a jump, more and more while reading on. */
const smallestWindowBytes = 8 * 2 ** 10;
const largestWindowBytes = 4 * 2 ** 20;
const newlineFrom = Buffer.from("\nFrom ");
const newline = 10;
const carriageReturn = 13;

/** Reads through an mbox from one message to the next: a window moves over it, so that it may be of any size. */
export class MboxScanner {
  readonly #bytes: MboxBytes;
  readonly #name: string;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  #windowBytes = smallestWindowBytes;

  /** `name` is said where the file is damaged. */
  constructor(bytes: MboxBytes, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get sizeBytes(): number {
    return this.#bytes.sizeBytes;
  }

  first(): MboxMessage | undefined {
    for (const message of this.messages()) return message;
    return undefined;
  }

  /** The messages from the one whose From_ line is at `from`; empty lines there are passed over. */
  *messages(from = 0, guess?: GuessBodyBytes): Generator<MboxMessage> {
    let at = this.#skipEmptyLines(from);
    while (at < this.#bytes.sizeBytes) {
      const message = this.messageAt(at, guess);
      if (message === undefined) {
        throw new Failure("damaged", `cannot read "${this.#name}": no line "From sender date" at offset ${at}`, {
          hint: "is it an mbox? One begins with such a line",
        });
      }
      yield message;
      at = this.#skipEmptyLines(message.endOffset);
    }
  }

  /** The message whose From_ line begins exactly there. */
  messageAt(offset: number, guess?: GuessBodyBytes): MboxMessage | undefined {
    const lineEnd = this.#lineEnd(offset, offset + fromLineLimitBytes);
    const fromLine = this.#fromLineAt(offset);
    if (lineEnd === undefined || fromLine === undefined) return undefined;
    const bodyOffset = this.#headerEnd(lineEnd);
    const block = this.#slice(lineEnd, bodyOffset);
    const [header, headerSum] = [parseHeaderBlock(block), crc32(block)];
    const { contentLength } = header.metadata;
    const guessed = guess?.(header.metadata);
    const end =
      (contentLength === undefined ? undefined : this.#endByLength(bodyOffset, contentLength)) ??
      (guessed === undefined ? undefined : this.#endByLength(bodyOffset, guessed)) ??
      this.#endByFromLine(bodyOffset);
    return { offset, fromLine, headerOffset: lineEnd, bodyOffset, header, headerSum, ...end };
  }

  /** Whether that header is still there. */
  hasHeader({ headerOffset, bodyOffset, headerSum }: Extent): boolean {
    if (bodyOffset > this.#bytes.sizeBytes) return false;
    return crc32(this.#slice(headerOffset, bodyOffset)) === headerSum;
  }

  sum({ header, bodyOffset, bodyEnd }: MboxMessage): MessageSum {
    const hash = createHash("sha256");
    const head = withHeaderEnded(header);
    hash.update(withoutCarriageReturns(head));
    let sizeBytes = head.length + countBareNewlines(head, 0);
    let previous = 0;
    for (let at = bodyOffset; at < bodyEnd; at += largestWindowBytes) {
      const bytes = this.#slice(at, Math.min(at + largestWindowBytes, bodyEnd));
      hash.update(withoutCarriageReturns(bytes));
      sizeBytes += bytes.length + countBareNewlines(bytes, previous);
      previous = bytes.at(-1) ?? 0;
    }
    return { sizeBytes, digest: hash.digest("hex") };
  }

  /** The message as it is on the wire, without what programs keep in it. */
  content({ header, bodyOffset, bodyEnd }: MboxMessage): Uint8Array {
    const body = Buffer.alloc(bodyEnd - bodyOffset);
    this.#bytes.read(bodyOffset, body);
    return toWire(Buffer.concat([withHeaderEnded(header), body]));
  }

  /** Past the empty line, or before a From_ line that comes at once. */
  #headerEnd(from: number): number {
    let at = from;
    while (at < this.#bytes.sizeBytes && at - from < headerLimitBytes) {
      const end = this.#lineEnd(at, from + headerLimitBytes);
      if (end === undefined) return Math.min(from + headerLimitBytes, this.#bytes.sizeBytes);
      if (end - at === 1 || (end - at === 2 && this.#byteAt(at) === carriageReturn)) return end;
      if (at > from && this.#fromLineAt(at) !== undefined) return at;
      at = end;
    }
    return at;
  }

  /** Content-Length counts where it leads to the end, or to another message. */
  #endByLength(bodyOffset: number, contentLength: number): End | undefined {
    const bodyEnd = bodyOffset + contentLength;
    if (bodyEnd > this.#bytes.sizeBytes) return undefined;
    const endOffset = this.#skipEmptyLines(bodyEnd);
    const isAtLine = bodyEnd === bodyOffset || this.#byteAt(bodyEnd - 1) === newline || endOffset > bodyEnd;
    if (!isAtLine) return undefined;
    const isFollowed = endOffset === this.#bytes.sizeBytes || this.#fromLineAt(endOffset) !== undefined;
    return isFollowed ? { bodyEnd, endOffset } : undefined;
  }

  #endByFromLine(bodyOffset: number): End {
    const { sizeBytes } = this.#bytes;
    let found = sizeBytes;
    // The newline before the body is the header's own: a From_ line may follow it at once.
    for (let at = bodyOffset - 1; at < sizeBytes; at++) {
      at = this.#indexOf(newlineFrom, at);
      if (at === -1) break;
      if (this.#fromLineAt(at + 1) === undefined) continue;
      found = at + 1;
      break;
    }
    const hasSeparator = found > bodyOffset && this.#byteAt(found - 1) === newline;
    return { bodyEnd: hasSeparator ? found - 1 : found, endOffset: found };
  }

  #fromLineAt(offset: number): FromLine | undefined {
    if (this.#byteAt(offset) !== 70 || this.#slice(offset, offset + 5).toString("latin1") !== "From ") return undefined;
    const end = this.#lineEnd(offset, offset + fromLineLimitBytes);
    return end === undefined ? undefined : parseFromLine(this.#slice(offset, end).toString().trimEnd());
  }

  #skipEmptyLines(from: number): number {
    let at = from;
    for (let byte = this.#byteAt(at); byte === newline || byte === carriageReturn; byte = this.#byteAt(at)) at++;
    return at;
  }

  /** Past the newline of the line at `from`, or the end of the file; undefined where it is longer than to `limit`. */
  #lineEnd(from: number, limit: number): number | undefined {
    const found = this.#indexOf(Buffer.of(newline), from, limit);
    if (found !== -1) return found + 1;
    return limit >= this.#bytes.sizeBytes ? this.#bytes.sizeBytes : undefined;
  }

  /** The place of `wanted` from `from` on, before `limit`; -1 without. */
  #indexOf(wanted: Buffer, from: number, limit = this.#bytes.sizeBytes): number {
    const end = Math.min(limit, this.#bytes.sizeBytes);
    for (let at = from; at < end;) {
      this.#moveTo(at, wanted.length);
      const found = this.#window.indexOf(wanted, at - this.#windowAt);
      if (found !== -1) return this.#windowAt + found < end ? this.#windowAt + found : -1;
      const windowEnd = this.#windowAt + this.#window.length;
      if (windowEnd >= end) return -1;
      at = windowEnd - wanted.length + 1;
    }
    return -1;
  }

  #byteAt(at: number): number | undefined {
    if (at >= this.#bytes.sizeBytes) return undefined;
    this.#moveTo(at, 1);
    return this.#window[at - this.#windowAt];
  }

  /** The bytes before `to`, or the end of the file; good until the next call. */
  #slice(from: number, to: number): Buffer {
    const end = Math.min(to, this.#bytes.sizeBytes);
    this.#moveTo(from, end - from);
    return this.#window.subarray(from - this.#windowAt, end - this.#windowAt);
  }

  #moveTo(from: number, lengthBytes: number): void {
    const { sizeBytes } = this.#bytes;
    const end = Math.min(from + lengthBytes, sizeBytes);
    if (from >= this.#windowAt && end <= this.#windowAt + this.#window.length) return;
    const isReadingOn = from >= this.#windowAt && from <= this.#windowAt + this.#window.length;
    this.#windowBytes = isReadingOn ? Math.min(2 * this.#windowBytes, largestWindowBytes) : smallestWindowBytes;
    const length = Math.min(Math.max(this.#windowBytes, lengthBytes), sizeBytes - from);
    const window = Buffer.allocUnsafeSlow(length);
    this.#bytes.read(from, window);
    this.#window = window;
    this.#windowAt = from;
  }
}

interface End {
  readonly bodyEnd: number;
  readonly endOffset: number;
}

/** A message that has no empty line gets one for those who read it, as it will have on disk once it is marked. */
function withHeaderEnded({ own, ending }: HeaderBlock): Buffer {
  const lineEnd = own.length === 0 || own.at(-1) === newline ? "" : "\n";
  return Buffer.concat([own, Buffer.from(lineEnd), ending.length === 0 ? Buffer.of(newline) : ending]);
}

/** The same for a message whatever its line ends are here: those of a copy may be others. */
function withoutCarriageReturns(bytes: Buffer): Uint8Array {
  return bytes.includes("\r\n") ? Buffer.from(bytes.toString("latin1").replaceAll("\r\n", "\n"), "latin1") : bytes;
}

/** Newlines without a carriage return; `previous` is the byte before. */
function countBareNewlines(bytes: Uint8Array, previous: number): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) {
    if ((at === 0 ? previous : bytes[at - 1]) !== carriageReturn) count++;
  }
  return count;
}
