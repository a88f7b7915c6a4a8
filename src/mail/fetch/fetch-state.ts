import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { Failure, libc, OutputFile, systemReason } from "../../base/index.ts";
import type { Fate, Intent, Ledger } from "./intent.ts";

/** A line of the journal. */
type Entry =
  | { readonly validity: string }
  | { readonly begin: Intent }
  | { readonly end: readonly string[]; readonly fate: Fate }
  | { readonly gone: readonly string[] };

const datasync = promisify(fs.fdatasync);
/** The journal is written anew once it has so many lines that are no longer needed. */
const spareLines = 200;
const endsInLine = 100;

/**
 * What is known of one mailbox of a server: which messages are safe here. A journal: each line is on the disk before
 * what follows from it is done, and the last one counts only where it is whole. Locked while it is open.
 */
export class FetchState implements Ledger, Disposable {
  readonly #file: string;
  readonly #lock: number;
  #fd = -1;
  readonly #fates = new Map<string, Fate>();
  #validity: string | undefined;
  #intent: Intent | undefined;
  /** What becomes of messages that are delivered from now on. */
  fate: Fate = "due";

  private constructor(file: string, lock: number) {
    this.#file = file;
    this.#lock = lock;
  }

  /** Of what is called `name` in messages. Throws `refused` where another run has it. */
  static open(folder: string, name: string): FetchState {
    const file = path.join(folder, `${fileWord(name)}.journal`);
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      const lock = fs.openSync(`${file}.lock`, "a", 0o600);
      using failed = new DisposableStack();
      failed.defer(() => fs.closeSync(lock));
      if (libc()?.lockWhole(lock) === false) {
        throw new Failure("refused", `cannot fetch from "${name}": another run is doing so`);
      }
      const state = new FetchState(file, lock);
      state.#replay();
      failed.move();
      return state;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure("failed", `cannot keep in mind what was fetched, in "${file}": ${systemReason(error)}`, {
        cause: error,
      });
    }
  }

  /** What a run that was cut off was about to write, and nobody knows yet whether it did. */
  get unfinished(): Intent | undefined {
    return this.#intent;
  }

  fateOf(uid: string): Fate | undefined {
    return this.#fates.get(uid);
  }

  /** Forgets everything where the server has given its messages new names (UIDVALIDITY), and those that it has no longer. */
  align(validity: string, uids: ReadonlySet<string>): void {
    if (this.#validity !== validity) this.#append({ validity });
    const gone = [...this.#fates.keys()].filter((uid) => !uids.has(uid));
    if (gone.length > 0) this.#append({ gone });
  }

  async begin(intent: Intent): Promise<void> {
    this.#append({ begin: intent });
    await this.#sync();
  }

  async end(uids: readonly string[]): Promise<void> {
    this.#append({ end: uids, fate: this.fate });
    await this.#sync();
  }

  /** They are no longer on the server. Not synced: the server's next answer tells the same. */
  gone(uids: readonly string[]): void {
    if (uids.length > 0) this.#append({ gone: uids });
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    fs.closeSync(this.#lock);
  }

  #append(entry: Entry): void {
    this.#take(entry);
    try {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < line.length;) at += fs.writeSync(this.#fd, line, at);
    } catch (error) {
      throw this.#unwritten(error);
    }
  }

  async #sync(): Promise<void> {
    try {
      await datasync(this.#fd);
    } catch (error) {
      throw this.#unwritten(error);
    }
  }

  #unwritten(error: unknown): Failure {
    return new Failure("failed", `cannot write "${this.#file}": ${systemReason(error)}`, { cause: error });
  }

  #take(entry: Entry): void {
    if ("validity" in entry) {
      if (entry.validity !== this.#validity) this.#fates.clear();
      this.#validity = entry.validity;
    } else if ("begin" in entry) this.#intent = entry.begin;
    else if ("gone" in entry) for (const uid of entry.gone) this.#fates.delete(uid);
    else {
      for (const uid of entry.end) this.#fates.set(uid, entry.fate);
      this.#intent = undefined;
    }
  }

  #replay(): void {
    const text = fs.existsSync(this.#file) ? fs.readFileSync(this.#file, "utf8") : "";
    const lines = text.split("\n");
    const cutOff = lines.pop() ?? "";
    for (const [index, line] of lines.entries()) this.#take(this.#entry(line, index + 1));
    if (cutOff !== "" || lines.length > spareLines + this.#fates.size / endsInLine) this.#writeAnew();
    this.#fd = fs.openSync(this.#file, "a", 0o600);
  }

  #entry(line: string, number: number): Entry {
    try {
      return JSON.parse(line) as Entry;
    } catch (error) {
      throw new Failure("damaged", `cannot understand "${this.#file}": line ${number} is not what was written there`, {
        hint: "without that file, messages that are still on the server are fetched again",
        cause: error,
      });
    }
  }

  #writeAnew(): void {
    fs.rmSync(`${this.#file}.part`, { force: true }); // of a run that was cut off; nobody else has the lock
    const entries: Entry[] = this.#validity === undefined ? [] : [{ validity: this.#validity }];
    for (const fate of ["due", "kept"] as const) {
      const uids = [...this.#fates].filter(([, one]) => one === fate).map(([uid]) => uid);
      for (let at = 0; at < uids.length; at += endsInLine) entries.push({ end: uids.slice(at, at + endsInLine), fate });
    }
    if (this.#intent !== undefined) entries.push({ begin: this.#intent });
    const output = OutputFile.create(this.#file, { force: true, mode: 0o600 });
    fs.writeSync(output.fd, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    output.commit();
    fs.closeSync(output.fd);
  }
}

/** A name as that of a file: readable, and no two the same. */
function fileWord(name: string): string {
  const word = name.replaceAll(/[^A-Za-z0-9@._-]+/g, "-").slice(0, 100);
  return `${word}-${createHash("sha256").update(name).digest("hex").slice(0, 12)}`;
}
