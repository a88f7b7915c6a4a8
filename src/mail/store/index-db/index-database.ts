import * as fs from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Failure } from "../../../base/index.ts";
import { schema, schemaVersion } from "./schema.ts";

export type Row = Record<string, string | number | null>;

export interface IndexDatabaseOptions {
  readonly now: () => number;
}

/** How long one process waits for another's transaction. */
const busyTimeoutMs = 10_000;
/** How long what can wait does, so that it is written behind the answer that it came up for. */
const laterMs = 100;
/** More work than this does not wait. */
const waitingLimit = 64;
/** SQLITE_CORRUPT, SQLITE_NOTADB: what a file that is not an index any more gives. */
const damageCodes: ReadonlySet<number> = new Set([11, 26]);

/** The index of one user's mail: what the files do not say, and what takes long to find out from them. */
export class IndexDatabase implements Disposable {
  readonly file: string;
  readonly now: () => number;
  readonly #database: DatabaseSync;
  readonly #inode: number;
  readonly #statements = new Map<string, StatementSync>();
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(file: string, database: DatabaseSync, options: IndexDatabaseOptions) {
    this.file = file;
    this.now = options.now;
    this.#database = database;
    this.#inode = fs.statSync(file).ino;
  }

  /** A damaged index is set aside, one of another version is removed: a new one takes its place. */
  static open(file: string, options: IndexDatabaseOptions): IndexDatabase {
    try {
      return new IndexDatabase(file, openTables(file), options);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      setAside(file, options.now());
      return new IndexDatabase(file, openTables(file), options);
    }
  }

  /** Whether the file that was opened is still the one under its name. */
  get isCurrent(): boolean {
    return fs.statSync(this.file, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).lastInsertRowid);
  }

  /** Nobody else writes meanwhile; all of it is kept, or nothing. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Writes what is only kept to save work, a moment later, one piece at a time between other work. It may never come to
   * it: where the index is closed, damaged or full, whoever looks next finds it out anew.
   */
  later(work: () => void): void {
    if (this.#waiting.length >= waitingLimit) this.#attempt(this.#waiting.shift());
    this.#waiting.push(work);
    this.#timer ??= this.#nextIn(laterMs);
  }

  #nextIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#attempt(this.#waiting.shift());
      this.#timer = this.#waiting.length > 0 ? this.#nextIn(0) : undefined;
    }, ms).unref();
  }

  #attempt(work: (() => void) | undefined): void {
    try {
      work?.();
    } catch (error) {
      const isExpected = error instanceof Failure || (error instanceof Error && "errcode" in error);
      if (!isExpected) throw error; // a bug: neither the system's nor SQLite's answer
    }
  }

  #statement(sql: string): StatementSync {
    const held = this.#statements.get(sql);
    if (held !== undefined) return held;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    if (this.#database.isOpen) this.#database.close();
  }
}

/** Whether an error means that the index itself cannot be read. */
export function isDamaged(error: unknown): boolean {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return false;
  return damageCodes.has(error.errcode & 0xff);
}

/** Keeps a damaged index for whoever wants to look at it; one only. */
export function setAside(file: string, nowMs: number): void {
  for (const ending of ["-wal", "-shm"]) fs.rmSync(file + ending, { force: true });
  const aside = `${file}.damaged`;
  if (fs.existsSync(file)) {
    fs.utimesSync(file, nowMs / 1000, nowMs / 1000);
    fs.renameSync(file, aside);
  }
}

function openTables(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    // Not synced with each change: what a power failure takes is found again in the files.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000;");
    database.exec("BEGIN IMMEDIATE");
    const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
    if (version !== schemaVersion) {
      if (version !== 0) dropAll(database);
      database.exec(schema);
    }
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function dropAll(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL").all();
  for (const { name } of tables) {
    if (typeof name === "string" && !name.startsWith("texts_")) database.exec(`DROP TABLE IF EXISTS "${name}"`);
  }
}
