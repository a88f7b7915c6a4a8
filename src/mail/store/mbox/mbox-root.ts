import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../../base/index.ts";
import { IndexDatabase, isDamaged, renameInIndex, setAside } from "../index-db/index.ts";
import { nextUidValidity } from "../maildir/index.ts";
import { fileOf, notThere, type MboxPlaces } from "./folders.ts";
import { lockTimeoutMs } from "./lock.ts";
import { MboxMailbox, type MboxSession } from "./mbox-mailbox.ts";
import { spelledMailbox } from "./names.ts";

export interface MboxRootOptions {
  readonly now: () => number;
  /** Of Dovecot's INDEX; beside Dovecot's own files in `.imap` without. */
  readonly index?: string | undefined;
}

const indexName = "holdfast-index.sqlite";
const retryMs = 10;
const longestRetryMs = 300;

/** One user's mailboxes as this process has them open, for all connections. */
export class MboxRoot implements Disposable {
  readonly places: MboxPlaces;
  readonly now: () => number;
  /** What there is besides the mailboxes: index, journals, notes. */
  readonly stateFolder: string;
  readonly #mailboxes = new Map<string, MboxMailbox>();
  #database: IndexDatabase;

  constructor(places: MboxPlaces, options: MboxRootOptions) {
    this.places = places;
    this.now = options.now;
    this.stateFolder = options.index ?? path.join(places.folder, ".imap");
    this.#database = this.#open();
  }

  get database(): IndexDatabase {
    return this.#database;
  }

  fileOf(name: string): string {
    return fileOf(this.places, spelledMailbox(name));
  }

  /** Throws `not-found`. INBOX is always there, with or without its file. */
  mailbox(name: string): MboxMailbox {
    const spelled = spelledMailbox(name);
    const file = fileOf(this.places, spelled);
    if (spelled !== "INBOX" && fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw notThere(name);
    const known = this.#mailboxes.get(spelled);
    if (known !== undefined) return known;
    const mailbox = this.guarded(
      () =>
        new MboxMailbox(
          this.#database,
          { key: spelled, path: file },
          {
            nowMs: this.now,
            host: os.hostname(),
            dovecotIndex: dovecotIndexOf(this.places, spelled),
            stateFolder: path.join(this.stateFolder, "holdfast-journals"),
            nextUidValidity: () => nextUidValidity(this.stateFolder, this.now()),
          },
        ),
    );
    this.#mailboxes.set(spelled, mailbox);
    return mailbox;
  }

  /** The same, brought up to date. */
  look(name: string): MboxMailbox {
    if (!this.#database.isCurrent) this.#reopen();
    return this.guarded(() => {
      const mailbox = this.mailbox(name);
      mailbox.refresh();
      return mailbox;
    });
  }

  /** It was removed. */
  forget(name: string): void {
    this.#mailboxes.get(name)?.index.forget();
    this.#mailboxes.delete(name);
  }

  renamed(from: string, to: string): void {
    renameInIndex(this.#database, from, to);
    for (const name of [from, to]) this.#mailboxes.delete(name);
  }

  /** Runs what reads and writes the index; once more with a new one where it turns out to be damaged. */
  guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isDamaged(error)) throw error;
      setAside(this.#database.file, this.now());
      this.#reopen();
      return work();
    }
  }

  #reopen(): void {
    this.#database[Symbol.dispose]();
    this.#mailboxes.clear();
    this.#database = this.#open();
  }

  #open(): IndexDatabase {
    fs.mkdirSync(this.stateFolder, { recursive: true, mode: 0o700 });
    return IndexDatabase.open(path.join(this.stateFolder, indexName), { now: this.now });
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }
}

/** Beside the file, but that of INBOX, which is with the others. */
function dovecotIndexOf(places: MboxPlaces, name: string): string {
  const file = name === "INBOX" ? path.join(places.folder, name) : fileOf(places, name);
  return path.join(path.dirname(file), ".imap", path.basename(file));
}

export interface ChangeOptions {
  readonly actAs: <T>(work: () => T) => T;
  readonly createMode?: number;
}

/** Changes a mailbox as soon as no other program has it locked. */
export async function changeMailbox<T>(
  root: MboxRoot,
  name: string,
  work: (session: MboxSession, mailbox: MboxMailbox) => T,
  { actAs, ...create }: ChangeOptions,
): Promise<T> {
  const attempt = (): { readonly result: T } | undefined => {
    const mailbox = root.mailbox(name);
    return mailbox.tryChange((session) => work(session, mailbox), create);
  };
  const endMs = root.now() + lockTimeoutMs;
  for (let waitMs = retryMs; ; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
    const done = actAs(attempt);
    if (done !== undefined) return done.result;
    if (root.now() >= endMs) {
      throw new Failure("failed", `cannot change mailbox "${name}": another program has it locked`);
    }
    await sleep(waitMs);
  }
}
