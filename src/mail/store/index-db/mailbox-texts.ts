import { setImmediate } from "node:timers/promises";
import {
  foldText,
  parseMessage,
  searchTextOf,
  textMatches,
  type MessagePart,
  type SearchText,
} from "../../message/index.ts";
import type { TextQuery } from "../open-mailbox.ts";
import { structures } from "./content-index.ts";
import type { IndexDatabase } from "./index-database.ts";
import type { IndexedMailbox } from "./indexed-mailbox.ts";

/** How a store reads its messages; each call runs on its own, as the user whose mail it is. */
export interface TextSource {
  act<T>(work: () => T): T;
  /** The message as it is on the wire; undefined for one that is gone. */
  read(uid: number): Uint8Array | undefined;
}

/** The index knows words of three letters and more: shorter ones are looked for in the messages. */
const indexedLetters = 3;
/** Of one message; one with more is looked through when the index does not find it. */
const indexedTextLimit = 1024 * 1024;
/** A search gives way to others after so long. */
const turnMs = 20;
/** So much is put into the index in one transaction, in the background. */
const fillMessages = 40;
const fillLetters = 512 * 1024;
/** Between two of them, so that a server has time for others. */
const fillPauseMs = 10;

interface Candidates {
  readonly isIndexable: boolean;
  readonly candidates: ReadonlySet<number>;
  /** What is still to be looked at, in order. */
  readonly left: readonly number[];
}

/** Searches the texts of one mailbox: in the full-text index, and in the messages that are not in it yet. */
export class MailboxTexts {
  readonly #database: IndexDatabase;
  readonly #index: IndexedMailbox;
  /**
   * UIDs whose texts are in the index, and those whose texts are there in part. Not identities of contents: a text is forgotten with
   * its last message, and the same content may come back under another UID.
   */
  readonly #whole = new Set<number>();
  readonly #partial = new Set<number>();
  /** The mailbox whose UIDs these are: another may take its place. */
  #mailboxId = "";
  #isFilling = false;
  #searches = 0;

  constructor(database: IndexDatabase, index: IndexedMailbox) {
    this.#database = database;
    this.#index = index;
  }

  async search(query: TextQuery, uids: readonly number[], source: TextSource): Promise<ReadonlySet<number>> {
    const { isIndexable, candidates, left } = source.act(() => this.#candidates(query, uids));
    // Whoever waits for an answer goes before what is done in the background.
    this.#searches++;
    const found = new Set<number>();
    try {
      let startedMs = performance.now();
      for (const uid of left) {
        const isSure = query.in !== "header" && candidates.has(uid);
        if (isSure || source.act(() => this.#matches(uid, query, source))) found.add(uid);
        if (isSure || performance.now() - startedMs < turnMs) continue;
        await setImmediate();
        startedMs = performance.now();
      }
    } finally {
      this.#searches--;
    }
    if (isIndexable) this.fill(source);
    return found;
  }

  #matches(uid: number, query: TextQuery, source: TextSource): boolean {
    return this.#read(uid, source, (wire, root) => textMatches(wire, root, query)) ?? false;
  }

  #read<T>(uid: number, source: TextSource, work: (wire: Uint8Array, root: MessagePart) => T): T | undefined {
    const wire = source.read(uid);
    if (wire === undefined) return undefined;
    const emailId = this.#index.held.get(uid)?.record.emailId ?? "";
    const structure = structures.known(this.#database, [emailId]).get(emailId) ?? parseMessage(wire);
    return work(wire, structure.root);
  }

  /** Puts what is missing into the index, in the background. Only mailboxes that somebody searches are worth it. */
  fill(source: TextSource): void {
    if (this.#isFilling) return;
    this.#isFilling = true;
    let missing: readonly number[] | undefined;
    const turn = (): void => {
      if (this.#searches > 0) {
        setTimeout(turn, fillPauseMs * 10).unref();
        return;
      }
      try {
        missing ??= source.act(() => this.#missing());
        missing = source.act(() => this.#fillSome(missing ?? [], source));
      } catch {
        // What cannot be read or written now is left to searches, which say so.
        missing = [];
      }
      if (missing.length > 0) setTimeout(turn, fillPauseMs).unref();
      else this.#isFilling = false;
    };
    setTimeout(turn, fillPauseMs).unref();
  }

  /** Those that the index gives, and with them those that it does not know: all others do not match. */
  #candidates(query: TextQuery, uids: readonly number[]): Candidates {
    const wanted = foldText(query.text);
    const field = query.in === "header" ? foldText(`${query.name}: `) : "";
    const words = isLongEnough(wanted) ? wanted : field;
    if (!isLongEnough(words)) return { isIndexable: false, candidates: new Set(), left: uids };
    this.#learn();
    const column = query.in === "text" ? "" : `${query.in === "header" ? "headers" : "body"} : `;
    const sql =
      "SELECT uid FROM texts JOIN contents ON contents.id = texts.rowid " +
      "JOIN messages ON messages.emailId = contents.emailId AND mailbox = ? WHERE texts MATCH ?";
    const match = `${column}"${withoutNul(words).replaceAll('"', '""')}"`;
    const rows = this.#database.all(sql, this.#index.id, match);
    const candidates = new Set(rows.map(({ uid }) => Number(uid)));
    const left = uids.filter((uid) => candidates.has(uid) || !this.#whole.has(uid));
    return { isIndexable: true, candidates, left };
  }

  /** Looks up of which messages the texts are in the index; once for each. */
  #learn(): void {
    if (this.#index.mailboxId !== this.#mailboxId) {
      this.#whole.clear();
      this.#partial.clear();
      this.#mailboxId = this.#index.mailboxId;
    }
    const unknown = this.#index.messages.filter(({ uid }) => !this.#whole.has(uid));
    if (unknown.length === 0) return;
    const sql = "SELECT emailId, text FROM json_each(?) AS wanted JOIN contents ON contents.emailId = wanted.value";
    const rows = this.#database.all(sql, JSON.stringify(unknown.map(({ emailId }) => emailId)));
    const states = new Map(rows.map((row) => [row["emailId"], row["text"]]));
    for (const { uid, emailId } of unknown) {
      if (states.get(emailId) === 1) this.#whole.add(uid);
      if (states.get(emailId) === 2) this.#partial.add(uid);
    }
  }

  #missing(): readonly number[] {
    this.#learn();
    const uids = this.#index.messages.map(({ uid }) => uid);
    return uids.filter((uid) => !this.#whole.has(uid) && !this.#partial.has(uid));
  }

  /** The first of them; those that are left. */
  #fillSome(uids: readonly number[], source: TextSource): readonly number[] {
    const texts = new Map<string, SearchText>();
    const startedMs = performance.now();
    let letters = 0;
    let done = 0;
    for (const uid of uids) {
      if (texts.size >= fillMessages || letters > fillLetters || performance.now() - startedMs > turnMs) break;
      done++;
      const emailId = this.#index.held.get(uid)?.record.emailId;
      const text = emailId === undefined || this.#whole.has(uid) ? undefined : this.#read(uid, source, searchTextOf);
      if (emailId === undefined || text === undefined) continue;
      texts.set(emailId, { headers: foldText(text.headers), body: foldText(text.body) });
      letters += text.headers.length + text.body.length;
    }
    this.#keep(texts);
    return uids.slice(done);
  }

  #keep(texts: ReadonlyMap<string, SearchText>): void {
    if (texts.size === 0) return;
    this.#database.transaction(() => {
      for (const [emailId, { headers, body }] of texts) {
        this.#database.run("INSERT OR IGNORE INTO contents (emailId) VALUES (?)", emailId);
        const row = this.#database.get("SELECT id, text FROM contents WHERE emailId = ?", emailId);
        if (row === undefined || row["text"] !== 0) continue;
        const isPartial = headers.length + body.length > indexedTextLimit;
        const [head, rest] = [headers.slice(0, indexedTextLimit), body.slice(0, indexedTextLimit)].map(withoutNul);
        const id = Number(row["id"]);
        this.#database.run("INSERT INTO texts (rowid, headers, body) VALUES (?, ?, ?)", id, head ?? "", rest ?? "");
        this.#database.run("UPDATE contents SET text = ? WHERE id = ?", isPartial ? 2 : 1, id);
      }
    });
    this.#learn();
  }
}

function isLongEnough(text: string): boolean {
  return Array.from(text).length >= indexedLetters;
}

/** The index would end a text there. */
function withoutNul(text: string): string {
  return text.replaceAll("\0", " ");
}
