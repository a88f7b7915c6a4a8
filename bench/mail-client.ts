/*
 * The client of the benches of mail, the same for both servers:
 * node bench/mail-client.ts JOB PORT CERTIFICATES USER PASSWORD [COUNT]
 * CERTIFICATES is a folder with ca.pem, client.pem and client.key. For LMTP, PORT is the path of its socket.
 */
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { benchMessage } from "./mail-inputs.ts";

const [job = "", port = "", certificates = "", user = "", password = "", words = ""] = process.argv.slice(2);
const parallel = 4;

const secureContext = tls.createSecureContext({
  ca: fs.readFileSync(path.join(certificates, "ca.pem")),
  cert: fs.readFileSync(path.join(certificates, "client.pem")),
  key: fs.readFileSync(path.join(certificates, "client.key")),
});

/** A conversation in which each request is a write and each answer is known by its last line. */
class Talk {
  readonly stream: Duplex;
  /** All that came since the last answer. */
  bytes = 0;
  #tail: Buffer = Buffer.alloc(0);
  #wanted: RegExp | undefined;
  #found: ((line: string) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", (error) => this.#fail?.(error));
    stream.on("close", () => this.#fail?.(new Error("the server has ended the connection")));
  }

  /** Sends, and waits until the last whole line that came is `wanted`. */
  async ask(request: string | Uint8Array, wanted: RegExp): Promise<string> {
    const answer = this.until(wanted);
    this.stream.write(request);
    return answer;
  }

  until(wanted: RegExp): Promise<string> {
    this.bytes = 0;
    this.#tail = Buffer.alloc(0);
    return new Promise((resolve, reject) => {
      [this.#wanted, this.#found, this.#fail] = [wanted, resolve, reject];
    });
  }

  #take(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#tail = chunk.length >= 512 ? chunk.subarray(-512) : Buffer.concat([this.#tail, chunk]).subarray(-512);
    this.#look();
  }

  #look(): void {
    if (this.#wanted === undefined || this.#tail.at(-1) !== 10) return;
    const line = this.#tail.toString("latin1").trimEnd().split("\r\n").at(-1) ?? "";
    if (/^(\w+ (NO|BAD)|-ERR|[45]\d\d) /.test(line)) this.#fail?.(new Error(line));
    if (!this.#wanted.test(line)) return;
    this.#wanted = undefined;
    this.#found?.(line);
  }
}

async function connected(): Promise<Talk> {
  const socket = tls.connect({
    port: Number(port),
    host: "127.0.0.1",
    secureContext,
    checkServerIdentity: () => undefined,
  });
  const talk = new Talk(socket);
  await talk.until(/^(\* OK|\+OK)/);
  return talk;
}

async function imap(): Promise<Talk> {
  const talk = await connected();
  await talk.ask(`l LOGIN ${user} ${password}\r\n`, /^l OK/);
  return talk;
}

async function inMailbox(): Promise<Talk> {
  const talk = await imap();
  await talk.ask("s SELECT INBOX\r\n", /^s OK/);
  return talk;
}

async function end(talk: Talk, word: string): Promise<void> {
  talk.stream.end(word);
  await once(talk.stream, "close");
}

/** `count` times, some at once. */
async function times(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: parallel }, lane));
}

const jobs: Readonly<Record<string, () => Promise<void>>> = {
  async logins() {
    await times(Number(words), async () => end(await imap(), "o LOGOUT\r\n"));
  },
  async "imap-fetch"() {
    const talk = await inMailbox();
    await talk.ask("f FETCH 1:* (UID BODY.PEEK[])\r\n", /^f OK/);
    if (talk.bytes < Number(words)) throw new Error(`only ${talk.bytes} bytes came`);
    await end(talk, "o LOGOUT\r\n");
  },
  async "pop3-fetch"() {
    const talk = await connected();
    await talk.ask(`USER ${user}\r\n`, /^\+OK/);
    await talk.ask(`PASS ${password}\r\n`, /^\+OK/);
    const count = Number(/^\+OK (\d+)/.exec(await talk.ask("STAT\r\n", /^\+OK/))?.[1]);
    const ahead = 64;
    for (let n = 1; n <= count; n += ahead) {
      const numbers = Array.from({ length: Math.min(ahead, count - n + 1) }, (_, more) => n + more);
      const requests = numbers.map((number) => `RETR ${number}\r\n`).join("");
      await talk.ask(`${requests}STAT\r\n`, /^\+OK \d+ \d+$/);
    }
    await end(talk, "QUIT\r\n");
  },
  async envelope() {
    const talk = await inMailbox();
    await talk.ask("f FETCH 1:* (UID ENVELOPE)\r\n", /^f OK/);
    await end(talk, "o LOGOUT\r\n");
  },
  async search() {
    const talk = await inMailbox();
    for (const word of words.split(",")) await talk.ask(`f SEARCH BODY ${word}\r\n`, /^f OK/);
    await end(talk, "o LOGOUT\r\n");
  },
  async append() {
    const talks = await Promise.all(Array.from({ length: parallel }, imap));
    await times(Number(words), async (n) => {
      const talk = talks.pop();
      if (talk === undefined) throw new Error("no connection is free");
      const message = benchMessage(n);
      const start = Buffer.from(`p APPEND Appended {${message.length}}\r\n`);
      await talk.ask(start, /^\+/);
      await talk.ask(Buffer.concat([message, Buffer.from("\r\n")]), /^p OK/);
      talks.push(talk);
    });
    await Promise.all(talks.map((talk) => end(talk, "o LOGOUT\r\n")));
  },
  async lmtp() {
    const talks = await Promise.all(
      Array.from({ length: parallel }, async () => {
        const talk = new Talk(net.connect(port));
        await talk.until(/^220 /);
        await talk.ask("LHLO bench\r\n", /^250 /);
        return talk;
      }),
    );
    await times(Number(words), async (n) => {
      const talk = talks.pop();
      if (talk === undefined) throw new Error("no connection is free");
      await talk.ask("MAIL FROM:<bench@example.net>\r\n", /^250/);
      await talk.ask(`RCPT TO:<${user}>\r\n`, /^250/);
      await talk.ask("DATA\r\n", /^354/);
      await talk.ask(Buffer.concat([benchMessage(n), Buffer.from("\r\n.\r\n")]), /^250/);
      talks.push(talk);
    });
    await Promise.all(talks.map((talk) => end(talk, "QUIT\r\n")));
  },
  /** Says that all are there, and stays until its input ends. */
  async idle() {
    await times(Number(words), async () => {
      const talk = await inMailbox();
      await talk.ask("i IDLE\r\n", /^\+/);
    });
    console.log("idle");
    process.stdin.resume();
    await once(process.stdin, "end");
    process.exit(0);
  },
};

const work = jobs[job];
if (work === undefined) throw new Error(`no job is called "${job}"`);
await work();
