import { createHash } from "node:crypto";
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
import { DotDecoder } from "./dot-decoder.ts";

export interface Pop3Credentials {
  readonly user: string;
  readonly password: string;
  /** `apop`: a proof instead of the password; `external`: the certificate alone. */
  readonly method: "password" | "apop" | "external" | "cram-md5";
}

/** Messages of a mailbox: more than this is not taken for one. */
const listLimit = 1_000_000;

/** One POP3 session (RFC 1939). Commands are sent at once where the server has PIPELINING (RFC 2449 §6.6). */
export class Pop3Client implements AsyncDisposable {
  readonly #options: ConnectOptions;
  #socket: net.Socket;
  #reader: ByteReader;
  #pipeline: Pipeline;
  #capabilities: ReadonlySet<string> = new Set();
  /** Of the greeting: what APOP is made with. */
  #timestamp: string | undefined;

  private constructor(socket: net.Socket, options: ConnectOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#reader = new ByteReader(socket, peerName(options));
    this.#pipeline = new Pipeline(this.#reader);
  }

  /** Connects, and makes TLS where it is to be asked for. Nothing was said of who we are. */
  static async open(options: ConnectOptions): Promise<Pop3Client> {
    const client = new Pop3Client(await openConnection(options), options);
    try {
      const greeting = await client.#pipeline.next((reader) => readStatus(reader, "greet", peerName(options)));
      client.#timestamp = /<[^<>\s]+@[^<>\s]+>/.exec(greeting)?.[0];
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

  get isPipelining(): boolean {
    return this.#capabilities.has("PIPELINING");
  }

  async #readCapabilities(): Promise<void> {
    try {
      const lines = await this.#list("CAPA", "ask what it can");
      this.#capabilities = new Set(lines.map((line) => line.toUpperCase().split(" ")[0] ?? ""));
    } catch (error) {
      // A server from before RFC 2449 knows no CAPA.
      if (!(error instanceof Refusal)) throw error;
    }
  }

  async #startTls(): Promise<void> {
    if (!this.#capabilities.has("STLS")) {
      throw new Failure("refused", `cannot make a secure connection to ${peerName(this.#options)}: it has no STLS`, {
        hint: 'with "ssl" the connection is secure from its first byte on, at port 995',
      });
    }
    await this.#command("STLS", "start TLS");
    if (this.#reader.hasMore) {
      throw new Failure("refused", `cannot trust ${peerName(this.#options)}: it sent more before TLS had begun`);
    }
    this.#reader.release();
    this.#socket = await secureConnection(this.#socket, this.#options);
    this.#reader = new ByteReader(this.#socket, peerName(this.#options));
    this.#pipeline = new Pipeline(this.#reader);
    await this.#readCapabilities();
  }

  async logIn({ user, password, method }: Pop3Credentials): Promise<void> {
    const what = `log in as "${user}"`;
    if (method === "apop") {
      if (this.#timestamp === undefined) {
        throw new Failure("unsupported", `cannot ${what} by APOP: ${peerName(this.#options)} does not offer it`);
      }
      const proof = createHash("md5")
        .update(this.#timestamp + password)
        .digest("hex");
      await this.#command(`APOP ${user} ${proof}`, what);
    } else if (method === "external") {
      // RFC 5034 §4: an empty response is sent as an equals sign.
      await this.#command(`AUTH EXTERNAL ${user === "" ? "=" : Buffer.from(user).toString("base64")}`, what);
    } else if (method === "cram-md5") {
      await this.#logInByChallenge(user, password, what);
    } else {
      await this.#command(`USER ${user}`, what);
      await this.#command(`PASS ${password}`, what);
    }
  }

  async #logInByChallenge(user: string, password: string, what: string): Promise<void> {
    this.#send("AUTH CRAM-MD5");
    const challenge = await this.#pipeline.next(async (reader) => {
      const line = await reader.line();
      if (!line.startsWith("+ ")) throw refusal(line, what, peerName(this.#options));
      return Buffer.from(line.slice(2), "base64");
    });
    await this.#command(cramMd5({ user, password, challenge }), what);
  }

  /** Sizes by message number, as the server says them. */
  async sizes(): Promise<ReadonlyMap<number, number>> {
    const sizes = new Map<number, number>();
    for (const line of await this.#list("LIST", "list the messages")) {
      const [, number, size] = /^(\d{1,10}) (\d{1,15})(?: |$)/.exec(line) ?? [];
      if (number === undefined || size === undefined) throw this.#nonsense("LIST", line);
      sizes.set(Number(number), Number(size));
    }
    return sizes;
  }

  /** Unique names by message number (RFC 1939 §7): 1 to 70 characters; longer ones are taken as far as a line goes. */
  async uids(): Promise<ReadonlyMap<number, string>> {
    const uids = new Map<number, string>();
    for (const line of await this.#list("UIDL", "ask for the names of messages")) {
      const [, number, uid] = /^(\d{1,10}) +([!-~]+) *$/.exec(line) ?? [];
      if (number === undefined || uid === undefined) throw this.#nonsense("UIDL", line);
      uids.set(Number(number), uid);
    }
    return uids;
  }

  /** The message, given to `sink` piece by piece. Resolved once its end has come. */
  retrieve(number: number, sink: Sink): Promise<void> {
    this.#send(`RETR ${number}`);
    return this.#pipeline.next(async (reader) => {
      await readStatus(reader, `fetch message ${number}`, peerName(this.#options));
      const decoder = new DotDecoder();
      await reader.feed((bytes) => decoder.decode(bytes, sink));
    });
  }

  /** Marks a message to be deleted by `quit`. */
  async delete(number: number): Promise<void> {
    await this.#command(`DELE ${number}`, `delete message ${number}`);
  }

  /** Ends the session: what was marked is deleted once this is resolved. */
  async quit(): Promise<void> {
    await this.#command("QUIT", "end the session");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #send(command: string): void {
    if (/[\r\n\0]/.test(command)) {
      throw new Failure("usage", "cannot log in: a name or password has the end of a line in it");
    }
    this.#socket.write(`${command}\r\n`);
  }

  #command(command: string, what: string): Promise<string> {
    this.#send(command);
    return this.#pipeline.next((reader) => readStatus(reader, what, peerName(this.#options)));
  }

  #list(command: string, what: string): Promise<readonly string[]> {
    this.#send(command);
    return this.#pipeline.next(async (reader) => {
      await readStatus(reader, what, peerName(this.#options));
      const lines: string[] = [];
      for (let line = await reader.line(); line !== "."; line = await reader.line()) {
        if (lines.length >= listLimit) throw this.#nonsense(command, `more than ${listLimit} lines`);
        lines.push(line.startsWith(".") ? line.slice(1) : line);
      }
      return lines;
    });
  }

  #nonsense(command: string, line: string): Failure {
    return new Failure(
      "damaged",
      `cannot understand ${peerName(this.#options)}: it answers ${command} with "${shown(line)}"`,
    );
  }
}

async function readStatus(reader: ByteReader, what: string, peer: string): Promise<string> {
  const line = await reader.line();
  if (/^\+OK\b/i.test(line)) return line.slice(4);
  throw refusal(line, what, peer);
}

function refusal(line: string, what: string, peer: string): Failure {
  if (!/^-ERR\b/i.test(line)) {
    return new Failure("damaged", `cannot ${what}: ${peer} answers "${shown(line)}", not as POP3 has it`);
  }
  const text = line.slice(5).trim();
  const [, code] = /^\[([A-Z/-]+)\]/i.exec(text) ?? [];
  return new Refusal(`cannot ${what}: ${peer} says "${shown(text)}"`, code?.toUpperCase());
}

function shown(line: string): string {
  return line.slice(0, 200).replaceAll(/[^ -~]/g, "?");
}

function peerName({ host }: ConnectOptions): string {
  return `"${host}"`;
}
