import * as fs from "node:fs";
import { promisify } from "node:util";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger, MboxPlan } from "../intent.ts";
import { mboxDate } from "../message-header.ts";
import { lockMbox } from "./mbox-lock.ts";
import type { FetchTarget } from "./target.ts";

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
  readonly #signal: AbortSignal | undefined;

  constructor(path: string, signal: AbortSignal | undefined) {
    this.#path = path;
    this.#signal = signal;
  }

  async deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly []> {
    using locked = await lockMbox(this.#path, this.#signal);
    const sizeBytes = fs.fstatSync(locked.fd).size;
    const before = separatorAt(locked.fd, sizeBytes);
    const plans = messages.map((message) => planOf(message));
    await ledger.begin({ kind: "mbox", path: this.#path, at: sizeBytes + before.length, messages: plans });
    try {
      let at = writeAll(locked.fd, before, sizeBytes);
      for (const message of messages) {
        for (const chunk of mboxChunks(message)) at = writeAll(locked.fd, chunk, at);
      }
      await datasync(locked.fd);
    } catch (error) {
      fs.ftruncateSync(locked.fd, sizeBytes);
      await ledger.end([]);
      const code = isSystemError(error, "ENOSPC", "EDQUOT", "EFBIG") ? "no-space" : "failed";
      throw new Failure(code, `cannot write to "${this.#path}": ${systemReason(error)}`, { cause: error });
    }
    await ledger.end(messages.map(({ uid }) => uid));
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What must stand before a new message: an mbox ends with an empty line. */
function separatorAt(fd: number, sizeBytes: number): Buffer {
  if (sizeBytes === 0) return Buffer.alloc(0);
  const last = Buffer.alloc(2);
  const end = last.toString("latin1", 0, fs.readSync(fd, last, 0, 2, Math.max(0, sizeBytes - 2)));
  return Buffer.from(end.endsWith("\n\n") ? "" : end.endsWith("\n") ? "\n" : "\n\n");
}

function planOf(message: FetchedMessage): MboxPlan {
  let bytes = 0;
  let head = "";
  let tail = "";
  let isFirst = true;
  for (const chunk of mboxChunks(message)) {
    bytes += chunk.length;
    if (isFirst) isFirst = false;
    else {
      if (head.length < headBytes) head += chunk.toString("latin1", 0, headBytes - head.length);
      const end = chunk.toString("latin1", Math.max(0, chunk.length - tailBytes));
      tail = (tail + end).slice(-tailBytes);
    }
  }
  return { uid: message.uid, bytes, head, tail };
}

/** First its first line alone; then the message, lines that begin with `From ` quoted; then an empty line. */
function* mboxChunks(message: FetchedMessage): Generator<Buffer> {
  const sender = message.from === "" ? "MAILER-DAEMON" : message.from;
  yield Buffer.from(`From ${sender} ${mboxDate(new Date(message.receivedMs))}\n`);
  let last = lineFeed;
  for (const chunk of message.chunks()) {
    if (chunk.length === 0) continue;
    yield* withFromQuoted(chunk, last === lineFeed);
    last = chunk[chunk.length - 1] ?? last;
  }
  yield Buffer.from(last === lineFeed ? "\n" : "\n\n");
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

function writeAll(fd: number, bytes: Buffer, at: number): number {
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
  return at + bytes.length;
}
