import { Failure } from "../../../base/index.ts";

/** A word of a `.fetchmailrc`. What was quoted is never a keyword or a number. */
export interface Token {
  readonly kind: "word" | "number" | "quoted" | "equals" | "end";
  readonly text: string;
  readonly line: number;
}

/** Words that only make a file read like English. */
const noise: ReadonlySet<string> = new Set(["and", "with", "has", "wants", "options"]);
const between = /(?:[\s,:;]+|#[^\n]*)*/y;
const quotedToken = /"([^"]*)"|'([^']*)'/y;
const plainToken = /[^\s,:;=]+/y;
const escape = /\\(?:(\n)|x([0-9a-fA-F]{1,2})|(0[0-7]{0,2})|([1-9]\d{0,2})|([^]))/g;
const letters: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b", r: "\r" };

/** Splits the text of a `.fetchmailrc` into its words, one at a time: what a word means depends on the one before. */
export class Tokens {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  /** Read and not yet taken, the next one last. */
  readonly #waiting: Token[] = [];

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** The next word, which stays the next one. */
  peek(): Token {
    const next = this.#waiting.at(-1) ?? this.#read(true);
    if (this.#waiting.length === 0) this.#waiting.push(next);
    return next;
  }

  take(): Token {
    return this.#waiting.pop() ?? this.#read(true);
  }

  putBack(token: Token): void {
    this.#waiting.push(token);
  }

  /** The next word as a name or password: no keyword is looked for in it. Only where nothing was peeked at. */
  takeName(): Token {
    const token = this.#waiting.pop() ?? this.#read(false);
    return token.kind === "word" || token.kind === "number" ? { ...token, kind: "quoted" } : token;
  }

  failure(token: Token, what: string, hint?: string): Failure {
    const place = `cannot read "${this.#file}": line ${token.line}`;
    return new Failure("usage", `${place}: ${what}`, hint === undefined ? {} : { hint });
  }

  #read(skipsNoise: boolean): Token {
    for (;;) {
      this.#skip(between);
      const line = this.#line;
      if (this.#at >= this.#text.length) return { kind: "end", text: "", line };
      if (this.#text[this.#at] === "=") {
        this.#at += 1;
        return { kind: "equals", text: "=", line };
      }
      // What is longer counts, as fetchmail has it: a quotation mark within quotation marks ends the word there or not at all.
      const length = this.#lengthOf(plainToken);
      const quotedLength = this.#lengthOf(quotedToken);
      const first = this.#text[this.#at];
      if (quotedLength < length && (first === '"' || first === "'")) {
        const what = `a word begins with ${first} and does not end with the next one`;
        throw this.failure(
          { kind: "word", text: "", line },
          what,
          "write \\x22 for \" and \\x27 for ' within quotation marks",
        );
      }
      if (quotedLength > 0) {
        const [, double, single] = this.#skip(quotedToken) ?? [];
        return { kind: "quoted", text: unescaped(double ?? single ?? ""), line };
      }
      const [raw = ""] = this.#skip(plainToken) ?? [];
      if (skipsNoise && noise.has(raw)) continue;
      return { kind: /^\d+$/.test(raw) ? "number" : "word", text: unescaped(raw), line };
    }
  }

  #lengthOf(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #skip(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at += found[0].length;
    for (const character of found[0]) if (character === "\n") this.#line += 1;
    return found;
  }
}

/** Escapes as fetchmail(1) has them: decimal unless they begin with 0; none but these. */
function unescaped(raw: string): string {
  return raw.replaceAll(escape, (...found: readonly (string | undefined)[]) => {
    const [, lineEnd, hex, octal, decimal, letter = ""] = found;
    if (lineEnd !== undefined) return "";
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (decimal !== undefined) return String.fromCharCode(Number(decimal) % 256);
    return letters[letter] ?? letter;
  });
}
