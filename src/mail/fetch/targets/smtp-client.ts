import { once } from "node:events";
import * as net from "node:net";
import { Failure, systemReason } from "../../../base/index.ts";
import { ByteReader, Pipeline, Refusal, secureConnection, type TlsSettings } from "../../client/index.ts";
import type { SmtpHost, SmtpLogin } from "../account.ts";
import type { FetchedMessage } from "../fetched-message.ts";

export interface SmtpOptions {
  readonly host: SmtpHost;
  readonly isLmtp: boolean;
  readonly login?: SmtpLogin;
  /** By what name we greet. */
  readonly hereName: string;
  readonly timeoutMs: number;
}

interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

const replyLinesLimit = 200;
const loopback = /^(?:localhost|127(?:\.\d+){3}|::1)$/;
const opportunistic: TlsSettings = { mode: "starttls", isChecked: false };

/** One session of SMTP (RFC 5321) or LMTP (RFC 2033) that gives messages away, one recipient each. */
export class SmtpClient implements AsyncDisposable {
  readonly #options: SmtpOptions;
  readonly #name: string;
  #socket: net.Socket;
  #pipeline: Pipeline;
  #extensions: ReadonlyMap<string, string> = new Map();

  private constructor(socket: net.Socket, options: SmtpOptions) {
    this.#options = options;
    this.#name = hostName(options.host);
    this.#socket = socket;
    this.#pipeline = new Pipeline(new ByteReader(socket, this.#name));
  }

  static async open(options: SmtpOptions): Promise<SmtpClient> {
    const { host, port, socketPath } = options.host;
    const socket = socketPath === undefined ? net.connect({ host, port, noDelay: true }) : net.connect(socketPath);
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(options.timeoutMs) });
    } catch (error) {
      socket.destroy();
      const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
      throw new Failure("failed", `cannot deliver to ${hostName(options.host)}: ${systemReason(first)}`, {
        cause: error,
      });
    }
    const client = new SmtpClient(socket, options);
    socket.setTimeout(options.timeoutMs, () => {
      socket.destroy(
        new Failure(
          "failed",
          `cannot deliver to ${client.#name}: it was silent for ${options.timeoutMs / 1000} seconds`,
        ),
      );
    });
    try {
      await client.#begin();
      return client;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    await this.#expect("greet", 220);
    await this.#greet();
    if (this.#extensions.has("STARTTLS") && !loopback.test(this.#options.host.host)) {
      await this.#command("STARTTLS", "start TLS", 220);
      const { host, port } = this.#options.host;
      const connect = { host, port, tls: opportunistic, timeoutMs: this.#options.timeoutMs };
      this.#socket = await secureConnection(this.#socket, connect);
      this.#pipeline = new Pipeline(new ByteReader(this.#socket, this.#name));
      await this.#greet();
    } else if (this.#options.login !== undefined && !loopback.test(this.#options.host.host)) {
      throw new Failure("refused", `cannot log in to ${this.#name}: it offers no TLS, the password would be seen`);
    }
    const { login } = this.#options;
    if (login === undefined) return;
    const plain = Buffer.from(`\0${login.user}\0${login.password}`).toString("base64");
    await this.#command(`AUTH PLAIN ${plain}`, `log in as "${login.user}"`, 235);
  }

  async #greet(): Promise<void> {
    const { lines } = await this.#command(
      `${this.#options.isLmtp ? "LHLO" : "EHLO"} ${this.#options.hereName}`,
      "greet",
      250,
    );
    const words = lines.slice(1).map((line) => {
      const [name = "", ...values] = line.split(" ");
      return [name.toUpperCase(), values.join(" ")] as const;
    });
    this.#extensions = new Map(words);
  }

  /** Resolved once the other side answers for the message; throws a `Refusal` where it does not take this one. */
  async send(message: FetchedMessage, recipient: string): Promise<void> {
    const what = `deliver a message to <${recipient}>`;
    const size = this.#extensions.has("SIZE") ? ` SIZE=${message.sizeBytes}` : "";
    const body = this.#extensions.has("8BITMIME") ? " BODY=8BITMIME" : "";
    try {
      const answers = [
        this.#command(`MAIL FROM:<${message.from}>${size}${body}`, what, 250),
        this.#command(`RCPT TO:<${recipient}>`, what, 250, 251),
      ];
      // Each answer is heard, even where the one before was a refusal.
      const settled = await Promise.allSettled(answers);
      for (const one of settled) if (one.status === "rejected") throw one.reason as Error;
      await this.#command("DATA", what, 354);
    } catch (error) {
      if (error instanceof Refusal) await this.#command("RSET", "begin again", 250);
      throw error;
    }
    await this.#write(message);
    await this.#expect(what, 250);
  }

  async #write(message: FetchedMessage): Promise<void> {
    let isAtLineStart = true;
    for (const chunk of message.chunks()) {
      if (chunk.length === 0) continue;
      const text = chunk.toString("latin1").replaceAll(/\r?\n/g, "\r\n").replaceAll("\r\n.", "\r\n..");
      const stuffed = isAtLineStart && text.startsWith(".") ? `.${text}` : text;
      isAtLineStart = text.endsWith("\n");
      if (!this.#socket.write(stuffed, "latin1")) await once(this.#socket, "drain").catch(() => undefined);
    }
    this.#socket.write(isAtLineStart ? ".\r\n" : "\r\n.\r\n");
  }

  async quit(): Promise<void> {
    await this.#command("QUIT", "end", 221);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #command(command: string, what: string, ...codes: readonly number[]): Promise<Reply> {
    if (/[\r\n\0]/.test(command)) throw new Failure("failed", `cannot ${what}: an address has the end of a line in it`);
    this.#socket.write(`${command}\r\n`);
    return this.#expect(what, ...codes);
  }

  #expect(what: string, ...codes: readonly number[]): Promise<Reply> {
    return this.#pipeline.next(async (reader) => {
      const reply = await readReply(reader, what, this.#name);
      if (codes.includes(reply.code)) return reply;
      const said = `${reply.code} ${reply.lines.join(" ")}`.slice(0, 200).replaceAll(/[^ -~]/g, "?");
      throw new Refusal(`cannot ${what}: ${this.#name} says "${said}"`, String(reply.code));
    });
  }
}

async function readReply(reader: ByteReader, what: string, name: string): Promise<Reply> {
  const lines: string[] = [];
  for (;;) {
    const line = await reader.line();
    const [, code, more, text = ""] = /^(\d{3})([ -]?)(.*)$/.exec(line) ?? [];
    if (code === undefined || lines.length > replyLinesLimit) {
      throw new Failure("damaged", `cannot ${what}: ${name} answers not as SMTP has it`);
    }
    lines.push(text);
    if (more !== "-") return { code: Number(code), lines };
  }
}

function hostName({ host, port, socketPath }: SmtpHost): string {
  return socketPath === undefined ? `"${host}" port ${port}` : `"${socketPath}"`;
}
