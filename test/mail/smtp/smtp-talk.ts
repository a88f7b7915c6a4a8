import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Speaks SMTP or LMTP byte by byte: what well-behaved clients would not say too. */
export class SmtpTalk implements AsyncDisposable {
  #socket: Socket;
  #text = "";
  #isEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static async start(where: NetConnectOpts): Promise<SmtpTalk> {
    const socket = connect(where);
    await once(socket, "connect");
    return new SmtpTalk(socket);
  }

  #listen(): void {
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    for (const event of ["end", "close", "error"]) {
      this.#socket.on(event, () => {
        this.#isEnded = true;
        this.#wake();
      });
    }
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next answer, all its lines; empty where the connection has ended. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].trimEnd();
      }
      if (this.#isEnded) return "";
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async say(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return this.reply();
  }

  /** Goes on under TLS, after STARTTLS was answered; the certificate is not looked at. */
  async startTls(): Promise<void> {
    this.#socket.removeAllListeners("data");
    this.#socket = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    await once(this.#socket, "secureConnect");
    this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}
