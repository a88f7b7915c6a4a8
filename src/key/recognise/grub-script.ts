import { grubTokens, type GrubToken, type GrubWord } from "./grub-words.ts";

/** What a script of GRUB is made of, as far as menus need it. */
export type GrubStatement =
  | { readonly kind: "command"; readonly words: readonly GrubWord[]; readonly body?: readonly GrubStatement[] }
  | { readonly kind: "if"; readonly branches: readonly GrubBranch[] }
  | {
      readonly kind: "for";
      readonly variable: string;
      readonly words: readonly GrubWord[];
      readonly body: readonly GrubStatement[];
    };

/** `else` has no condition. */
export interface GrubBranch {
  readonly condition?: readonly GrubStatement[];
  readonly body: readonly GrubStatement[];
}

/** Deeper nesting than any menu has is taken for the end of the script. */
const nestingLimit = 32;

/** The statements of a script. What does not fit the grammar is passed by: a menu that GRUB shows is to be read. */
export function parseGrubScript(text: string): readonly GrubStatement[] {
  const parser = new Parser(grubTokens(text));
  const statements: GrubStatement[] = [];
  while (!parser.isAtEnd) {
    statements.push(...parser.block([], 0));
    parser.skip(); // a closing word without its opening
  }
  return statements;
}

class Parser {
  readonly #tokens: readonly GrubToken[];
  #at = 0;

  constructor(tokens: readonly GrubToken[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  skip(): void {
    this.#at++;
  }

  /** Up to one of these words where a command begins, or to a `}`; that stays. */
  block(ends: readonly string[], depth: number): GrubStatement[] {
    const statements: GrubStatement[] = [];
    while (!this.isAtEnd) {
      const first = this.#plainWord();
      if (this.#isMark("}") || (first !== undefined && ends.includes(first))) return statements;
      if (depth > nestingLimit) {
        this.#at = this.#tokens.length;
        return statements;
      }
      if (this.#isMark(";") || this.#isMark("{")) this.#at++;
      else if (first === "if") statements.push(this.#conditional(depth));
      else if (first === "while" || first === "until" || first === "for") statements.push(...this.#loop(first, depth));
      else statements.push(this.#command(depth));
    }
    return statements;
  }

  #conditional(depth: number): GrubStatement {
    const branches: GrubBranch[] = [];
    do {
      this.#at++; // if, elif
      const condition = this.block(["then", "fi"], depth + 1);
      this.#expect("then");
      branches.push({ condition, body: this.block(["elif", "else", "fi"], depth + 1) });
    } while (this.#plainWord() === "elif");
    if (this.#expect("else")) branches.push({ body: this.block(["fi"], depth + 1) });
    this.#expect("fi");
    return { kind: "if", branches };
  }

  /** Loops over words are run; others would go on by what only GRUB knows, and their body is taken once. */
  #loop(keyword: string, depth: number): GrubStatement[] {
    this.#at++;
    const head = this.#wordsOfLine();
    while (this.#isMark(";")) this.#at++;
    this.#expect("do");
    const body = this.block(["done"], depth + 1);
    this.#expect("done");
    if (keyword !== "for") return body;
    const [variable] = head[0] ?? [];
    const name = variable !== undefined && "text" in variable ? variable.text : "";
    return [{ kind: "for", variable: name, words: head.slice(2), body }];
  }

  #command(depth: number): GrubStatement {
    const words = this.#wordsOfLine();
    if (!this.#isMark("{")) return { kind: "command", words };
    this.#at++;
    const body = this.block([], depth + 1);
    if (this.#isMark("}")) this.#at++;
    return { kind: "command", words, body };
  }

  #wordsOfLine(): GrubWord[] {
    const words: GrubWord[] = [];
    for (let token = this.#tokens[this.#at]; token !== undefined && "word" in token; token = this.#tokens[++this.#at])
      words.push(token.word);
    return words;
  }

  #expect(keyword: string): boolean {
    const isThere = this.#plainWord() === keyword;
    if (isThere) this.#at++;
    return isThere;
  }

  #isMark(mark: string): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && "mark" in token && token.mark === mark;
  }

  #plainWord(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !("word" in token) || token.word.length !== 1) return undefined;
    const [piece] = token.word;
    return piece !== undefined && "text" in piece ? piece.text : undefined;
  }
}
