/** What an IMAP answer says, as nested lists; quoted strings and literals are the same. */
export type ImapValue = string | null | readonly ImapValue[];

/** Reads lists, strings, atoms and NIL from the front of a text with one character for each byte. */
export function readImapValue(text: string): ImapValue {
  return new ValueReader(text).read();
}

/** The items of a FETCH response by their names: `{ UID: "5", ENVELOPE: […] }`. */
export function fetchItems(response: string): ReadonlyMap<string, ImapValue> {
  const reader = new ValueReader(response.slice(response.indexOf("(")));
  const items = reader.read();
  if (typeof items === "string" || items === null) throw new Error(`no list: ${response}`);
  const byName = new Map<string, ImapValue>();
  for (let index = 0; index + 1 < items.length; index += 2) byName.set(String(items[index]), items[index + 1] ?? null);
  return byName;
}

class ValueReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ImapValue {
    const first = this.#text[this.#at];
    if (first === "(") return this.#list();
    if (first === '"') return this.#quoted();
    const literal = /~?\{(\d+)\}\r\n/y;
    literal.lastIndex = this.#at;
    const found = literal.exec(this.#text);
    if (found !== null) {
      const end = literal.lastIndex + Number(found[1]);
      const value = this.#text.slice(literal.lastIndex, end);
      this.#at = end;
      return value;
    }
    const atom = this.#atom();
    return atom.toUpperCase() === "NIL" ? null : atom;
  }

  #list(): readonly ImapValue[] {
    const values: ImapValue[] = [];
    this.#at++;
    while (this.#text[this.#at] !== ")") {
      if (this.#at >= this.#text.length) throw new Error(`a list without end: ${this.#text}`);
      if (this.#text[this.#at] === " ") this.#at++;
      else values.push(this.read());
    }
    this.#at++;
    return values;
  }

  #quoted(): string {
    let value = "";
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#text[this.#at] === "\\") this.#at++;
      if (this.#at >= this.#text.length) throw new Error(`a string without end: ${this.#text}`);
      value += this.#text[this.#at];
    }
    this.#at++;
    return value;
  }

  /** `BODY[HEADER.FIELDS (TO)]` too. */
  #atom(): string {
    const pattern = /(?:\[[^\]]*\]|[^\s()"])+/y;
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new Error(`nothing at ${this.#at}: ${this.#text}`);
    this.#at = pattern.lastIndex;
    return found;
  }
}
