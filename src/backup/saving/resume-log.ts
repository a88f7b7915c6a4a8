import { pathIn, unfinishedEnding, type BackupStore, type StoreWriter } from "../store/index.ts";
import { isLogName, localLogName, type KeptSave, type LogLine } from "./kept-log.ts";

interface LogState {
  readonly text?: string;
  readonly path?: string;
  readonly writer?: StoreWriter;
}

/**
 * Writes the log of a backup while that is made. Where the store can go on with a file, each line is added to one; elsewhere
 * the whole log is put anew with each volume, since what comes between could not be kept anyway.
 */
export class ResumeLog implements AsyncDisposable {
  readonly #store: BackupStore;
  readonly #folder: string;
  /** Undefined where whole logs are put. */
  readonly #writer: StoreWriter | undefined;
  #text: string;
  #number: number;
  #path: string | undefined;
  #isClosed = false;
  #isKept = false;

  private constructor(store: BackupStore, folder: string, state: LogState = {}) {
    this.#store = store;
    this.#folder = folder;
    this.#text = state.text ?? "";
    this.#path = state.path;
    this.#number = Number(/-(\d+)\.log$/.exec(state.path ?? "")?.[1] ?? "0");
    this.#writer = state.writer;
  }

  /** In a folder without one. */
  static async begin(store: BackupStore, folder: string): Promise<ResumeLog> {
    if (store.reopen === undefined) return new ResumeLog(store, folder);
    return new ResumeLog(store, folder, { writer: await store.create(pathIn(folder, localLogName)) });
  }

  /** Throws `refused` where another program is writing it. */
  static async goOn(store: BackupStore, folder: string, { text, logName }: KeptSave): Promise<ResumeLog> {
    if (store.reopen === undefined) return new ResumeLog(store, folder, { text, path: pathIn(folder, logName) });
    const path = pathIn(folder, localLogName);
    const isLocal = logName === localLogName + unfinishedEnding;
    const isThere = isLocal || (await store.find(path + unfinishedEnding)) !== undefined;
    const keptBytes = isLocal ? Buffer.byteLength(text) : 0;
    const writer = isThere ? await store.reopen(path, keptBytes) : await store.create(path);
    if (!isLocal) await writer.write(Buffer.from(text)); // it was begun from another machine
    return new ResumeLog(store, folder, { writer });
  }

  async add(line: LogLine): Promise<void> {
    const text = `${JSON.stringify(line)}\n`;
    if (this.#writer === undefined) this.#text += text;
    else await this.#writer.write(Buffer.from(text));
  }

  /** Makes what was added last, as far as the store can. */
  async put(): Promise<void> {
    if (this.#writer !== undefined) return;
    const before = this.#path;
    this.#path = pathIn(this.#folder, `resume-${++this.#number}.log`);
    await this.#store.put(this.#path, Buffer.from(this.#text));
    await this.#store.flush(this.#folder);
    if (before !== undefined) await this.#store.remove(before);
  }

  /** Takes it away: everything else is there. */
  async finish(): Promise<void> {
    await this[Symbol.asyncDispose]();
    for (const { name } of await this.#store.list(this.#folder)) {
      if (isLogName(name)) await this.#store.remove(pathIn(this.#folder, name));
    }
  }

  /** Disposed, it stays. */
  keep(): void {
    this.#writer?.keep?.();
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writer?.[Symbol.asyncDispose]();
    if (this.#path !== undefined && !this.#isKept) await this.#store.remove(this.#path);
  }
}
