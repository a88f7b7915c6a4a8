import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import { makeMaildir, newBaseName, ToSync } from "../../store/maildir/index.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger, MaildirIntent } from "../intent.ts";
import type { FetchTarget } from "./target.ts";

/** Puts each message into a file of its own in a Maildir: written in `tmp`, flushed, then renamed into `new`. */
export class MaildirTarget implements FetchTarget {
  readonly wantsLf = true;
  readonly writesReturnPath = false;
  readonly #path: string;
  readonly #clock: () => number;

  constructor(folder: string, options: { readonly clock: () => number }) {
    this.#path = folder;
    this.#clock = options.clock;
  }

  async deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly []> {
    const owner = { now: this.#clock, pid: process.pid, host: os.hostname() };
    const named = messages.map((message) => ({ message, name: `${newBaseName(owner)},S=${message.sizeBytes}` }));
    const plans = named.map(({ message, name }) => ({ uid: message.uid, name }));
    const intent: MaildirIntent = { kind: "maildir", path: this.#path, messages: plans };
    try {
      using toSync = new ToSync();
      makeMaildir(this.#path);
      for (const { message, name } of named) writeMessage(path.join(this.#path, "tmp", name), message, toSync);
      await toSync.done();
      await ledger.begin(intent);
      for (const { name } of named)
        fs.renameSync(path.join(this.#path, "tmp", name), path.join(this.#path, "new", name));
      toSync.folder(path.join(this.#path, "new"));
      await toSync.done();
    } catch (error) {
      await ledger.end(await recoverMaildir(intent));
      if (error instanceof Failure) throw error;
      const code = isSystemError(error, "ENOSPC", "EDQUOT") ? "no-space" : "failed";
      throw new Failure(code, `cannot write to "${this.#path}": ${systemReason(error)}`, { cause: error });
    }
    await ledger.end(plans.map(({ uid }) => uid));
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The messages that have come to be in a Maildir, read or not; what is left of others is removed. */
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

function writeMessage(file: string, message: FetchedMessage, toSync: ToSync): void {
  const fd = fs.openSync(file, "wx", 0o600);
  toSync.file(fd);
  for (const chunk of message.chunks()) for (let at = 0; at < chunk.length;) at += fs.writeSync(fd, chunk, at);
  fs.futimesSync(fd, message.receivedMs / 1000, message.receivedMs / 1000);
}
