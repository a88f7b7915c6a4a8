import type { CommandText, Literal } from "../grammar/index.ts";
import type { ImapLimits } from "../limits.ts";
import type { ByteSource } from "./byte-source.ts";

/** A command as it was received, its arguments not yet understood. */
export interface ReceivedCommand {
  readonly kind: "command";
  readonly tag: string;
  /** In upper case; with what follows UID: `UID FETCH`. */
  readonly name: string;
  /** What follows the name, from the space on. */
  readonly text: CommandText;
}

/** Something that is not run: no command at all, or too much of one. */
export interface RefusedCommand {
  readonly kind: "refused";
  /** `*` where there was none. */
  readonly tag: string;
  readonly status: "BAD" | "NO [TOOBIG]";
  readonly text: string;
}

export interface CommandReaderOptions {
  readonly source: ByteSource;
  readonly limits: ImapLimits;
  /** Whether somebody is logged in, who may send long commands and messages. */
  readonly isTrusted: () => boolean;
  /** Sends `+`: the client waits for it before it sends a literal (RFC 9051 §4.3). */
  readonly askForLiteral: () => void;
}

/** A command whose literals are still to come. */
interface Beginning {
  readonly tag: string;
  readonly name: string;
  /** Messages are its literals, which may be long. */
  readonly hasMessages: boolean;
}

// RFC 9051 §9: a tag is of ASTRING-CHAR but "+".
const beginningPattern = /^([!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}]{1,64}) (UID +)?([A-Za-z]{1,32})(?=[ ]|$)/i;
const tagPattern = /^([!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}]{1,64}) /;
const markerPattern = /(~?)\{([0-9]{1,15})(\+?)\}$/;
const messageCommands: ReadonlySet<string> = new Set(["APPEND", "REPLACE", "UID REPLACE"]);

export class CommandReader {
  readonly #options: CommandReaderOptions;

  constructor(options: CommandReaderOptions) {
    this.#options = options;
  }

  /** A line by itself: what the client answers to `+`. Undefined at the end of the stream or for a line too long. */
  async line(): Promise<string | undefined> {
    const line = await this.#options.source.line(this.#commandBytes, 0);
    return Buffer.isBuffer(line) ? line.toString("latin1") : undefined;
  }

  /** The next command; undefined where there is no use in going on. */
  async next(): Promise<ReceivedCommand | RefusedCommand | undefined> {
    const { source, limits } = this.#options;
    const first = await source.line(this.#commandBytes, limits.discardedBytes);
    if (first === undefined) return undefined;
    if (first === "too-long") return refused("*", "the line is too long");
    const text = first.toString("latin1");
    const found = beginningPattern.exec(text);
    if (found === null) return this.#notACommand(text);
    const [all, tag = "", uid, word = ""] = found;
    const name = uid === undefined ? word.toUpperCase() : `UID ${word.toUpperCase()}`;
    const hasMessages = messageCommands.has(name) && this.#options.isTrusted();
    return this.#withLiterals({ tag, name, hasMessages }, text.slice(all.length));
  }

  async #withLiterals(beginning: Beginning, firstLine: string): Promise<ReceivedCommand | RefusedCommand | undefined> {
    const { source, limits } = this.#options;
    const { tag, name, hasMessages } = beginning;
    const literals: Literal[] = [];
    let text = firstLine;
    let messagesBytes = 0;
    let smallBytes = firstLine.length;
    // Looked for in the last line only: what stands before it had its literals.
    for (let marker = markerPattern.exec(firstLine); marker !== null;) {
      const size = Number(marker[2]);
      const waits = marker[3] === "";
      const isTooMuch = hasMessages
        ? size > limits.messageBytes || messagesBytes + size > limits.messagesBytes
        : smallBytes + size > this.#commandBytes;
      if (isTooMuch) {
        if (!waits && !(await this.#discard(size))) return undefined;
        return tooLarge(beginning);
      }
      if (waits) this.#options.askForLiteral();
      const bytes = await source.bytes(size);
      if (bytes === undefined) return undefined;
      const at = text.length - marker[0].length + (marker[1] ?? "").length;
      literals.push({ at, bytes, isBinary: marker[1] === "~" });
      messagesBytes += size;
      const line = await source.line(this.#commandBytes, limits.discardedBytes);
      if (line === undefined) return undefined;
      smallBytes += (hasMessages ? 0 : size) + line.length;
      if (line === "too-long" || smallBytes > this.#commandBytes) return refused(tag, "the command is too long");
      const lineText = line.toString("latin1");
      text += lineText;
      marker = markerPattern.exec(lineText);
    }
    return { kind: "command", tag, name, text: { text, literals } };
  }

  /** The rest of a command of which a literal that was not asked for is too large; whether its end was found. */
  async #discard(firstBytes: number): Promise<boolean> {
    const { source, limits } = this.#options;
    let left = limits.discardedBytes;
    for (let size = firstBytes; ;) {
      left -= size;
      if (left < 0 || !(await source.skip(size))) return false;
      const line = await source.line(this.#commandBytes, left);
      if (!Buffer.isBuffer(line)) return line === "too-long";
      const marker = markerPattern.exec(line.toString("latin1"));
      if (marker === null || marker[3] === "") return true;
      size = Number(marker[2]);
    }
  }

  /** A literal that follows it would be taken for commands, so it is read over. */
  async #notACommand(text: string): Promise<RefusedCommand | undefined> {
    const marker = markerPattern.exec(text);
    if (marker?.[3] === "+" && !(await this.#discard(Number(marker[2])))) return undefined;
    const tag = tagPattern.exec(text)?.[1];
    return tag === undefined ? refused("*", "there is no tag") : refused(tag, "there is no command");
  }

  get #commandBytes(): number {
    const { limits, isTrusted } = this.#options;
    return isTrusted() ? limits.commandBytes : limits.commandBytesBeforeLogin;
  }
}

function tooLarge({ tag, hasMessages }: Beginning): RefusedCommand {
  if (!hasMessages) return refused(tag, "the command is too long");
  return { kind: "refused", tag, status: "NO [TOOBIG]", text: "The message is larger than this server takes." };
}

function refused(tag: string, text: string): RefusedCommand {
  return { kind: "refused", tag, status: "BAD", text };
}
