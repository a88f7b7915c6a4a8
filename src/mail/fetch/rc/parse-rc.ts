import type { Failure } from "../../../base/index.ts";
import { globalKeywords, reservedWords, serverKeywords, userKeywords, type Keyword } from "./keywords.ts";
import type { LocalName, RcFile, RcServer, Setting } from "./rc-file.ts";
import { Tokens, type Token } from "./tokens.ts";

const protocols: ReadonlySet<string> = new Set([
  "auto",
  "pop2",
  "pop3",
  "sdps",
  "imap",
  "apop",
  "kpop",
  "etrn",
  "odmr",
]);
const authentications: ReadonlySet<string> = new Set(
  "any password kerberos kerberos_v4 kerberos_v5 gssapi cram-md5 otp msn ntlm ssh external".split(" "),
);
const entryWords: ReadonlySet<string> = new Set(["poll", "server", "skip", "defaults", "set"]);

/** Reads a `.fetchmailrc` by fetchmail's grammar. A word that it does not have throws `usage`, with its line. */
export function parseRc(text: string, path: string): RcFile {
  return new RcParser(new Tokens(text, path)).file(path);
}

interface MutableUser {
  line: number;
  remote?: string;
  password?: string;
  readonly localNames: LocalName[];
  readonly options: Map<string, Setting>;
}

class RcParser {
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  file(path: string): RcFile {
    const globals = new Map<string, Setting>();
    const servers: RcServer[] = [];
    let defaults: RcServer | undefined;
    for (;;) {
      const token = this.#tokens.take();
      if (token.kind === "end") break;
      const word = token.kind === "word" ? token.text : undefined;
      if (word === "set") this.#global(globals);
      else if (word === "poll" || word === "server" || word === "skip") {
        servers.push(this.#server(token, this.#string(token), word !== "skip"));
      } else if (word === "defaults") {
        if (defaults !== undefined || servers.length > 0) {
          throw this.#tokens.failure(token, '"defaults" comes once, before every server');
        }
        defaults = this.#server(token, "defaults", false);
      } else throw this.#unknown(token, "poll, skip, defaults or set is needed here");
    }
    return { path, globals, servers, ...(defaults === undefined ? {} : { defaults }) };
  }

  #global(globals: Map<string, Setting>): void {
    if (!this.#option(globalKeywords, globals))
      throw this.#unknown(this.#tokens.take(), 'not a word that may follow "set"');
  }

  #server(start: Token, name: string, isPolled: boolean): RcServer {
    const options = new Map<string, Setting>();
    while (this.#option(serverKeywords, options));
    const users: MutableUser[] = [];
    let user: MutableUser | undefined;
    let isNamed = false;
    for (;;) {
      const token = this.#tokens.peek();
      if (token.kind === "end" || (token.kind === "word" && entryWords.has(token.text))) break;
      if (token.kind === "word" && (token.text === "user" || token.text === "username")) {
        if (user !== undefined && !isNamed) {
          throw this.#tokens.failure(token, "options of a user stand before the first user", `move them behind "user"`);
        }
        this.#tokens.take();
        isNamed = true;
        user = this.#user(token);
        users.push(user);
        continue;
      }
      if (user === undefined) {
        user = { line: token.line, localNames: [], options: new Map() };
        users.push(user);
      }
      this.#userOption(user, isNamed);
    }
    if (users.length === 0) users.push({ line: start.line, localNames: [], options: new Map() });
    return { line: start.line, name, isPolled, options, users };
  }

  /** `user NAME`, `user NAME there`, `user NAME… here`. */
  #user(start: Token): MutableUser {
    const user: MutableUser = { line: start.line, localNames: [], options: new Map() };
    const { names, second } = this.#names();
    if (this.#takeWord("here")) user.localNames.push(...names);
    else {
      this.#takeWord("there");
      const [first] = names;
      if (second !== undefined)
        throw this.#unknown(second, 'not an option that is known; behind several names there is "here"');
      if (first === undefined || first.ours !== first.theirs) {
        throw this.#tokens.failure(start, "one name is needed after user, or names and then here");
      }
      user.remote = first.theirs;
    }
    return user;
  }

  /** One name or more; the first may be any word. */
  #names(): { readonly names: readonly LocalName[]; readonly second?: Token } {
    const names: LocalName[] = [];
    let second: Token | undefined;
    for (let token = this.#tokens.takeName(); ; token = this.#tokens.take()) {
      if (token.kind === "end" || token.kind === "equals") throw this.#unknown(token, "a name is needed here");
      if (this.#tokens.peek().kind === "equals") {
        this.#tokens.take();
        names.push({ theirs: token.text, ours: this.#string(token) });
      } else names.push({ theirs: token.text, ours: token.text });
      const next = this.#tokens.peek();
      if (!this.#isString(next)) return { names, ...(second === undefined ? {} : { second }) };
      second ??= next;
    }
  }

  #userOption(user: MutableUser, isNamed: boolean): void {
    const token = this.#tokens.peek();
    const word = token.kind === "word" ? token.text : "";
    if (word === "is" || word === "to") {
      this.#tokens.take();
      const { names } = this.#names();
      if (word === "is" && this.#takeWord("there")) {
        const [name] = names;
        if (name !== undefined) user.remote = name.theirs;
      } else {
        this.#takeWord("here");
        user.localNames.push(...names);
      }
    } else if (word === "pass" || word === "password") {
      this.#tokens.take();
      const password = this.#tokens.takeName();
      if (password.kind !== "quoted") throw this.#unknown(password, `a password is needed after "${word}"`);
      user.password = password.text;
    } else if (!this.#option(userKeywords, user.options)) {
      const isOfServer = word !== "" && (serverKeywords.has(word) || serverKeywords.has(word.replace(/^no/, "")));
      const late = isNamed
        ? "the options of the server come before the first user"
        : "the options of a server come before those of a user";
      if (isOfServer) throw this.#tokens.failure(token, `"${word}" belongs to the server: ${late}`);
      const taken = this.#tokens.take();
      if (word === "no") throw this.#unknown(this.#tokens.take(), 'not an option that may follow "no"');
      throw this.#unknown(taken, "not an option that is known");
    }
  }

  /** Takes one option of a table, with or without `no`; false where the next word is none. */
  #option(table: ReadonlyMap<string, Keyword>, options: Map<string, Setting>): boolean {
    const token = this.#tokens.take();
    const isNo = token.kind === "word" && token.text === "no";
    const named = isNo ? this.#tokens.peek() : token;
    const plain = named.kind === "word" ? table.get(named.text) : undefined;
    const joined = named.kind === "word" && !isNo ? /^no(.+)$/.exec(named.text)?.[1] : undefined;
    const keyword = plain ?? table.get(joined ?? "");
    if (keyword === undefined) {
      this.#tokens.putBack(token);
      return false;
    }
    const isNegated = isNo || plain === undefined;
    if (isNegated && keyword.takes !== "flag" && keyword.takes !== "envelope") {
      throw this.#tokens.failure(token, `"${keyword.name}" cannot be said no to`);
    }
    if (isNo) this.#tokens.take();
    const { line, text: word } = named;
    const before = options.get(keyword.name)?.value;
    const value = isNegated ? false : this.#value(keyword, token);
    // Lists grow: `folder a folder b` is `folder a b`.
    options.set(keyword.name, { value: isList(before) && isList(value) ? [...before, ...value] : value, line, word });
    return true;
  }

  #value(keyword: Keyword, start: Token): Setting["value"] {
    switch (keyword.takes) {
      case "flag":
        return true;
      case "number":
        return this.#number(start);
      case "string":
        return this.#string(start);
      case "strings":
        return this.#strings(start);
      case "numbers":
        return this.#numbers(start);
      case "port":
        return this.#tokens.peek().kind === "number" ? this.#number(start) : this.#service(start);
      case "protocol":
        return this.#oneOf(protocols, "protocol", start);
      case "auth":
        return this.#oneOf(authentications, "kind of authentication", start);
      case "envelope":
        if (this.#tokens.peek().kind === "number") this.#number(start);
        return this.#string(start);
      default:
        return this.#oneOf(new Set(["accept", "pass", "reject"]), "answer to bad headers", start) === "reject"
          ? "reject"
          : "accept";
    }
  }

  #service(start: Token): string {
    if (start.text === "port") throw this.#unknown(this.#tokens.take(), 'a number is needed after "port"');
    return this.#string(start);
  }

  #number(start: Token): number {
    const token = this.#tokens.take();
    if (token.kind !== "number") throw this.#unknown(token, `a number is needed after "${start.text}"`);
    return Number(token.text);
  }

  #numbers(start: Token): readonly string[] {
    const found = [String(this.#number(start))];
    while (this.#tokens.peek().kind === "number") found.push(this.#tokens.take().text);
    return found;
  }

  #isString(token: Token): boolean {
    return token.kind === "quoted" || (token.kind === "word" && !isReserved(token.text));
  }

  #string(start: Token): string {
    const token = this.#tokens.take();
    if (this.#isString(token)) return token.text;
    throw this.#unknown(token, `a word is needed after "${start.text}"`, "put it in quotation marks");
  }

  #strings(start: Token): readonly string[] {
    const found = [this.#string(start)];
    while (this.#isString(this.#tokens.peek())) found.push(this.#tokens.take().text);
    return found;
  }

  #oneOf(words: ReadonlySet<string>, what: string, start: Token): string {
    const token = this.#tokens.take();
    const word = token.text.toLowerCase();
    if (token.kind === "word" && words.has(word)) return word;
    throw this.#unknown(token, `a ${what} is needed after "${start.text}"`, `one of ${[...words].join(", ")}`);
  }

  #takeWord(word: string): boolean {
    const token = this.#tokens.peek();
    if (token.kind !== "word" || token.text !== word) return false;
    this.#tokens.take();
    return true;
  }

  #unknown(token: Token, what: string, hint?: string): Failure {
    const found = token.kind === "end" ? "the file ends" : `"${token.text}"`;
    return this.#tokens.failure(token, `${found}: ${what}`, hint);
  }
}

function isReserved(word: string): boolean {
  return reservedWords.has(word) || (word.startsWith("no") && isFlag(word.slice(2)));
}

function isFlag(word: string): boolean {
  return (userKeywords.get(word) ?? serverKeywords.get(word) ?? globalKeywords.get(word))?.takes === "flag";
}

function isList(value: Setting["value"] | undefined): value is readonly string[] {
  return typeof value === "object";
}
