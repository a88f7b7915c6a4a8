import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import {
  append,
  formatFromLine,
  lineEndAtEnd,
  lockToChange,
  parseHeaderBlock,
  type LockedMbox,
} from "../../store/mbox/index.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger, MboxPlan } from "../intent.ts";
import type { FetchTarget } from "./target.ts";

export interface MboxTargetOptions {
  readonly stateFolder: string;
  readonly clock: () => number;
  readonly signal?: AbortSignal;
}

/** More than this is not held in memory to be written at once. */
const atOnceBytes = 16 * 1024 * 1024;
const lineFeed = 10;
/** So much of a message is compared after a crash: its Received line is within. */
const headBytes = 400;
const tailBytes = 100;
const datasync = promisify(fs.fdatasync);
const fromAtStart = Buffer.from("From ");
const fromInside = Buffer.from("\nFrom ");

/** Appends to an mbox under the locks that Debian's programs use: one lock and one flush for many messages. */
export class MboxTarget implements FetchTarget {
  readonly wantsLf = true;
  readonly writesReturnPath = false;
  readonly #path: string;
  readonly #options: MboxTargetOptions;

  constructor(file: string, options: MboxTargetOptions) {
    this.#path = file;
    this.#options = options;
  }

  async deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly []> {
    using locked = await lockForFetch(this.#path, this.#options);
    const before = lineEndAtEnd(locked);
    const at = fs.fstatSync(locked.fd).size + before.length;
    const sizeBytes = messages.reduce((sum, message) => sum + message.sizeBytes, 0);
    const isAtOnce = sizeBytes <= atOnceBytes;
    const texts = messages.map((message) => ({ message, chunks: isAtOnce ? [...mboxChunks(message)] : undefined }));
    const plans = texts.map(({ message, chunks }) => planOf(message.uid, chunks ?? mboxChunks(message)));
    await ledger.begin({ kind: "mbox", path: this.#path, at, messages: plans });
    try {
      if (isAtOnce)
        append(locked, Buffer.concat([before, ...texts.flatMap(({ chunks = [] }) => chunks)]), this.#options);
      else await this.#stream(locked, before, messages);
      if (locked.isNew) syncFolder(path.dirname(this.#path));
    } catch (error) {
      await ledger.end([]);
      throw error;
    }
    await ledger.end(messages.map(({ uid }) => uid));
    return [];
  }

  async #stream({ fd }: LockedMbox, before: Uint8Array, messages: readonly FetchedMessage[]): Promise<void> {
    const from = fs.fstatSync(fd).size;
    try {
      let at = writeAll(fd, before, from);
      for (const message of messages) for (const chunk of mboxChunks(message)) at = writeAll(fd, chunk, at);
      await datasync(fd);
    } catch (error) {
      fs.ftruncateSync(fd, from);
      const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
      throw new Failure(code, `cannot write to "${this.#path}": ${systemReason(error)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Locked as every delivery locks it; what another delivery of this program left half done is put right first. */
export function lockForFetch(file: string, { clock, signal, stateFolder }: MboxTargetOptions): Promise<LockedMbox> {
  const given = signal === undefined ? {} : { signal };
  return lockToChange(file, { nowMs: clock, createMode: 0o600, stateFolder, ...given });
}

function planOf(uid: string, chunks: Iterable<Buffer>): MboxPlan {
  let bytes = 0;
  let head = "";
  let tail = "";
  let isFirst = true;
  for (const chunk of chunks) {
    bytes += chunk.length;
    if (!isFirst) {
      if (head.length < headBytes) head += chunk.toString("latin1", 0, headBytes - head.length);
      tail = (tail + chunk.toString("latin1", Math.max(0, chunk.length - tailBytes))).slice(-tailBytes);
    }
    isFirst = false;
  }
  return { uid, bytes, head, tail };
}

/** First its first line alone; then the message, lines of its body that begin with `From ` quoted; then an empty line. */
function* mboxChunks(message: FetchedMessage): Generator<Buffer> {
  yield Buffer.from(formatFromLine({ sender: message.from, receivedMs: message.receivedMs }));
  let last = lineFeed;
  let isFirst = true;
  for (const chunk of message.chunks()) {
    const text = isFirst ? withOwnHeader(chunk) : chunk;
    isFirst = false;
    if (text.length === 0) continue;
    yield* withFromQuoted(text, last === lineFeed);
    last = text[text.length - 1] ?? last;
  }
  yield Buffer.from(last === lineFeed ? "\n" : "\n\n");
}

/** Without the fields in which programs of the mailbox keep flags and UIDs: they are not the sender's to say. */
function withOwnHeader(chunk: Buffer): Buffer {
  const empty = chunk.indexOf("\n\n");
  const end = empty < 0 ? chunk.length : empty + 2;
  const { own, ending } = parseHeaderBlock(chunk.subarray(0, end));
  return own.length + ending.length === end ? chunk : Buffer.concat([own, ending, chunk.subarray(end)]);
}

function* withFromQuoted(chunk: Buffer, isAtLineStart: boolean): Generator<Buffer> {
  let from = 0;
  if (isAtLineStart && chunk.subarray(0, fromAtStart.length).equals(fromAtStart)) yield Buffer.from(">");
  for (;;) {
    const found = chunk.indexOf(fromInside, from);
    if (found < 0) break;
    yield chunk.subarray(from, found + 1);
    yield Buffer.from(">");
    from = found + 1;
  }
  yield chunk.subarray(from);
}

function writeAll(fd: number, bytes: Uint8Array, at: number): number {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
  return at + bytes.length;
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
