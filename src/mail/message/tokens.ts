import { isBlank } from "./header.ts";

/** Reads the value of a structured field from left to right (RFC 5322 §3.2); it never goes back. */
export class Tokens {
  readonly text: string;
  at = 0;
  /** The last comment that was passed over, without its parentheses. */
  comment: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The character here; empty at the end. */
  get next(): string {
    return this.text.charAt(this.at);
  }

  /** Passes over blanks and comments; whether there were any. */
  skipBlanks(): boolean {
    const start = this.at;
    for (;;) {
      while (!this.isAtEnd && isBlank(this.text.charCodeAt(this.at))) this.at++;
      if (this.next !== "(") return this.at > start;
      this.comment = this.readComment();
    }
  }

  /** Passes over this character where it is here. */
  skip(character: string): boolean {
    if (this.next !== character) return false;
    this.at++;
    return true;
  }

  /** From a quote to the next one that is not escaped, unescaped (RFC 5322 §3.2.4). A missing end is forgiven. */
  readQuoted(): string {
    this.at++;
    let value = "";
    let from = this.at;
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at];
      if (character === '"') break;
      if (character !== "\\") continue;
      value += this.text.slice(from, this.at);
      from = ++this.at;
    }
    value += this.text.slice(from, this.at);
    this.skip('"');
    return value;
  }

  /** The longest run of characters of which none is in `stops`, nor a blank. */
  readUntil(stops: string): string {
    const start = this.at;
    const isStop = stopTable(stops);
    const { text } = this;
    while (this.at < text.length && isStop[text.charCodeAt(this.at)] !== 1) this.at++;
    return text.slice(start, this.at);
  }

  /** Comments may be nested (RFC 5322 §3.2.2). */
  private readComment(): string {
    this.at++;
    let depth = 1;
    let value = "";
    let from = this.at;
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at];
      if (character === "\\") {
        value += this.text.slice(from, this.at);
        from = ++this.at;
      } else if (character === "(") depth++;
      else if (character === ")" && --depth === 0) break;
    }
    value += this.text.slice(from, this.at);
    this.skip(")");
    return value;
  }
}

const stopTables = new Map<string, Uint8Array>();

/** 1 for each of these characters, and for blanks: looked up for every character of every header. */
function stopTable(stops: string): Uint8Array {
  const known = stopTables.get(stops);
  if (known !== undefined) return known;
  const table = new Uint8Array(128);
  for (const character of `${stops} \t\r\n`) table[character.charCodeAt(0)] = 1;
  stopTables.set(stops, table);
  return table;
}
