import { trimBlanks } from "./header.ts";
import { messageLimits } from "./limits.ts";
import type { Address } from "./structure.ts";
import { Tokens } from "./tokens.ts";

/** Characters at which a word of an address ends (RFC 5322 §3.2.3, without `[`, `]` and `\`, which are met in names). */
const wordEnds = '()<>:;@,"';
/** An encoded word is one word, even where its writer left a comma in it. */
const encodedWord = /=\?[^?\s]*\?[bq]\?[^?\s]*\?=/iy;

/**
 * The addresses of a field (RFC 5322 §3.4, with the obsolete forms of §4.4), at most as many as are given. A missing
 * half of an address is an empty string, since absent ones mean groups.
 */
export function parseAddresses(text: string, limit: number = messageLimits.addresses): readonly Address[] {
  const tokens = new Tokens(text);
  const addresses: Address[] = [];
  let isInGroup = false;
  let isApart = true;
  while (!tokens.isAtEnd && addresses.length < limit) {
    tokens.comment = undefined;
    tokens.skipBlanks();
    if (tokens.isAtEnd) break;
    if (tokens.skip(",")) {
      isApart = true;
      continue;
    }
    if (tokens.skip(";")) {
      isApart = true;
      if (isInGroup) addresses.push({});
      isInGroup = false;
      continue;
    }
    const start = tokens.at;
    const words = readWords(tokens);
    if (tokens.next === ":" && !isInGroup) {
      tokens.at++;
      addresses.push({ mailbox: words.phrase });
      isInGroup = true;
      isApart = true;
      continue;
    }
    const address = readAddress(tokens, words);
    // Words after an address are no other one where they have no "@".
    if (address !== undefined && (isApart || address.host !== "")) addresses.push(address);
    isApart = false;
    // What fits nowhere, such as a second ":" or a lone ">", is passed over.
    if (tokens.at === start) tokens.at++;
  }
  if (isInGroup && addresses.length < limit) addresses.push({});
  return addresses;
}

interface Words {
  /** As a display name: one blank between. */
  readonly phrase: string;
  /** Of these the last, as a local part; blanks are allowed around dots (RFC 5322 §4.4). */
  readonly local: string;
  /** The words in front of that one. */
  readonly before: string;
}

function readWords(tokens: Tokens): Words {
  let phrase = "";
  let before = "";
  let local = "";
  for (;;) {
    const isApart = tokens.skipBlanks() && phrase !== "";
    const word = tokens.next === '"' ? tokens.readQuoted() : readWord(tokens);
    if (word === undefined) return { phrase, before, local };
    if (isApart && !local.endsWith(".") && !word.startsWith(".")) {
      before = phrase;
      local = word;
    } else local += word;
    phrase += isApart ? ` ${word}` : word;
  }
}

function readWord(tokens: Tokens): string | undefined {
  if (tokens.next === "=") {
    encodedWord.lastIndex = tokens.at;
    const found = encodedWord.exec(tokens.text)?.[0];
    if (found !== undefined) {
      tokens.at += found.length;
      return found;
    }
  }
  const word = tokens.readUntil(wordEnds);
  return word === "" ? undefined : word;
}

function readAddress(tokens: Tokens, words: Words): Address | undefined {
  if (tokens.next === "<") return readAngle(tokens, words.phrase);
  if (tokens.skip("@")) {
    const host = readDomain(tokens);
    tokens.skipBlanks();
    const name = words.before === "" ? trimBlanks(tokens.comment ?? "") : words.before;
    return { ...nameOf(name), mailbox: words.local, host };
  }
  if (words.local === "") return undefined;
  // Several words and no address are somebody's name.
  if (words.before !== "") return { name: words.phrase, mailbox: "", host: "" };
  return { ...nameOf(trimBlanks(tokens.comment ?? "")), mailbox: words.local, host: "" };
}

function readAngle(tokens: Tokens, phrase: string): Address {
  tokens.at++;
  skipRoute(tokens);
  const { local } = readWords(tokens);
  const host = tokens.skip("@") ? readDomain(tokens) : "";
  // To the end of the angle, or of the address where it has none.
  while (!tokens.isAtEnd && tokens.next !== ">" && tokens.next !== "," && tokens.next !== ";") tokens.at++;
  tokens.skip(">");
  tokens.skipBlanks();
  return { ...nameOf(phrase === "" ? trimBlanks(tokens.comment ?? "") : phrase), mailbox: local, host };
}

/** `<@a,@b:joe@c>`: the way the message should have gone (RFC 5322 §4.4) is of no use to anybody. */
function skipRoute(tokens: Tokens): void {
  tokens.skipBlanks();
  if (!tokens.skip("@")) return;
  while (!tokens.isAtEnd && tokens.next !== ":" && tokens.next !== ">") tokens.at++;
  tokens.skip(":");
}

function readDomain(tokens: Tokens): string {
  let domain = "";
  for (;;) {
    tokens.skipBlanks();
    if (tokens.next === "[") {
      const close = tokens.text.indexOf("]", tokens.at);
      const end = close === -1 ? tokens.text.length : close + 1;
      domain += tokens.text.slice(tokens.at, end).replaceAll(/\s/g, "");
      tokens.at = end;
      return domain;
    }
    // Blanks are allowed around dots only; any other word after one is not of the domain.
    if (domain !== "" && !domain.endsWith(".") && tokens.next !== ".") return domain;
    const word = tokens.readUntil(wordEnds);
    if (word === "") return domain;
    domain += word;
  }
}

function nameOf(name: string): { readonly name?: string } {
  return name === "" ? {} : { name };
}
