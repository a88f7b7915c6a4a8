import { parseHereText, parseWord, type Cursor } from "./parse-word.ts";
import { Unsupported, type Command, type Redirection, type Word } from "./syntax.ts";

const reservedWord = /^(?:if|then|elif|else|fi|case|esac|for|while|until|do|done|in|\{|\}|!)(?=[\s;&|()]|$)/;
const assignment = /^([A-Za-z_]\w*)=/;
const functionHead = /^([A-Za-z_][\w-]*)[ \t]*\([ \t]*\)/;
const redirection = /^(\d?)(<<-?|>>|>&|<&|>\||<>|<|>)/;

/** One whose text is still to come. */
interface HereDocument {
  readonly redirection: Redirection;
  readonly end: string;
  readonly tabs: boolean;
  readonly quoted: boolean;
}

/** Parses a script. Throws `Unsupported` for what is not in the subset. */
export function parseScript(text: string): Command {
  const parser = new Parser({ text, at: 0 });
  const body = parser.list([]);
  if (!parser.isAtEnd) throw new Unsupported(`this: ${text.slice(parser.at, parser.at + 20)}`);
  return body;
}

/** Recursive descent over the characters of a script. */
class Parser {
  readonly #cursor: Cursor;
  /** Here-documents whose text begins on the next line. */
  readonly #waiting: HereDocument[] = [];

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  get at(): number {
    return this.#cursor.at;
  }

  get isAtEnd(): boolean {
    this.#skipLines();
    return this.at >= this.#cursor.text.length;
  }

  /** Commands up to one of the words or signs, which stays. */
  list(ends: readonly string[]): Command {
    const commands: Command[] = [];
    for (;;) {
      this.#skipLines();
      if (this.at >= this.#cursor.text.length || this.#isAt(ends) || this.#startsWith(";;")) break;
      commands.push(this.#chain());
      this.#skipBlanks();
      if (this.#startsWith(";;")) break;
      if (this.#startsWith("&")) throw new Unsupported("a command in the background");
      if (this.#startsWith(";")) this.#cursor.at++;
      else if (!this.#startsWith("\n")) break;
    }
    return { kind: "list", commands, redirections: [] };
  }

  #chain(): Command {
    let left = this.#pipeline();
    for (;;) {
      this.#skipBlanks();
      const operator = ["&&", "||"].find((one) => this.#startsWith(one));
      if (operator === undefined) return left;
      this.#cursor.at += 2;
      this.#skipLines();
      left = {
        kind: "both",
        operator: operator === "&&" ? "&&" : "||",
        left,
        right: this.#pipeline(),
        redirections: [],
      };
    }
  }

  #pipeline(): Command {
    this.#skipBlanks();
    const isNegated = this.#takeWord("!");
    const commands = [this.#command()];
    for (this.#skipBlanks(); this.#startsWith("|") && !this.#startsWith("||"); this.#skipBlanks()) {
      this.#cursor.at++;
      this.#skipLines();
      commands.push(this.#command());
    }
    const [only] = commands;
    if (only !== undefined && commands.length === 1 && !isNegated) return only;
    return { kind: "pipeline", commands, isNegated, redirections: [] };
  }

  #command(): Command {
    this.#skipBlanks();
    const name = functionHead.exec(this.#rest())?.[1];
    if (name !== undefined) {
      this.#cursor.at += functionHead.exec(this.#rest())?.[0].length ?? 0;
      this.#skipLines();
      return { kind: "function", name, body: this.#command(), redirections: [] };
    }
    const body = this.#compound();
    if (body === undefined) return this.#simple();
    const redirections: Redirection[] = [];
    while (this.#redirection(redirections));
    return { ...body, redirections };
  }

  #compound(): Command | undefined {
    if (this.#startsWith("(")) {
      this.#cursor.at++;
      const body = this.list([")"]);
      this.#expect(")");
      return { kind: "subshell", body, redirections: [] };
    }
    if (this.#takeWord("{")) {
      const body = this.list(["}"]);
      this.#expect("}");
      return { kind: "group", body, redirections: [] };
    }
    if (this.#takeWord("if")) return this.#conditional();
    if (this.#takeWord("case")) return this.#choice();
    if (this.#takeWord("for")) return this.#loopOverWords();
    const isUntil = this.#takeWord("until");
    if (!isUntil && !this.#takeWord("while")) return undefined;
    const condition = this.list(["do"]);
    return { kind: "while", isUntil, condition, body: this.#loopBody(), redirections: [] };
  }

  #conditional(): Command {
    const clauses: { condition: Command; body: Command }[] = [];
    do {
      const condition = this.list(["then"]);
      this.#expect("then");
      clauses.push({ condition, body: this.list(["elif", "else", "fi"]) });
    } while (this.#takeWord("elif"));
    const otherwise = this.#takeWord("else") ? this.list(["fi"]) : undefined;
    this.#expect("fi");
    return { kind: "if", clauses, otherwise, redirections: [] };
  }

  #choice(): Command {
    const word = this.#word();
    this.#skipLines();
    this.#expect("in");
    const items: { patterns: Word[]; body: Command }[] = [];
    for (this.#skipLines(); !this.#isAt(["esac"]); this.#skipLines()) {
      if (this.#startsWith("(")) this.#cursor.at++;
      const patterns: Word[] = [];
      do {
        this.#skipBlanks();
        if (this.#startsWith("|")) this.#cursor.at++;
        this.#skipBlanks();
        patterns.push(this.#word());
        this.#skipBlanks();
      } while (this.#startsWith("|"));
      this.#expect(")");
      items.push({ patterns, body: this.list(["esac"]) });
      this.#skipLines();
      if (this.#startsWith(";;")) this.#cursor.at += 2;
    }
    this.#expect("esac");
    return { kind: "case", word, items, redirections: [] };
  }

  #loopOverWords(): Command {
    this.#skipBlanks();
    const name = /^[A-Za-z_]\w*/.exec(this.#rest())?.[0];
    if (name === undefined) throw new Unsupported("a loop without a name");
    this.#cursor.at += name.length;
    this.#skipLines();
    let words: Word[] | undefined;
    if (this.#takeWord("in")) {
      words = [];
      for (let word = this.#optionalWord(); word !== undefined; word = this.#optionalWord()) words.push(word);
    }
    this.#skipBlanks();
    if (this.#startsWith(";")) this.#cursor.at++;
    return { kind: "for", name, words, body: this.#loopBody(), redirections: [] };
  }

  #loopBody(): Command {
    this.#skipLines();
    this.#expect("do");
    const body = this.list(["done"]);
    this.#expect("done");
    return body;
  }

  #simple(): Command {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      if (this.#redirection(redirections)) continue;
      const name = words.length === 0 ? assignment.exec(this.#rest())?.[1] : undefined;
      if (name !== undefined) {
        this.#cursor.at += name.length + 1;
        assignments.push({ name, value: parseWord(this.#cursor, parseUpToParenthesis) ?? [] });
        continue;
      }
      const word = this.#optionalWord();
      if (word === undefined) break;
      words.push(word);
    }
    if (assignments.length === 0 && words.length === 0 && redirections.length === 0) {
      throw new Unsupported(`this: ${this.#rest().slice(0, 20)}`);
    }
    return { kind: "simple", assignments, words, redirections };
  }

  #redirection(into: Redirection[]): boolean {
    this.#skipBlanks();
    const [whole, number, sign] = redirection.exec(this.#rest()) ?? [];
    if (whole === undefined || sign === undefined) return false;
    if (sign === "<>") throw new Unsupported("a file for reading and writing");
    this.#cursor.at += whole.length;
    this.#skipBlanks();
    const target = this.#word();
    const operator = sign === ">|" ? ">" : (sign.replace("-", "") as Redirection["operator"]);
    const descriptor = number === "" || number === undefined ? Number(!sign.startsWith("<")) : Number(number);
    const one: Redirection = { descriptor, operator, target };
    into.push(one);
    if (operator === "<<") {
      const end = target.map((part) => (part.kind === "text" ? part.text : "")).join("");
      const quoted = target.some((part) => part.kind === "text" && part.quoted);
      this.#waiting.push({ redirection: one, end, tabs: sign === "<<-", quoted });
    }
    return true;
  }

  #word(): Word {
    const word = this.#optionalWord();
    if (word === undefined) throw new Unsupported(`this: ${this.#rest().slice(0, 20)}`);
    return word;
  }

  #optionalWord(): Word | undefined {
    this.#skipBlanks();
    return parseWord(this.#cursor, parseUpToParenthesis);
  }

  #expect(what: string): void {
    this.#skipLines();
    if (!this.#startsWith(what)) throw new Unsupported(`no ${what} where one belongs`);
    this.#cursor.at += what.length;
  }

  #takeWord(word: string): boolean {
    if (!this.#isAt([word])) return false;
    this.#cursor.at += word.length;
    return true;
  }

  #isAt(ends: readonly string[]): boolean {
    const found = reservedWord.exec(this.#cursor.text.slice(this.at, this.at + 8))?.[0] ?? "";
    return ends.some((end) => (end === ")" ? this.#startsWith(")") : end === found));
  }

  #startsWith(text: string): boolean {
    return this.#cursor.text.startsWith(text, this.at);
  }

  #rest(): string {
    return this.#cursor.text.slice(this.at, this.at + 200);
  }

  #skipBlanks(): void {
    const { text } = this.#cursor;
    for (;;) {
      const character = text.charAt(this.at);
      if (character === " " || character === "\t") this.#cursor.at++;
      else if (text.startsWith("\\\n", this.at)) this.#cursor.at += 2;
      else if (character === "#") {
        const end = text.indexOf("\n", this.at);
        this.#cursor.at = end === -1 ? text.length : end;
      } else return;
    }
  }

  #skipLines(): void {
    for (this.#skipBlanks(); this.#startsWith("\n"); this.#skipBlanks()) {
      this.#cursor.at++;
      for (const here of this.#waiting.splice(0)) this.#readHere(here);
    }
  }

  #readHere({ redirection: one, end, tabs, quoted }: HereDocument): void {
    const { text } = this.#cursor;
    let body = "";
    for (;;) {
      if (this.at >= text.length) throw new Unsupported("a here-document without end");
      const lineEnd = text.indexOf("\n", this.at);
      const raw = text.slice(this.at, lineEnd === -1 ? text.length : lineEnd);
      this.#cursor.at = lineEnd === -1 ? text.length : lineEnd + 1;
      const line = tabs ? raw.replace(/^\t+/, "") : raw;
      if (line === end) break;
      body += `${line}\n`;
    }
    one.target = quoted ? [{ kind: "text", text: body, quoted: true }] : parseHereText(body, parseUpToParenthesis);
  }
}

/** For `$(…)`: the commands and the parenthesis that ends them. */
function parseUpToParenthesis(cursor: Cursor): Command {
  const parser = new Parser(cursor);
  const body = parser.list([")"]);
  if (!cursor.text.startsWith(")", cursor.at)) throw new Unsupported("a parenthesis without end");
  cursor.at++;
  return body;
}
