import { Unsupported, type Command, type Word, type WordPart } from "./syntax.ts";

/** A place in a script. */
export interface Cursor {
  readonly text: string;
  at: number;
}

/** Parses commands from the cursor up to the `)` that ends them, and passes it. */
export type ParseCommands = (cursor: Cursor) => Command;

const endOfWord = " \t\n;&|<>()";
const special = "@*#?-$!";

/** Reads one word from the cursor on: none where a word cannot begin. */
export function parseWord(cursor: Cursor, parseCommands: ParseCommands): Word | undefined {
  const parts: WordPart[] = [];
  const start = cursor.at;
  parseParts(cursor, parts, parseCommands, { quoted: false, ends: endOfWord });
  return cursor.at === start ? undefined : parts;
}

/** A text with expansions but without quotes, such as a here-document. */
export function parseHereText(text: string, parseCommands: ParseCommands): Word {
  const parts: WordPart[] = [];
  parseParts({ text, at: 0 }, parts, parseCommands, { quoted: true, ends: "", isHere: true });
  return parts;
}

interface PartsOptions {
  readonly quoted: boolean;
  readonly ends: string;
  readonly isHere?: boolean;
}

function parseParts(cursor: Cursor, parts: WordPart[], parseCommands: ParseCommands, options: PartsOptions): void {
  const { text } = cursor;
  const { quoted, ends } = options;
  const add = (piece: string, isQuoted: boolean): void => {
    const last = parts.at(-1);
    if (last?.kind === "text" && last.quoted === isQuoted) {
      parts[parts.length - 1] = { ...last, text: last.text + piece };
    } else parts.push({ kind: "text", text: piece, quoted: isQuoted });
  };
  while (cursor.at < text.length) {
    const character = text.charAt(cursor.at);
    if (ends.includes(character)) return;
    if (character === "\\") {
      const next = text.charAt(cursor.at + 1);
      cursor.at += 2;
      if (next === "\n") continue;
      if (!quoted) add(next, true);
      else if ("$`\\".includes(next) || (next === '"' && options.isHere !== true)) add(next, true);
      else add(`\\${next}`, true);
    } else if (character === "'" && !quoted) {
      const end = text.indexOf("'", cursor.at + 1);
      if (end === -1) throw new Unsupported("a quote without end");
      add(text.slice(cursor.at + 1, end), true);
      cursor.at = end + 1;
    } else if (character === '"' && options.isHere !== true) {
      cursor.at++;
      add("", true);
      parseParts(cursor, parts, parseCommands, { quoted: true, ends: '"' });
      if (text.charAt(cursor.at) !== '"') throw new Unsupported("a quote without end");
      cursor.at++;
    } else if (character === "$") parseDollar(cursor, parts, parseCommands, quoted, add);
    else if (character === "`") parts.push(parseBackquoted(cursor, parseCommands, quoted));
    else {
      add(character, quoted);
      cursor.at++;
    }
  }
}

function parseDollar(
  cursor: Cursor,
  parts: WordPart[],
  parseCommands: ParseCommands,
  quoted: boolean,
  add: (piece: string, isQuoted: boolean) => void,
): void {
  const { text } = cursor;
  const next = text.charAt(cursor.at + 1);
  const name = /^([A-Za-z_]\w*|\d)/.exec(text.slice(cursor.at + 1, cursor.at + 200))?.[0];
  if (text.startsWith("$((", cursor.at)) return void parts.push(parseArithmetic(cursor, parseCommands, quoted));
  if (next === "(") {
    cursor.at += 2;
    parts.push({ kind: "command", body: parseCommands(cursor), quoted });
  } else if (next === "{") parts.push(parseBraced(cursor, parseCommands, quoted));
  else if (name !== undefined || (next !== "" && special.includes(next))) {
    const whole = name ?? next;
    cursor.at += 1 + whole.length;
    parts.push({ kind: "parameter", name: whole, operator: "", argument: [], quoted });
  } else {
    add("$", quoted);
    cursor.at++;
  }
}

function parseBraced(cursor: Cursor, parseCommands: ParseCommands, quoted: boolean): WordPart {
  const { text } = cursor;
  const head = /^\$\{(#?)([A-Za-z_]\w*|\d+|[@*#?$!-])(:?[-=?+]|%%?|##?)?/.exec(text.slice(cursor.at, cursor.at + 300));
  if (head === null) throw new Unsupported("an expansion in braces");
  let [whole = "", length = "", name = "", operator = ""] = head;
  if (text.startsWith("${#}", cursor.at)) [whole, length, name, operator] = ["${#", "", "#", ""];
  cursor.at += whole.length;
  const argument: WordPart[] = [];
  // A quote in the argument is one of its own, also where the whole stands in quotes.
  parseParts(cursor, argument, parseCommands, { quoted: false, ends: "}" });
  if (text.charAt(cursor.at) !== "}") throw new Unsupported("a brace without end");
  cursor.at++;
  return { kind: "parameter", name, operator: length === "" ? operator : "length", argument, quoted };
}

function parseBackquoted(cursor: Cursor, parseCommands: ParseCommands, quoted: boolean): WordPart {
  let body = "";
  cursor.at++;
  for (; cursor.text.charAt(cursor.at) !== "`"; cursor.at++) {
    if (cursor.at >= cursor.text.length) throw new Unsupported("a backquote without end");
    const next = cursor.text.charAt(cursor.at + 1);
    if (cursor.text.charAt(cursor.at) === "\\" && "$`\\".includes(next)) cursor.at++;
    body += cursor.text.charAt(cursor.at);
  }
  cursor.at++;
  return { kind: "command", body: parseCommands({ text: `${body})`, at: 0 }), quoted };
}

function parseArithmetic(cursor: Cursor, parseCommands: ParseCommands, quoted: boolean): WordPart {
  cursor.at += 3;
  const start = cursor.at;
  let depth = 0;
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const character = cursor.text.charAt(cursor.at);
    if (character === "(") depth++;
    else if (character === ")" && depth > 0) depth--;
    else if (character === ")" && cursor.text.charAt(cursor.at + 1) === ")") break;
  }
  const expression = parseHereText(cursor.text.slice(start, cursor.at), parseCommands);
  cursor.at += 2;
  return { kind: "arithmetic", expression, quoted };
}
