import { once } from "node:events";
import type { Duplex } from "node:stream";

export interface ImapAnswer {
  /** `OK`, `NO` or `BAD`. */
  readonly status: string;
  /** What follows it. */
  readonly text: string;
  /** Untagged responses without the leading `* `, as latin1, literals in their place with their `{n}` and line end. */
  readonly untagged: readonly string[];
}

/** The least that speaks IMAP: a command is sent and all that comes until its tagged answer is kept. */
export class ImapTalk implements AsyncDisposable {
  readonly stream: Duplex;
  /** Responses that came without being asked for, such as the greeting and those of IDLE. */
  readonly greeting: string;
  readonly #reader: ResponseReader;
  #tag = 0;

  private constructor(stream: Duplex, reader: ResponseReader, greeting: string) {
    this.stream = stream;
    this.#reader = reader;
    this.greeting = greeting;
  }

  /** On a stream to a server, once it has greeted. */
  static async start(stream: Duplex): Promise<ImapTalk> {
    const reader = new ResponseReader(stream);
    return new ImapTalk(stream, reader, await reader.next());
  }

  /** Parts that are bytes are sent as literals. */
  async command(...parts: readonly (string | Uint8Array)[]): Promise<ImapAnswer> {
    const tag = `t${++this.#tag}`;
    const untagged: string[] = [];
    let line = `${tag} `;
    for (const part of parts) {
      if (typeof part === "string") {
        line += part;
        continue;
      }
      this.stream.write(Buffer.from(`${line}{${part.length}}\r\n`, "utf8"));
      const refused = await this.#untilContinued(tag, untagged);
      if (refused !== undefined) return refused;
      this.stream.write(part);
      line = "";
    }
    this.stream.write(Buffer.from(`${line}\r\n`, "utf8"));
    for (;;) {
      const response = await this.#reader.next();
      const answer = taggedAnswer(tag, response, untagged);
      if (answer !== undefined) return answer;
      untagged.push(response.replace(/^\* /, ""));
    }
  }

  /** As `command`; throws where the answer is not OK. */
  async ok(...parts: readonly (string | Uint8Array)[]): Promise<ImapAnswer> {
    const answer = await this.command(...parts);
    if (answer.status === "OK") return answer;
    throw new Error(`${parts.map((part) => part.toString().slice(0, 80)).join("")}: ${answer.status} ${answer.text}`);
  }

  /** Sends bytes as they are. */
  send(text: string): void {
    this.stream.write(Buffer.from(text, "utf8"));
  }

  /** The next response whatever it is, with its `* ` or tag. */
  response(): Promise<string> {
    return this.#reader.next();
  }

  async #untilContinued(tag: string, untagged: string[]): Promise<ImapAnswer | undefined> {
    for (;;) {
      const response = await this.#reader.next();
      if (response.startsWith("+")) return undefined;
      const answer = taggedAnswer(tag, response, untagged);
      if (answer !== undefined) return answer;
      untagged.push(response.replace(/^\* /, ""));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.stream.writable) return;
    this.stream.write(`t${++this.#tag} LOGOUT\r\n`);
    await once(this.stream.resume(), "close");
  }
}

function taggedAnswer(tag: string, response: string, untagged: readonly string[]): ImapAnswer | undefined {
  if (!response.startsWith(`${tag} `)) return undefined;
  const [, status = "", text = ""] = /^\S+ (\S+) ?(.*)$/s.exec(response) ?? [];
  return { status, text, untagged };
}

/** Lines of a server, each with its literals. */
class ResponseReader {
  readonly #stream: Duplex;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      this.#wake?.();
    });
    for (const event of ["end", "close", "error"]) {
      stream.on(event, () => {
        this.#isOver = true;
        this.#wake?.();
      });
    }
  }

  async next(): Promise<string> {
    let response = "";
    for (;;) {
      const line = await this.#line();
      response += line;
      const literal = /\{(\d+)\+?\}$/.exec(line);
      if (literal === null) return response;
      response += `\r\n${(await this.#take(Number(literal[1]))).toString("latin1")}`;
    }
  }

  async #line(): Promise<string> {
    let seen = 0;
    for (;;) {
      const held = this.#held();
      const end = held.indexOf("\r\n", Math.max(0, seen - 1));
      if (end >= 0) return (await this.#take(end + 2)).toString("latin1", 0, end);
      seen = held.length;
      await this.#more();
    }
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#bytes < bytes) await this.#more();
    const held = this.#held();
    this.#chunks = [held.subarray(bytes)];
    this.#bytes = held.length - bytes;
    return held.subarray(0, bytes);
  }

  #held(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  async #more(): Promise<void> {
    if (this.#isOver) throw new Error(`the server has ended the connection; last: ${this.#held().toString("latin1")}`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#stream.resume();
  }
}
