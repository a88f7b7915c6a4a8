import type * as net from "node:net";
import { Failure } from "../../base/index.ts";
import {
  ByteReader,
  cramMd5,
  openConnection,
  Pipeline,
  Refusal,
  secureConnection,
  type ConnectOptions,
  type Sink,
} from "../client/index.ts";
import { mailboxWord, quoted, uidSet } from "./words.ts";
import { nonsense, readResponse } from "./response.ts";

export interface ImapCredentials {
  readonly user: string;
  readonly password: string;
  readonly method: "any" | "password" | "external" | "cram-md5";
}

export interface SelectedMailbox {
  readonly uidValidity: string;
  readonly exists: number;
}

export interface ListedMessage {
  readonly uid: number;
  readonly sizeBytes: number;
  readonly isSeen: boolean;
}

interface Watching {
  /** Untagged responses, `* ` taken away. */
  readonly onUntagged?: (text: string) => void;
  /** What to send when the server asks for more; a refusal where there is nothing. */
  readonly onContinue?: (text: string) => string | undefined;
}

/** A message that was asked for. */
interface Wanted {
  readonly sink: Sink;
  hasCome: boolean;
}

/** Responses to one command: no mailbox has more messages than that. */
const responsesLimit = 2_000_000;
const listLimit = 1_000_000;

/** One IMAP session (RFC 3501, RFC 9051) for fetching. Commands are sent at once, answers come in their order. */
export class ImapClient implements AsyncDisposable {
  readonly #options: ConnectOptions;
  readonly #peer: string;
  #socket: net.Socket;
  #reader: ByteReader;
  #pipeline: Pipeline;
  #capabilities: ReadonlySet<string> = new Set();
  #lastTag = 0;
  #exists = 0;
  readonly #wanted = new Map<number, Wanted>();
  #namesFirst = false;

  private constructor(socket: net.Socket, options: ConnectOptions) {
    this.#options = options;
    this.#peer = `"${options.host}"`;
    this.#socket = socket;
    this.#reader = new ByteReader(socket, this.#peer);
    this.#pipeline = new Pipeline(this.#reader);
  }

  /** Connects, and makes TLS where it is to be asked for. Nothing was said of who we are. */
  static async open(options: ConnectOptions): Promise<ImapClient> {
    const client = new ImapClient(await openConnection(options), options);
    try {
      await client.#pipeline.next(async (reader) => {
        const greeting = await reader.line();
        if (/^\* OK\b/i.test(greeting)) return;
        const isBye = /^\* BYE\b/i.test(greeting);
        throw isBye
          ? new Refusal(`cannot greet: ${client.#peer} says "${greeting.slice(6)}"`, "BYE")
          : nonsense(client.#peer, greeting);
      });
      await client.#readCapabilities();
      if (options.tls.mode === "starttls") await client.#startTls();
      return client;
    } catch (error) {
      client.#socket.destroy();
      throw error;
    }
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? this.#options.host;
  }

  has(capability: string): boolean {
    return this.#capabilities.has(capability);
  }

  /** Messages in the mailbox, as the server said last. */
  get exists(): number {
    return this.#exists;
  }

  async #readCapabilities(): Promise<void> {
    await this.#command("CAPABILITY", "ask what it can", {
      onUntagged: (text) => {
        const [, words] = /^CAPABILITY (.*)$/i.exec(text) ?? [];
        if (words !== undefined) this.#capabilities = new Set(words.toUpperCase().split(" "));
      },
    });
  }

  async #startTls(): Promise<void> {
    if (!this.has("STARTTLS")) {
      throw new Failure("refused", `cannot make a secure connection to ${this.#peer}: it has no STARTTLS`, {
        hint: 'with "ssl" the connection is secure from its first byte on, at port 993',
      });
    }
    await this.#command("STARTTLS", "start TLS");
    if (this.#reader.hasMore) {
      throw new Failure("refused", `cannot trust ${this.#peer}: it sent more before TLS had begun`);
    }
    this.#reader.release();
    this.#socket = await secureConnection(this.#socket, this.#options);
    this.#reader = new ByteReader(this.#socket, this.#peer);
    this.#pipeline = new Pipeline(this.#reader);
    await this.#readCapabilities();
  }

  async logIn({ user, password, method }: ImapCredentials): Promise<void> {
    const what = `log in as "${user}"`;
    if (method === "external") return this.#authenticate("EXTERNAL", what, () => user);
    if (method === "cram-md5") {
      return this.#authenticate("CRAM-MD5", what, (challenge) => {
        return Buffer.from(cramMd5({ user, password, challenge }), "base64").toString("latin1");
      });
    }
    // LOGIN takes what fits into a quoted string; PLAIN takes everything.
    if (this.has("AUTH=PLAIN") && (this.has("LOGINDISABLED") || /[^ -~]/.test(user + password))) {
      return this.#authenticate("PLAIN", what, () => Buffer.from(`\0${user}\0${password}`).toString("latin1"));
    }
    await this.#command(`LOGIN ${quoted(user)} ${quoted(password)}`, what);
    await this.#readCapabilities();
  }

  /** RFC 9051 §6.2.2; what `respond` gives is sent in base64. */
  async #authenticate(mechanism: string, what: string, respond: (challenge: Uint8Array) => string): Promise<void> {
    await this.#command(`AUTHENTICATE ${mechanism}`, what, {
      onContinue: (text) => Buffer.from(respond(Buffer.from(text, "base64")), "latin1").toString("base64"),
    });
    await this.#readCapabilities();
  }

  async select(mailbox: string): Promise<SelectedMailbox> {
    let uidValidity: string | undefined;
    await this.#command(`SELECT ${mailboxWord(mailbox)}`, `open "${mailbox}"`, {
      onUntagged: (text) => (uidValidity = /^OK \[UIDVALIDITY (\d+)\]/i.exec(text)?.[1] ?? uidValidity),
    });
    if (uidValidity === undefined) throw nonsense(this.#peer, "no UIDVALIDITY");
    return { uidValidity, exists: this.#exists };
  }

  /** All messages of the mailbox, by UID. */
  async list(): Promise<readonly ListedMessage[]> {
    if (this.#exists === 0) return [];
    const found = new Map<number, ListedMessage>();
    await this.#command("UID FETCH 1:* (UID FLAGS RFC822.SIZE)", "list the messages", {
      onUntagged: (text) => {
        const uid = numberIn(/^\d+ FETCH \(.*?\bUID (\d{1,10})\b/i, text);
        const sizeBytes = numberIn(/\bRFC822\.SIZE (\d{1,15})\b/i, text);
        if (uid === undefined || sizeBytes === undefined) return;
        if (found.size >= listLimit) throw nonsense(this.#peer, `more than ${listLimit} messages`);
        found.set(uid, { uid, sizeBytes, isSeen: /\bFLAGS \([^)]*\\Seen\b/i.test(text) });
      },
    });
    return [...found.values()].toSorted((one, other) => one.uid - other.uid);
  }

  /**
   * The message, given to `sink` piece by piece, not marked as read; a refusal where it is there no longer. Servers may
   * work on several commands at a time: whose content it is, its UID says.
   */
  async retrieve(uid: number, sink: Sink): Promise<void> {
    const wanted: Wanted = { sink, hasCome: false };
    this.#wanted.set(uid, wanted);
    await this.#command(`UID FETCH ${uid} (UID BODY.PEEK[])`, `fetch message ${uid}`);
    this.#wanted.delete(uid);
    if (!wanted.hasCome) throw new Refusal(`cannot fetch message ${uid}: ${this.#peer} has it no longer`, undefined);
  }

  /** Whether the server names the message before its content: known once one has come. Else one asks for one at a time. */
  get namesFirst(): boolean {
    return this.#namesFirst;
  }

  readonly #sinkFor = (textBefore: string): Sink => {
    const uid = numberIn(/\bUID (\d{1,10})\b/i, textBefore);
    this.#namesFirst = uid !== undefined;
    const [only] = this.#wanted.size === 1 ? [...this.#wanted.values()] : [];
    const wanted = uid === undefined ? only : this.#wanted.get(uid);
    if (wanted === undefined || wanted.hasCome) throw nonsense(this.#peer, "a message that nobody asked for");
    return wanted.sink;
  };

  /** A short message may come as a quoted string instead of a literal. */
  #fetched(text: string, bodyBytes: number | undefined): void {
    const [, short] = /^\d+ FETCH .*?\bBODY\[\] (?:"((?:\\.|[^"\\])*)"|NIL)/i.exec(text) ?? [];
    if (bodyBytes === undefined && short === undefined) return; // news of a message's flags
    const uid = numberIn(/^\d+ FETCH \(.*?\bUID (\d{1,10})\b/i, text);
    const wanted = uid === undefined ? undefined : this.#wanted.get(uid);
    if (wanted === undefined || wanted.hasCome) throw nonsense(this.#peer, "a message that nobody asked for");
    if (bodyBytes === undefined) wanted.sink(Buffer.from((short ?? "").replaceAll(/\\(.)/g, "$1"), "latin1"));
    wanted.hasCome = true;
  }

  async addFlags(uids: readonly number[], flags: string): Promise<void> {
    await this.#command(`UID STORE ${uidSet(uids)} +FLAGS.SILENT (${flags})`, "mark messages");
  }

  /** Removes those that are marked as deleted; of these only, where the server can (UIDPLUS, RFC 4315). */
  async expunge(uids: readonly number[]): Promise<void> {
    await this.#command(
      this.has("UIDPLUS") || this.has("IMAP4REV2") ? `UID EXPUNGE ${uidSet(uids)}` : "EXPUNGE",
      "delete messages",
    );
  }

  /** Resolves once there are other messages than before, or the time is over, or the signal given. */
  async idle(options: { readonly limitMs: number; readonly signal?: AbortSignal }): Promise<void> {
    const { limitMs, signal } = options;
    const before = this.#exists;
    let isIdling = false;
    let isOver = signal?.aborted === true;
    const done = (): void => {
      isOver = true;
      if (isIdling) this.#socket.write("DONE\r\n");
      isIdling = false;
    };
    const news = (): void => {
      if (this.#exists > before) done();
    };
    const timer = setTimeout(done, limitMs);
    signal?.addEventListener("abort", done, { once: true });
    this.#socket.setTimeout(limitMs + this.#options.timeoutMs);
    const answered = this.#command("IDLE", "wait for mail", {
      onContinue: () => {
        isIdling = true;
        if (isOver) done();
        return undefined;
      },
      onUntagged: news,
    });
    try {
      await answered;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      this.#socket.setTimeout(this.#options.timeoutMs);
    }
  }

  /** Asks whether there is something new (RFC 9051 §6.1.2). */
  async noop(): Promise<void> {
    await this.#command("NOOP", "ask for news");
  }

  async logOut(): Promise<void> {
    await this.#command("LOGOUT", "end the session");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #command(command: string, what: string, watching: Watching = {}): Promise<void> {
    if (/[\r\n\0]/.test(command)) {
      return Promise.reject(new Failure("usage", `cannot ${what}: a name or password has the end of a line in it`));
    }
    this.#lastTag += 1;
    const tag = `H${this.#lastTag}`;
    this.#socket.write(`${tag} ${command}\r\n`);
    return this.#pipeline.next((reader) => this.#answer(reader, tag, what, watching));
  }

  async #answer(reader: ByteReader, tag: string, what: string, watching: Watching): Promise<void> {
    for (let count = 0; count < responsesLimit; count += 1) {
      const { text, bodyBytes } = await readResponse(reader, this.#peer, this.#sinkFor);
      if (text.startsWith("* ")) this.#untagged(text.slice(2), bodyBytes, watching);
      else if (text.startsWith("+")) {
        if (watching.onContinue === undefined) throw nonsense(this.#peer, text);
        const more = watching.onContinue(text.slice(1).trim());
        if (more !== undefined) this.#socket.write(`${more}\r\n`);
      } else if (text.startsWith(`${tag} `)) return this.#status(text.slice(tag.length + 1), what);
      else throw nonsense(this.#peer, text);
    }
    throw nonsense(this.#peer, "responses without end");
  }

  #untagged(text: string, bodyBytes: number | undefined, watching: Watching): void {
    const exists = numberIn(/^(\d{1,10}) EXISTS$/i, text);
    if (exists !== undefined) this.#exists = exists;
    else if (/^\d{1,10} EXPUNGE$/i.test(text)) this.#exists = Math.max(0, this.#exists - 1);
    else if (this.#wanted.size > 0) this.#fetched(text, bodyBytes);
    watching.onUntagged?.(text);
  }

  #status(text: string, what: string): void {
    const [, status, rest = ""] = /^(OK|NO|BAD)\b ?(.*)$/i.exec(text) ?? [];
    if (status?.toUpperCase() === "OK") return;
    if (status === undefined) throw nonsense(this.#peer, text);
    const code = /^\[([A-Z0-9-]+)/i.exec(rest)?.[1]?.toUpperCase();
    const shown = rest.slice(0, 200).replaceAll(/[^ -~]/g, "?");
    throw new Refusal(`cannot ${what}: ${this.#peer} says "${shown}"`, code);
  }
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
