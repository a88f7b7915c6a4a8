import { Failure } from "../../base/index.ts";
import type { MessageRecord } from "../message-record.ts";
import type { MailStore, OpenMailbox } from "../store/index.ts";
import { capabilities } from "./capabilities.ts";
import type { LineOutput } from "./line-output.ts";
import { stuffed, topOf } from "./stuffing.ts";

/** The INBOX as one client sees it after its login (RFC 1939 §5): numbers stay what they are until it quits. */
export class Transaction implements Disposable {
  readonly #mailbox: OpenMailbox;
  readonly #messages: readonly MessageRecord[];
  readonly #output: LineOutput;
  readonly #deleted = new Set<number>();
  readonly #read = new Set<number>();

  private constructor(mailbox: OpenMailbox, output: LineOutput) {
    this.#mailbox = mailbox;
    this.#messages = mailbox.messages.slice();
    this.#output = output;
  }

  /** Undefined, and the client is told so, where the mailbox cannot be opened. */
  static open(store: MailStore, output: LineOutput): Transaction | undefined {
    try {
      const transaction = new Transaction(store.open("INBOX", { isReadOnly: false }), output);
      output.line("+OK logged in");
      return transaction;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      output.line("-ERR [SYS/TEMP] the mailbox cannot be opened");
      return undefined;
    }
  }

  /** Answers a command. False once the client has quit. */
  async run(word: string, args: string): Promise<boolean> {
    if (word === "QUIT") {
      await this.#quit();
      return false;
    }
    try {
      await this.#answer(word, args);
    } catch (error) {
      if (!(error instanceof BadCommand)) throw error;
      this.#output.line(`-ERR ${error.message}`);
    }
    return true;
  }

  async #answer(word: string, args: string): Promise<void> {
    const say = (text: string): void => this.#output.line(text);
    switch (word) {
      case "STAT":
        return say(`+OK ${this.#total()}`);
      case "LIST":
        return this.#list(args, ({ sizeBytes }) => String(sizeBytes));
      case "UIDL":
        return this.#list(args, ({ uid }) => uniqueId(uid, this.#mailbox.uidValidity));
      case "RETR":
        return this.#send(this.#message(args), (content) => content);
      case "TOP": {
        const [number = "", lines = ""] = args.split(" ");
        if (!/^\d{1,9}$/.test(lines)) throw new BadCommand("a number of lines is needed");
        return this.#send(this.#message(number), (content) => topOf(content, Number(lines)), false);
      }
      case "DELE":
        this.#deleted.add(this.#message(args).uid);
        return say("+OK it is deleted when you quit");
      case "RSET":
        this.#deleted.clear();
        return say("+OK");
      case "NOOP":
        return say("+OK");
      case "CAPA":
        for (const line of ["+OK", ...capabilities(false), "."]) say(line);
        return;
      default:
        throw new BadCommand("there is no such command here");
    }
  }

  #total(): string {
    const left = this.#messages.filter(({ uid }) => !this.#deleted.has(uid));
    return `${left.length} ${left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)}`;
  }

  #list(args: string, text: (message: MessageRecord) => string): void {
    if (args !== "") return this.#output.line(`+OK ${Number(args)} ${text(this.#message(args))}`);
    const lines = this.#messages.map((message, n) => {
      return this.#deleted.has(message.uid) ? "" : `${n + 1} ${text(message)}\r\n`;
    });
    this.#output.bytes(Buffer.from(`+OK\r\n${lines.join("")}.\r\n`));
  }

  #message(number: string): MessageRecord {
    const message = /^\d{1,9}$/.test(number) ? this.#messages[Number(number) - 1] : undefined;
    if (message === undefined) throw new BadCommand("there is no such message");
    if (this.#deleted.has(message.uid)) throw new BadCommand("that message is deleted");
    return message;
  }

  async #send({ uid }: MessageRecord, part: (content: Uint8Array) => Uint8Array, isRead = true): Promise<void> {
    let bytes: Uint8Array;
    try {
      using content = this.#mailbox.content(uid);
      bytes = part(content.read());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // Another program may have removed it since.
      return this.#output.line("-ERR [SYS/TEMP] that message cannot be read");
    }
    if (isRead) this.#read.add(uid);
    this.#output.line(isRead ? `+OK ${bytes.length} octets` : "+OK");
    for (const piece of stuffed(bytes)) this.#output.bytes(piece);
    if (this.#output.isFull) await this.#output.flush();
  }

  /** RFC 1939 §6: only now is anything removed, and the answer comes once that is on disk. */
  async #quit(): Promise<void> {
    const { messages } = this.#mailbox;
    const unseen = messages.filter(({ uid, flags }) => this.#read.has(uid) && !flags.includes("\\Seen"));
    try {
      const seen = unseen.map(({ uid }) => uid).filter((uid) => !this.#deleted.has(uid));
      if (seen.length > 0) await this.#mailbox.setFlags(seen, { mode: "add", flags: ["\\Seen"] });
      if (this.#deleted.size > 0) {
        const uids = [...this.#deleted].sort((a, b) => a - b);
        await this.#mailbox.setFlags(uids, { mode: "add", flags: ["\\Deleted"] });
        await this.#mailbox.expunge(uids);
      }
      this.#output.line("+OK");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#output.line("-ERR [SYS/TEMP] some deleted messages were not removed");
    }
  }

  [Symbol.dispose](): void {
    this.#mailbox[Symbol.dispose]();
  }
}

class BadCommand extends Error {}

/** As Dovecot's usual `%08Xu%08Xv`, so that clients do not fetch everything again. */
function uniqueId(uid: number, uidValidity: number): string {
  return [uid, uidValidity].map((number) => number.toString(16).padStart(8, "0")).join("");
}
