import type { GuardedConnection, LoggedIn } from "../../connection.ts";
import type { MailStore } from "../../store/index.ts";
import { humanText, type NameForm } from "../grammar/index.ts";
import type { ImapLimits } from "../limits.ts";
import { ByteSource, CommandReader, compressBoth, Output } from "../wire/index.ts";
import { capabilitiesAfterLogin, capabilitiesBeforeLogin } from "./capabilities.ts";
import type { Selected, Telling } from "./selected.ts";

/** How long a client that was told BYE may take to read it. */
const partingMs = 2000;

export type SessionState = "before-login" | "logged-in" | "selected" | "ended";

/** What ENABLE turns on (RFC 5161). */
export type Extension = "CONDSTORE" | "QRESYNC" | "UTF8=ACCEPT" | "IMAP4rev2";

export interface SessionOptions {
  readonly connection: GuardedConnection;
  readonly limits: ImapLimits;
  readonly now: () => number;
}

/** One connection: what is known of it, and its two ends. Commands work on it. */
export class Session {
  readonly connection: GuardedConnection;
  readonly limits: ImapLimits;
  readonly now: () => number;
  readonly output: Output;
  readonly reader: CommandReader;
  readonly enabled = new Set<Extension>();
  /** Of the command that runs: extended answers name it (RFC 4466 §2.6.2). */
  tag = "";
  failedLogins = 0;
  isCompressed = false;
  isEnded = false;
  #farewell: string | undefined;
  readonly #source: ByteSource;
  #login: LoggedIn | undefined;
  #selected: Selected | undefined;

  constructor({ connection, limits, now }: SessionOptions) {
    this.connection = connection;
    this.limits = limits;
    this.now = now;
    this.output = new Output(connection.socket, limits);
    this.#source = new ByteSource(connection.socket);
    this.reader = new CommandReader({
      source: this.#source,
      limits,
      isTrusted: () => this.#login !== undefined,
      askForLiteral: () => this.ask("OK"),
    });
  }

  get state(): SessionState {
    if (this.isEnded) return "ended";
    if (this.#login === undefined) return "before-login";
    return this.#selected === undefined ? "logged-in" : "selected";
  }

  get login(): LoggedIn {
    if (this.#login === undefined) throw new Error("nobody is logged in");
    return this.#login;
  }

  get store(): MailStore {
    return this.login.store;
  }

  get selected(): Selected {
    if (this.#selected === undefined) throw new Error("no mailbox is selected");
    return this.#selected;
  }

  get nameForm(): NameForm {
    return { isUtf8: this.enabled.has("IMAP4rev2") || this.enabled.has("UTF8=ACCEPT") };
  }

  get telling(): Telling {
    const modSeq = this.enabled.has("CONDSTORE");
    return {
      modSeq,
      vanished: this.enabled.has("QRESYNC"),
      uid: modSeq || this.enabled.has("IMAP4rev2"),
    };
  }

  get capabilities(): readonly string[] {
    return this.#login === undefined ? capabilitiesBeforeLogin(this.connection) : capabilitiesAfterLogin(this.limits);
  }

  letIn(login: LoggedIn): void {
    this.#login = login;
  }

  select(selected: Selected): void {
    this.#selected = selected;
  }

  /** Lets go of the selected mailbox. */
  unselect(): void {
    this.#selected?.mailbox[Symbol.dispose]();
    this.#selected = undefined;
  }

  /** Untagged lines, each with its end. */
  write(lines: string): void {
    this.output.write(lines);
  }

  /** `+ text`: the client is to go on (RFC 9051 §7.6). */
  ask(text: string): void {
    this.output.write(`+ ${text}\r\n`);
    this.output.flush();
  }

  compress(): void {
    this.isCompressed = true;
    compressBoth(this.#source, this.output);
  }

  /** Turns CONDSTORE on, as every command does that speaks of modSeqs (RFC 7162 §3.1). */
  useModSeqs(): void {
    if (this.enabled.has("CONDSTORE")) return;
    this.enabled.add("CONDSTORE");
    if (this.#selected !== undefined) {
      this.write(`* OK [HIGHESTMODSEQ ${this.#selected.mailbox.highestModSeq}] Of all messages here.\r\n`);
    }
  }

  /** Waits for the client, no longer than it may be silent. */
  async whileWaiting<T>(work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.cut("Nothing was said for too long."), this.limits.idleMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the connection once the command that runs is answered. */
  endAfterAnswer(reason: string): void {
    this.#farewell = reason;
  }

  /** What is said last, where something is to be said. */
  get farewell(): string | undefined {
    return this.#farewell;
  }

  /** Ends the connection from this side, whatever goes on in it. */
  cut(reason: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const { socket } = this.connection;
    if (!this.output.isWithinLiteral) this.write(`* BYE ${humanText(reason)}\r\n`);
    this.output.flush();
    const timer = setTimeout(() => socket.destroy(), partingMs);
    socket.once("close", () => clearTimeout(timer));
    void this.output.end().finally(() => socket.destroy());
  }

  /** Closes what was opened here; the store is the guard's. */
  close(): void {
    this.isEnded = true;
    this.unselect();
  }
}
