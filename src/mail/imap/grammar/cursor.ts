import { BadCommand } from "./bad-command.ts";
import type { Token } from "./token.ts";

/** A literal within a command. */
export interface Literal {
  /** Where its `{` stands in the text. */
  readonly at: number;
  readonly bytes: Buffer;
  /** `~{`: may contain NUL (RFC 3516). */
  readonly isBinary: boolean;
}

/** A command as it was received, without its tag and name. */
export interface CommandText {
  /** One character for each byte; literals are there as `{5}`, what follows them follows directly. */
  readonly text: string;
  readonly literals: readonly Literal[];
}

/** What bounds a parse; a part of the limits of the connection. */
export interface ParseLimits {
  readonly depth: number;
  readonly ranges: number;
  readonly listItems: number;
  readonly searchWords: number;
}

/* oxlint-disable no-control-regex -- the grammar of RFC 9051 is said in control characters */
// RFC 9051 §9: ATOM-CHAR, ASTRING-CHAR (with "]"), list-char (with "%" and "*"), and what stands in SEARCH.
const atomPattern = /[^\u0000-\u0020\u007f-\u00ff"(){%*\\\]]+/y;
const astringPattern = /[^\u0000-\u0020\u007f-\u00ff"(){%*\\]+/y;
const listPattern = /[^\u0000-\u0020\u007f-\u00ff"(){\\]+/y;
const wordPattern = /[^\u0000-\u0020\u007f"(){]+/y;
const quotedPattern = /"((?:[^"\\\r\n\u0000]|\\["\\])*)"/y;
const numberPattern = /[0-9]+/y;
/* oxlint-enable no-control-regex */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the arguments of a command from left to right; throws `BadCommand` where the next thing is another. */
export class Cursor {
  readonly limits: ParseLimits;
  readonly #text: string;
  readonly #literals: readonly Literal[];
  #at = 0;
  #nextLiteral = 0;

  constructor({ text, literals }: CommandText, limits: ParseLimits) {
    this.#text = text;
    this.#literals = literals;
    this.limits = limits;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** The next character, empty at the end. */
  get next(): string {
    return this.#text.charAt(this.#at);
  }

  /** Goes past `text` where it comes next, in whatever case. */
  accept(text: string): boolean {
    const end = this.#at + text.length;
    if (this.#text.slice(this.#at, end).toLowerCase() !== text.toLowerCase()) return false;
    this.#at = end;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.bad(text === " " ? "a space" : `"${text}"`);
  }

  space(): void {
    this.expect(" ");
  }

  end(): void {
    if (!this.isAtEnd) throw this.bad("the end of the command");
  }

  atom(): string {
    return this.take(atomPattern) ?? this.#fail("an atom");
  }

  /** A number of 32 bits. */
  number(): number {
    return this.#number(0xffff_ffff);
  }

  /** A number of 63 bits (RFC 7162 mod-sequences, RFC 9051 number64), of which those up to 2⁵³−1 are understood. */
  number64(): number {
    return this.#number(Number.MAX_SAFE_INTEGER);
  }

  /** An atom or string, as bytes in characters: `text` decodes it. */
  astring(): string {
    return (this.isAtLiteral ? undefined : this.take(astringPattern)) ?? this.string();
  }

  /** An atom with wildcards or a string (RFC 9051 list-mailbox), as bytes in characters. */
  listString(): string {
    return (this.isAtLiteral ? undefined : this.take(listPattern)) ?? this.string();
  }

  /** A quoted string or literal, as bytes in characters. */
  string(): string {
    const quoted = this.#quoted();
    if (quoted !== undefined) return quoted;
    if (!this.isAtLiteral) return this.#fail("a string");
    return this.literal().bytes.toString("latin1");
  }

  /** A string or NIL, which is undefined. */
  nstring(): string | undefined {
    return this.accept("NIL") ? undefined : this.string();
  }

  get isAtLiteral(): boolean {
    const literal = this.#literals[this.#nextLiteral];
    return literal !== undefined && (literal.at === this.#at || (literal.at === this.#at + 1 && this.next === "~"));
  }

  literal(): Literal {
    const literal = this.#literals[this.#nextLiteral];
    if (literal === undefined || !this.isAtLiteral) return this.#fail("a literal");
    this.#nextLiteral += 1;
    this.#at = this.#text.indexOf("}", this.#at) + 1;
    return literal;
  }

  /** Bytes in characters, decoded as UTF-8. */
  decoded(raw: string): string {
    try {
      return utf8.decode(Buffer.from(raw, "latin1"));
    } catch {
      throw new BadCommand("a string is not in UTF-8");
    }
  }

  /** `(` items with a space between them `)`. */
  list<T>(item: () => T, { mayBeEmpty }: { readonly mayBeEmpty: boolean }): readonly T[] {
    this.expect("(");
    if (mayBeEmpty && this.accept(")")) return [];
    const items: T[] = [];
    do {
      if (items.length === this.limits.listItems) throw new BadCommand("a list is too long");
      items.push(item());
    } while (this.accept(" "));
    this.expect(")");
    return items;
  }

  /** All that is left, as words, strings and lists: for SEARCH and its like, which have a grammar of their own. */
  tokens(): readonly Token[] {
    const tokens = this.#tokens(0);
    this.end();
    return tokens;
  }

  #tokens(depth: number): readonly Token[] {
    if (depth > this.limits.depth) throw new BadCommand("too many parentheses within each other");
    const tokens: Token[] = [];
    do {
      if (tokens.length === this.limits.searchWords) throw new BadCommand("a list is too long");
      tokens.push(this.#token(depth));
    } while (this.accept(" "));
    return tokens;
  }

  #token(depth: number): Token {
    if (this.accept("(")) {
      const items = this.next === ")" ? [] : this.#tokens(depth + 1);
      this.expect(")");
      return { kind: "list", items };
    }
    const quoted = this.#quoted();
    if (quoted !== undefined) return { kind: "string", bytes: Buffer.from(quoted, "latin1") };
    if (this.isAtLiteral) return { kind: "string", bytes: this.literal().bytes };
    const word = this.take(wordPattern) ?? this.#fail("a word, a string or a list");
    return { kind: "atom", text: word };
  }

  /** What a sticky pattern finds here; undefined where that is nothing. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  bad(wanted: string): BadCommand {
    const found = this.isAtEnd ? "the command ends" : `"${this.#text.slice(this.#at, this.#at + 12)}" follows`;
    return new BadCommand(`${printable(found)} where ${wanted} is needed`);
  }

  #number(most: number): number {
    const digits = this.take(numberPattern) ?? this.#fail("a number");
    const value = Number(digits);
    if (value > most) throw new BadCommand(`the number ${digits.slice(0, 24)} is too large`);
    return value;
  }

  #quoted(): string | undefined {
    if (this.next !== '"') return undefined;
    const start = this.#at;
    quotedPattern.lastIndex = start;
    const inside = quotedPattern.exec(this.#text)?.[1];
    const end = quotedPattern.lastIndex;
    const literal = this.#literals[this.#nextLiteral];
    if (inside === undefined || (literal !== undefined && literal.at < end)) return this.#fail("a string with its end");
    this.#at = end;
    return inside.includes("\\") ? inside.replaceAll(/\\(["\\])/g, "$1") : inside;
  }

  #fail(wanted: string): never {
    throw this.bad(wanted);
  }
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?");
}
