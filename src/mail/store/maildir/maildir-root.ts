import * as fs from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Failure } from "../../../base/index.ts";
import { IndexDatabase, isDamaged, renameInIndex, setAside } from "../index-db/index.ts";
import type { LockOwner } from "./dotlock.ts";
import { newBaseName } from "./file-name.ts";
import { folderOfMailbox } from "./folder-name.ts";
import { MaildirMailbox } from "./maildir-mailbox.ts";

const indexName = "holdfast-index.sqlite";
/** How long a change waits for another program's lock, somewhat longer than such a lock can be left over. */
const lockLimitMs = 125_000;
const lockPauseMs = 10;

/** A Maildir as this process has it open, for all connections of its user. */
export class MaildirRoot implements Disposable {
  readonly path: string;
  readonly owner: LockOwner;
  readonly #mailboxes = new Map<string, MaildirMailbox>();
  #database: IndexDatabase;

  constructor(path: string, owner: LockOwner) {
    this.path = path;
    this.owner = owner;
    this.#database = IndexDatabase.open(`${path}/${indexName}`, owner);
  }

  get database(): IndexDatabase {
    return this.#database;
  }

  nextName(): string {
    return newBaseName(this.owner);
  }

  /** Throws `not-found`. What this process knows of it may be old: `refresh` brings it up to date. */
  mailbox(name: string): MaildirMailbox {
    const folder = folderOfMailbox(name);
    const known = this.#mailboxes.get(folder);
    if (known !== undefined && fs.existsSync(`${known.path}/cur`)) return known;
    if (known !== undefined) this.#mailboxes.delete(folder);
    const mailbox = this.guarded(
      () => new MaildirMailbox(this.#database, { root: this.path, folder, owner: this.owner }),
    );
    this.#mailboxes.set(folder, mailbox);
    return mailbox;
  }

  /** A folder was removed or renamed: what was known of it is of no use. */
  dropMailbox(folder: string): void {
    this.#mailboxes.delete(folder);
  }

  /** Its folder has another name; what is known of it stays. */
  renamed(from: string, to: string): void {
    renameInIndex(this.#database, from, to);
    this.#mailboxes.delete(from);
    this.#mailboxes.delete(to);
  }

  /** An index that somebody has removed is made anew. */
  checkIndex(): void {
    if (!this.#database.isCurrent) this.#reopen();
  }

  /** Runs what reads and writes the index; once more with a new one where it turns out to be damaged. */
  guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.#replaceIndex();
      return work();
    }
  }

  /** The same for what cannot be done twice: it fails, and finds a new index the next time. */
  changing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.#replaceIndex();
      throw new Failure("failed", `cannot change the mail in "${this.path}": its index was damaged, and is made anew`, {
        hint: "look whether it was done, and try again",
        cause: error,
      });
    }
  }

  #replaceIndex(): void {
    setAside(this.#database.file, this.owner.now());
    this.#reopen();
  }

  #reopen(): void {
    this.#database[Symbol.dispose]();
    this.#mailboxes.clear();
    this.#database = IndexDatabase.open(`${this.path}/${indexName}`, this.owner);
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }
}

/** Calls until it gives something: another program's lock is waited for. */
export async function whenUnlocked<T>(attempt: () => T | undefined, file: string): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += lockPauseMs) {
    const result = attempt();
    if (result !== undefined) return result;
    if (waitedMs >= lockLimitMs) {
      throw new Failure("failed", `cannot change "${file}": another program has locked it`, {
        hint: `if none is running, remove "${file}.lock"`,
      });
    }
    await setTimeout(lockPauseMs);
  }
}
