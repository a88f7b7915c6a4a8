import assert from "node:assert/strict";
import { duplexPair, type Duplex } from "node:stream";
import { Failure } from "../../../src/base/index.ts";
import type { Credentials, LoggedIn } from "../../../src/mail/connection.ts";
import { imapServer, type ImapServerOptions } from "../../../src/mail/imap/index.ts";
import type { MailStore } from "../../../src/mail/store/index.ts";
import { parseMessage } from "../../../src/mail/message/index.ts";
import { MemoryMail, type MemoryMailOptions } from "../memory-store.ts";

export interface TalkOptions extends ImapServerOptions {
  readonly mail?: MemoryMail;
  /** In place of `mail`: opens the mail of a user, for each login. */
  readonly openStore?: () => MailStore;
  readonly allowsExternal?: boolean;
  /** Not logged in yet. */
  readonly isStranger?: boolean;
}

/** 1 February 2020, 12:00: when everything in these tests happens. */
const now = (): number => Date.UTC(2020, 1, 1, 12);

export function memoryMail(options: MemoryMailOptions = {}): MemoryMail {
  return new MemoryMail({ parse: (content) => parseMessage(content), now, ...options });
}

/** A client that speaks with the server through a pair of streams, as `joe@example.org`. */
export class Talk implements AsyncDisposable {
  readonly socket: Duplex;
  readonly served: Promise<void>;
  readonly stop: AbortController;
  readonly #stores = new AsyncDisposableStack();
  #text = "";
  #isEnded = false;
  #wake = (): void => {};

  constructor({ mail = memoryMail(), openStore, allowsExternal = false, ...options }: TalkOptions = {}) {
    const [client, server] = duplexPair();
    this.socket = client;
    this.stop = new AbortController();
    client.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#wake();
    });
    client.on("close", () => this.#end()).on("end", () => this.#end());
    client.on("error", () => this.#end());
    this.served = imapServer({ now, ...options })({
      socket: server,
      holder: { mailbox: "joe@example.org", serial: "01", fingerprint: "00" },
      remoteAddress: "127.0.0.1",
      signal: this.stop.signal,
      allowsExternal,
      logIn: async (credentials) => logIn(credentials, () => this.#stores.use(openStore?.() ?? mail.store())),
    });
  }

  /** A client that is past the greeting, and logged in unless it is to be a stranger. */
  static async open(options: TalkOptions = {}): Promise<Talk> {
    const talk = new Talk(options);
    assert.match(await talk.line(), /^\* OK \[CAPABILITY IMAP4rev1 IMAP4rev2 /);
    if (options.isStranger !== true) await talk.says("a0 LOGIN joe secret", "a0 OK [CAPABILITY …] Logged in.");
    return talk;
  }

  /**
   * Lines as RFCs show them: what the client sends begins with `C: `, what the server has to answer with `S: `. `…` in an
   * answer stands for anything.
   */
  async follow(transcript: string): Promise<void> {
    for (const line of transcript.split("\n").map((each) => each.trimStart())) {
      if (line.startsWith("C: ")) this.send(`${line.slice(3)}\r\n`);
      else if (line === "S:") await this.expect("");
      else if (line.startsWith("S: ")) await this.expect(line.slice(3));
      else assert.equal(line.trim(), "", `no transcript: ${line}`);
    }
  }

  async says(line: string, ...answers: readonly string[]): Promise<void> {
    this.send(`${line}\r\n`);
    for (const answer of answers) await this.expect(answer);
  }

  async expect(pattern: string): Promise<void> {
    const line = await this.line();
    const parts = pattern.split("…").map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
    assert.ok(new RegExp(`^${parts.join(".*")}$`).test(line), `the server said "${line}" in place of "${pattern}"`);
  }

  /** What the server says to a command before the answer with its tag, and that. */
  async answerTo(command: string): Promise<readonly string[]> {
    this.send(`${command}\r\n`);
    const tag = command.slice(0, command.indexOf(" "));
    for (const lines: string[] = []; ;) {
      const line = await this.line();
      lines.push(line);
      if (line.startsWith(`${tag} `)) return lines;
    }
  }

  send(text: string | Uint8Array): void {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "utf8") : text);
  }

  /** The next line, one character a byte; throws at the end of the stream. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#isEnded) throw new Error(`the server ended the connection: "${this.#text}"`);
      await this.#more();
    }
  }

  /** Everything until the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#isEnded) await this.#more();
    return this.#text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.end();
    await this.served;
    await this.#stores.disposeAsync();
    this.socket.destroy();
  }

  #end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }
}

/** Runs one transcript as one client. */
export async function follow(transcript: string, options: TalkOptions = {}): Promise<void> {
  await using talk = await Talk.open(options);
  await talk.follow(transcript);
  await talk.says("zz LOGOUT", "* BYE Until next time.", "zz OK Logged out.");
}

async function logIn(credentials: Credentials, openStore: () => MailStore): Promise<LoggedIn> {
  const isRight =
    credentials.kind === "external"
      ? ["", "joe@example.org"].includes(credentials.user)
      : ["joe", "joe@example.org"].includes(credentials.user) && credentials.password === "secret";
  if (!isRight) throw new Failure("refused", "cannot log in: refused");
  return { user: "joe@example.org", store: openStore() };
}
