import { decodeCharset } from "../../message/index.ts";
import { BadCommand, type ParseLimits, type Token } from "../grammar/index.ts";

/** Reads the words of a search one after the other. */
export class TokenReader {
  readonly limits: ParseLimits;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[], limits: ParseLimits) {
    this.#tokens = tokens;
    this.limits = limits;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  get next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  take(wanted: string): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new BadCommand(`the command ends where ${wanted} is needed`);
    this.#at++;
    return token;
  }

  /** Goes past this word where it comes next, in whatever case. */
  accept(word: string): boolean {
    const { next } = this;
    if (next?.kind !== "atom" || next.text.toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }

  atom(wanted: string): string {
    const token = this.take(wanted);
    if (token.kind !== "atom") throw new BadCommand(`${wanted} is needed, not a ${token.kind}`);
    return token.text;
  }

  list(wanted: string): TokenReader {
    const token = this.take(wanted);
    if (token.kind !== "list") throw new BadCommand(`${wanted} in parentheses is needed`);
    return new TokenReader(token.items, this.limits);
  }

  /** An `astring`, decoded. */
  text(wanted: string, charset?: string): string {
    const token = this.take(wanted);
    if (token.kind === "list") throw new BadCommand(`${wanted} is needed, not a list`);
    return decodeCharset(token.kind === "atom" ? Buffer.from(token.text, "latin1") : token.bytes, charset);
  }

  /** Up to 2⁵³−1. */
  number(wanted: string): number {
    const text = this.atom(wanted);
    const value = Number(text);
    if (!/^\d{1,19}$/.test(text) || !Number.isSafeInteger(value)) {
      throw new BadCommand(`"${text.slice(0, 24)}" is no number, where ${wanted} is needed`);
    }
    return value;
  }
}
