import { damaged } from "./recognised.ts";

/** A section of LVM2's metadata: names with values, and sections inside. */
export interface LvmSection {
  readonly values: ReadonlyMap<string, LvmValue>;
  readonly sections: ReadonlyMap<string, LvmSection>;
}

export type LvmValue = string | number | readonly (string | number)[];

const depthLimit = 16;

/** What stands between tokens; a token by itself: text in quotes, a word, or a sign. */
const space = /\s+|#[^\n]*/uy;
const token = /"((?:[^"\\]|\\.){0,65536})"|([\w.+\-/@!&|:]+)|([{}[\]=,])/suy;

/** Reads the text of LVM2's metadata ("name { key = value … }"). Throws `damaged` where it is none. */
export function parseLvmText(text: string): LvmSection {
  return new LvmParser(text).parse();
}

interface Token {
  readonly kind: "text" | "word" | "sign" | "end";
  readonly text: string;
}

class LvmParser {
  readonly #text: string;
  #at = 0;
  #next: Token;

  constructor(text: string) {
    this.#text = text.replace(/\0+$/u, "");
    this.#next = this.#read();
  }

  parse(): LvmSection {
    return this.#section(0, "end");
  }

  #section(depth: number, endsWith: "end" | "}"): LvmSection {
    if (depth > depthLimit) throw this.#wrong("is nested too deeply");
    const values = new Map<string, LvmValue>();
    const sections = new Map<string, LvmSection>();
    while (!this.#isAt(endsWith)) {
      const name = this.#take();
      if (name.kind !== "word" && name.kind !== "text") throw this.#wrong("has no name");
      if (this.#isAt("{")) {
        this.#take();
        sections.set(name.text, this.#section(depth + 1, "}"));
        this.#take();
      } else {
        this.#expect("=");
        values.set(name.text, this.#value());
      }
    }
    return { values, sections };
  }

  #value(): LvmValue {
    if (!this.#isAt("[")) return this.#scalar();
    this.#take();
    const items: (string | number)[] = [];
    while (!this.#isAt("]")) {
      items.push(this.#scalar());
      if (!this.#isAt("]")) this.#expect(",");
    }
    this.#take();
    return items;
  }

  #scalar(): string | number {
    const { kind, text } = this.#take();
    if (kind === "text") return text;
    if (kind !== "word") throw this.#wrong("has no value");
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
  }

  #expect(sign: string): void {
    if (!this.#isAt(sign)) throw this.#wrong(`lacks a ${sign}`);
    this.#take();
  }

  #isAt(what: string): boolean {
    return what === "end" ? this.#next.kind === "end" : this.#next.kind === "sign" && this.#next.text === what;
  }

  #take(): Token {
    const taken = this.#next;
    if (taken.kind === "end") throw this.#wrong("has no end");
    this.#next = this.#read();
    return taken;
  }

  #read(): Token {
    for (space.lastIndex = this.#at; space.test(this.#text);) this.#at = space.lastIndex;
    if (this.#at >= this.#text.length) return { kind: "end", text: "" };
    token.lastIndex = this.#at;
    const match = token.exec(this.#text);
    if (match === null) throw this.#wrong("makes no sense");
    this.#at = token.lastIndex;
    const [, quoted, word, sign] = match;
    if (quoted !== undefined) return { kind: "text", text: quoted.replace(/\\(.)/gsu, "$1") };
    return word === undefined ? { kind: "sign", text: sign ?? "" } : { kind: "word", text: word };
  }

  #wrong(why: string): Error {
    return damaged("the metadata of LVM2", `it ${why} at character ${this.#at}`);
  }
}
