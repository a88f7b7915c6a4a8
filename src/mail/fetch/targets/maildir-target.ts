import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger, MaildirIntent } from "../intent.ts";
import type { FetchTarget } from "./target.ts";

const sync = promisify(fs.fsync);
const parts = ["tmp", "new", "cur"];

/** Puts each message into a file of its own in a Maildir: written in `tmp`, flushed, then renamed into `new`. */
export class MaildirTarget implements FetchTarget {
  readonly wantsLf = true;
  readonly writesReturnPath = false;
  readonly #path: string;

  constructor(folder: string) {
    this.#path = folder;
  }

  async deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly []> {
    const named = messages.map((message) => ({ message, name: nameOf(message) }));
    const plans = named.map(({ message, name }) => ({ uid: message.uid, name }));
    const written: string[] = [];
    try {
      for (const part of parts) fs.mkdirSync(path.join(this.#path, part), { recursive: true, mode: 0o700 });
      await Promise.all(
        named.map(async ({ message, name }) => {
          const file = path.join(this.#path, "tmp", name);
          written.push(file);
          await writeFlushed(file, message);
        }),
      );
      await ledger.begin({ kind: "maildir", path: this.#path, messages: plans });
      for (const { name } of named)
        fs.renameSync(path.join(this.#path, "tmp", name), path.join(this.#path, "new", name));
      await syncFolder(path.join(this.#path, "new"));
    } catch (error) {
      for (const file of written) fs.rmSync(file, { force: true });
      const there = await recoverMaildir({ kind: "maildir", path: this.#path, messages: plans });
      await ledger.end(there);
      if (error instanceof Failure) throw error;
      const code = isSystemError(error, "ENOSPC", "EDQUOT") ? "no-space" : "failed";
      throw new Failure(code, `cannot write to "${this.#path}": ${systemReason(error)}`, { cause: error });
    }
    await ledger.end(plans.map(({ uid }) => uid));
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The messages that have come to be in a Maildir, read or not. */
export async function recoverMaildir(intent: MaildirIntent): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const part of ["new", "cur"]) {
    const folder = path.join(intent.path, part);
    if (fs.existsSync(folder)) for (const name of fs.readdirSync(folder)) names.add(name.split(":")[0] ?? name);
  }
  for (const { name } of intent.messages) {
    if (!names.has(name)) fs.rmSync(path.join(intent.path, "tmp", name), { force: true });
  }
  return intent.messages.filter(({ name }) => names.has(name)).map(({ uid }) => uid);
}

/** Time, what makes it unique, and the host; the message's own identity makes a second try another name. */
function nameOf({ id, receivedMs }: FetchedMessage): string {
  const host = os
    .hostname()
    .replaceAll("/", String.raw`\057`)
    .replaceAll(":", String.raw`\072`);
  const now = process.hrtime.bigint() % 1_000_000_000n;
  return `${Math.floor(receivedMs / 1000)}.M${now}P${process.pid}F${id}.${host}`;
}

async function writeFlushed(file: string, message: FetchedMessage): Promise<void> {
  const fd = fs.openSync(file, "wx", 0o600);
  try {
    for (const chunk of message.chunks()) for (let at = 0; at < chunk.length;) at += fs.writeSync(fd, chunk, at);
    await sync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const fd = fs.openSync(folder, "r");
  try {
    await sync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
