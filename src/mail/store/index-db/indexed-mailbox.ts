import type { MessageRecord } from "../../message-record.ts";
import type { MailboxState } from "../mailbox-view.ts";
import { isDamaged, type IndexDatabase, type Row } from "./index-database.ts";

/** A message and where the store has it: a file name, an offset; what it means is the store's. */
export interface Held {
  readonly record: MessageRecord;
  readonly place: string;
}

/** A message that was found in the files. */
export interface Found {
  readonly uid: number;
  readonly place: string;
  readonly flags: readonly string[];
  readonly sizeBytes: number;
  readonly receivedMs: number;
  readonly savedMs: number;
  readonly emailId: string;
}

/** What the files have become. What another process has written into the index meanwhile is no longer a change. */
export interface MailboxUpdate {
  readonly appeared?: readonly Found[];
  readonly changed?: readonly { readonly uid: number; readonly place: string; readonly flags: readonly string[] }[];
  readonly vanished?: readonly number[];
  readonly uidNext?: number;
  readonly stamp?: string;
}

/** Of messages that vanished, so many are remembered for each mailbox. */
const vanishedLimit = 20_000;

/**
 * A mailbox's rows, in memory too: shared by all connections of this process, and kept equal with what other processes
 * write. The store finds out what changed in the files, and tells `update`.
 */
export class IndexedMailbox implements MailboxState {
  readonly key: string;
  readonly #database: IndexDatabase;
  readonly #nameOf: (place: string) => string;
  readonly #isPlaceOfStamp: boolean;
  readonly #held = new Map<number, Held>();
  readonly #uids = new Map<string, number>();
  readonly #flags = new Map<string, readonly string[]>();
  #id = 0;
  #mailboxId = "";
  #uidValidity = 0;
  #uidNext = 1;
  #highestModSeq = 0;
  #stamp = "";
  #messages: readonly MessageRecord[] = [];

  /** `nameOf` is what of a place stays the same for a message; "stamp" where all places may change with the stamp. */
  constructor(database: IndexDatabase, key: string, nameOf: ((place: string) => string) | "stamp") {
    this.#database = database;
    this.key = key;
    this.#nameOf = nameOf === "stamp" ? () => "" : nameOf;
    this.#isPlaceOfStamp = nameOf === "stamp";
    this.#load();
  }

  /** The message whose place has that name. */
  uidOf(name: string): number | undefined {
    return this.#uids.get(name);
  }

  get id(): number {
    return this.#id;
  }

  /** RFC 8474; empty where nothing is known of it yet. */
  get mailboxId(): string {
    return this.#mailboxId;
  }

  /** 0 where nothing is known of it yet. */
  get uidValidity(): number {
    return this.#uidValidity;
  }

  get uidNext(): number {
    return this.#uidNext;
  }

  get highestModSeq(): number {
    return this.#highestModSeq;
  }

  get stamp(): string {
    return this.#stamp;
  }

  get messages(): readonly MessageRecord[] {
    return this.#messages;
  }

  get held(): ReadonlyMap<number, Held> {
    return this.#held;
  }

  /** Forgets what it had and begins anew: the files say that this is another mailbox, or it is the first time. */
  reset({ uidValidity, mailboxId }: { readonly uidValidity: number; readonly mailboxId: string }): void {
    this.#database.transaction(() => {
      deleteMailbox(this.#database, this.key);
      const modSeq = this.#nextModSeq();
      this.#database.run(
        "INSERT INTO mailboxes (key, mailboxId, uidValidity, uidNext, highestModSeq, vanishedFloor, stamp) " +
          "VALUES (?, ?, ?, 1, ?, ?, '')",
        this.key,
        mailboxId,
        uidValidity,
        modSeq,
        modSeq,
      );
    });
    this.#load();
  }

  /** Removes it from the index. */
  forget(): void {
    this.#database.transaction(() => deleteMailbox(this.#database, this.key));
    this.#load();
  }

  /** Takes in what other processes have written; true where it was reset by one of them. */
  catchUp(): boolean {
    const row = this.#header();
    if (row === undefined || row["id"] !== this.#id) {
      this.#load();
      return true;
    }
    // Places may have changed without anybody having to be told of it.
    if (this.#isPlaceOfStamp && row["stamp"] !== this.#stamp) this.#load();
    else if (Number(row["highestModSeq"]) > this.#highestModSeq) this.#takeIn(row);
    this.#uidNext = Math.max(this.#uidNext, Number(row["uidNext"]));
    return false;
  }

  /** One transaction, one modSeq for all that it changes. False where another process has begun the mailbox anew. */
  update(update: MailboxUpdate): boolean {
    try {
      return this.#database.transaction(() => this.#update(update));
    } catch (error) {
      this.#stamp = "";
      if (!isDamaged(error)) this.#load();
      throw error;
    }
  }

  #update(update: MailboxUpdate): boolean {
    if (this.catchUp()) return false;
    const appeared = (update.appeared ?? []).filter(({ uid }) => !this.#held.has(uid));
    const vanished = (update.vanished ?? []).filter((uid) => this.#held.has(uid));
    const changed = (update.changed ?? []).flatMap((change) => {
      const held = this.#held.get(change.uid);
      return held === undefined ? [] : [{ ...change, held }];
    });
    const flagged = changed.filter(({ held, flags }) => held.record.flags.join(" ") !== flags.join(" "));
    if (appeared.length + vanished.length + flagged.length > 0) {
      const modSeq = this.#nextModSeq();
      this.#insert(appeared, modSeq);
      this.#remove(vanished, modSeq);
      this.#change(flagged, modSeq);
      this.#highestModSeq = modSeq;
      this.#reflect(appeared, vanished, flagged);
    }
    this.#replace(changed.filter(({ held, place }) => held.place !== place));
    this.#stamp = update.stamp ?? this.#stamp;
    this.#uidNext = Math.max(this.#uidNext, update.uidNext ?? 0);
    this.#database.run(
      "UPDATE mailboxes SET highestModSeq = ?, uidNext = ?, stamp = ? WHERE id = ?",
      this.#highestModSeq,
      this.#uidNext,
      this.#stamp,
      this.#id,
    );
    return true;
  }

  /** Sizes that turned out to be others; not a change that anybody is told of. */
  correctSize(uid: number, sizeBytes: number): void {
    const held = this.#held.get(uid);
    if (held === undefined || held.record.sizeBytes === sizeBytes) return;
    this.#database.run("UPDATE messages SET sizeBytes = ? WHERE mailbox = ? AND uid = ?", sizeBytes, this.#id, uid);
    this.#held.set(uid, { ...held, record: { ...held.record, sizeBytes } });
    this.#rebuild(false);
  }

  vanishedSince(modSeq: number): readonly number[] {
    const floor = Number(this.#header()?.["vanishedFloor"] ?? 0);
    if (modSeq < floor) {
      return Array.from({ length: this.#uidNext - 1 }, (_, index) => index + 1).filter((uid) => !this.#held.has(uid));
    }
    const sql = "SELECT uid FROM vanished WHERE mailbox = ? AND modSeq > ? ORDER BY uid";
    return this.#database.all(sql, this.#id, modSeq).map((row) => Number(row["uid"]));
  }

  #header(): Row | undefined {
    return this.#database.get("SELECT * FROM mailboxes WHERE key = ?", this.key);
  }

  /** Above all that were given, also by an index that is gone: they follow the clock. */
  #nextModSeq(): number {
    return Math.max(Math.floor(this.#database.now() * 1000), this.#highestModSeq + 1);
  }

  #load(): void {
    const row = this.#header();
    this.#held.clear();
    this.#uids.clear();
    this.#id = Number(row?.["id"] ?? 0);
    this.#mailboxId = String(row?.["mailboxId"] ?? "");
    this.#uidValidity = Number(row?.["uidValidity"] ?? 0);
    this.#uidNext = Number(row?.["uidNext"] ?? 1);
    this.#highestModSeq = Math.max(Number(row?.["highestModSeq"] ?? 0), this.#highestModSeq);
    this.#stamp = String(row?.["stamp"] ?? "");
    for (const message of this.#database.all("SELECT * FROM messages WHERE mailbox = ? ORDER BY uid", this.#id)) {
      this.#hold(message);
    }
    this.#rebuild(false);
  }

  #takeIn(header: Row): void {
    const known = this.#highestModSeq;
    const sql = "SELECT uid FROM vanished WHERE mailbox = ? AND modSeq > ?";
    if (Number(header["vanishedFloor"]) > known) return this.#load();
    for (const row of this.#database.all(sql, this.#id, known)) this.#release(Number(row["uid"]));
    const changed = "SELECT * FROM messages WHERE mailbox = ? AND modSeq > ? ORDER BY uid";
    for (const row of this.#database.all(changed, this.#id, known)) this.#hold(row);
    this.#highestModSeq = Number(header["highestModSeq"]);
    this.#stamp = String(header["stamp"]);
    this.#rebuild(true);
  }

  #hold(row: Row): void {
    const record: MessageRecord = {
      uid: Number(row["uid"]),
      flags: this.#flagList(String(row["flags"])),
      modSeq: Number(row["modSeq"]),
      receivedMs: Number(row["receivedMs"]),
      savedMs: Number(row["savedMs"]),
      sizeBytes: Number(row["sizeBytes"]),
      emailId: String(row["emailId"]),
    };
    this.#keep(record, String(row["place"]));
  }

  #keep(record: MessageRecord, place: string): void {
    this.#held.set(record.uid, { record, place });
    this.#uids.set(this.#nameOf(place), record.uid);
  }

  #release(uid: number): void {
    const held = this.#held.get(uid);
    if (held === undefined) return;
    this.#held.delete(uid);
    const name = this.#nameOf(held.place);
    if (this.#uids.get(name) === uid) this.#uids.delete(name);
  }

  /** Messages have few different sets of flags: each is kept once. */
  #flagList(joined: string): readonly string[] {
    const known = this.#flags.get(joined);
    if (known !== undefined) return known;
    const list = Object.freeze(joined === "" ? [] : joined.split(" "));
    this.#flags.set(joined, list);
    return list;
  }

  #rebuild(isSortingNeeded: boolean): void {
    const records = Array.from(this.#held.values(), (held) => held.record);
    if (isSortingNeeded) records.sort((a, b) => a.uid - b.uid);
    this.#messages = records;
  }

  /** Another array for what has changed: most changes are of few messages among many. */
  #reflect(
    appeared: readonly { readonly uid: number }[],
    vanished: readonly number[],
    changed: readonly { readonly uid: number }[],
  ): void {
    const lastUid = this.#messages.at(-1)?.uid ?? 0;
    if (appeared.some(({ uid }) => uid <= lastUid)) return this.#rebuild(true);
    const recordOf = (uid: number): MessageRecord | [] => this.#held.get(uid)?.record ?? [];
    let messages = this.#messages;
    if (vanished.length > 0) {
      const gone = new Set(vanished);
      messages = messages.filter(({ uid }) => !gone.has(uid));
    }
    if (changed.length > 0) {
      const others = new Set(changed.map(({ uid }) => uid));
      messages = messages.flatMap((record) => (others.has(record.uid) ? recordOf(record.uid) : record));
    }
    this.#messages = messages.concat(appeared.flatMap(({ uid }) => recordOf(uid)));
  }

  #insert(appeared: readonly Found[], modSeq: number): void {
    for (const { uid, place, flags, sizeBytes, receivedMs, savedMs, emailId } of appeared) {
      const joined = flags.join(" ");
      this.#database.run(
        "INSERT INTO messages (mailbox, uid, place, flags, modSeq, sizeBytes, receivedMs, savedMs, emailId) " +
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        this.#id,
        uid,
        place,
        joined,
        modSeq,
        sizeBytes,
        receivedMs,
        savedMs,
        emailId,
      );
      const record = { uid, flags: this.#flagList(joined), modSeq, receivedMs, savedMs, sizeBytes, emailId };
      this.#keep(record, place);
      this.#uidNext = Math.max(this.#uidNext, uid + 1);
    }
  }

  #remove(vanished: readonly number[], modSeq: number): void {
    if (vanished.length === 0) return;
    for (const uid of vanished) {
      const emailId = this.#held.get(uid)?.record.emailId ?? "";
      this.#release(uid);
      this.#database.run("DELETE FROM messages WHERE mailbox = ? AND uid = ?", this.#id, uid);
      this.#database.run("INSERT OR IGNORE INTO vanished VALUES (?, ?, ?)", this.#id, modSeq, uid);
      forgetContent(this.#database, emailId);
    }
    const kept = "SELECT modSeq FROM vanished WHERE mailbox = ? ORDER BY modSeq DESC, uid DESC LIMIT 1 OFFSET ?";
    const floor = this.#database.get(kept, this.#id, vanishedLimit)?.["modSeq"];
    if (floor === undefined || floor === null) return;
    this.#database.run("DELETE FROM vanished WHERE mailbox = ? AND modSeq <= ?", this.#id, floor);
    this.#database.run("UPDATE mailboxes SET vanishedFloor = ? WHERE id = ?", floor, this.#id);
  }

  #change(changed: readonly { uid: number; flags: readonly string[]; place: string }[], modSeq: number): void {
    for (const { uid, flags, place } of changed) {
      const held = this.#held.get(uid);
      if (held === undefined) continue;
      const joined = flags.join(" ");
      const sql = "UPDATE messages SET flags = ?, modSeq = ?, place = ? WHERE mailbox = ? AND uid = ?";
      this.#database.run(sql, joined, modSeq, place, this.#id, uid);
      this.#keep({ ...held.record, flags: this.#flagList(joined), modSeq }, place);
    }
  }

  #replace(moved: readonly { uid: number; place: string }[]): void {
    for (const { uid, place } of moved) {
      const held = this.#held.get(uid);
      if (held === undefined || held.place === place) continue;
      this.#database.run("UPDATE messages SET place = ? WHERE mailbox = ? AND uid = ?", place, this.#id, uid);
      this.#keep(held.record, place);
    }
  }
}

/** The mailbox has another name; one that had it, and that another program has removed, is forgotten. */
export function renameInIndex(database: IndexDatabase, from: string, to: string): void {
  database.transaction(() => {
    deleteMailbox(database, to);
    database.run("UPDATE mailboxes SET key = ? WHERE key = ?", to, from);
  });
}

function deleteMailbox(database: IndexDatabase, key: string): void {
  const id = database.get("SELECT id FROM mailboxes WHERE key = ?", key)?.["id"];
  if (id === undefined || id === null) return;
  const emails = database.all("SELECT DISTINCT emailId FROM messages WHERE mailbox = ?", id);
  for (const table of ["messages", "vanished"]) database.run(`DELETE FROM ${table} WHERE mailbox = ?`, id);
  database.run("DELETE FROM mailboxes WHERE id = ?", id);
  for (const { emailId } of emails) forgetContent(database, String(emailId));
}

/** Removes what is known of a content that no message has any more. */
function forgetContent(database: IndexDatabase, emailId: string): void {
  if (database.get("SELECT 1 FROM messages WHERE emailId = ? LIMIT 1", emailId) !== undefined) return;
  const row = database.get("SELECT id, text FROM contents WHERE emailId = ?", emailId);
  if (row === undefined) return;
  if (row["text"] !== 0) database.run("DELETE FROM texts WHERE rowid = ?", Number(row["id"]));
  database.run("DELETE FROM contents WHERE id = ?", Number(row["id"]));
}
