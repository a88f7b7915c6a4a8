import { Failure } from "../../base/index.ts";

/** A section of LVM's text: values and other sections, by name. */
export interface Section {
  readonly values: ReadonlyMap<string, ConfigValue>;
  readonly sections: ReadonlyMap<string, Section>;
}

export type ConfigValue = string | number | readonly (string | number)[];

const depthLimit = 16;
/** Comments, text in quotes, signs, numbers, names; anything else is wrong. */
const token = /\s+|#[^\n]*|("(?:[^"\\]|\\.)*")|([{}[\],=])|(-?\d+(?![\w.+-]))|([\w.+-][\w.+-]*)|(.)/gsy;

/** Understands LVM's metadata as vgcfgbackup writes it (lvm.conf(5) has the grammar). Throws `damaged`. */
export function parseConfig(text: string): Section {
  const parser = new ConfigParser(text);
  return parser.section(0);
}

class ConfigParser {
  readonly #words: readonly string[];
  #next = 0;

  constructor(text: string) {
    const words: string[] = [];
    for (const [, quoted, sign, number, name, wrong] of text.replaceAll("\0", "").matchAll(token)) {
      if (wrong !== undefined) throw damaged(`"${wrong}" is in it`);
      const word = quoted ?? sign ?? number ?? name;
      if (word !== undefined) words.push(word);
    }
    this.#words = words;
  }

  /** All up to the brace that closes it, or the end of the text. */
  section(depth: number): Section {
    if (depth > depthLimit) throw damaged("its sections are too deep");
    const values = new Map<string, ConfigValue>();
    const sections = new Map<string, Section>();
    for (;;) {
      const name = this.#words[this.#next++];
      if ((name === undefined && depth === 0) || (name === "}" && depth > 0)) return { values, sections };
      if (name === undefined || !/^[\w.+-]+$/.test(name)) throw damaged("a name is missing");
      const sign = this.#words[this.#next++];
      if (sign === "{") sections.set(name, this.section(depth + 1));
      else if (sign === "=") values.set(name, this.#value());
      else throw damaged(`"${name}" has no value`);
    }
  }

  #value(): ConfigValue {
    if (this.#words[this.#next] !== "[") return this.#scalar();
    this.#next++;
    const list: (string | number)[] = [];
    while (this.#words[this.#next] !== "]") {
      list.push(this.#scalar());
      if (this.#words[this.#next] === ",") this.#next++;
      else if (this.#words[this.#next] !== "]") throw damaged("a list has no end");
    }
    this.#next++;
    return list;
  }

  #scalar(): string | number {
    const word = this.#words[this.#next++] ?? "";
    if (word.startsWith('"')) return word.slice(1, -1).replace(/\\(.)/g, "$1");
    const number = Number(word);
    if (word !== "" && Number.isSafeInteger(number)) return number;
    throw damaged(`"${word}" is no value`);
  }
}

function damaged(why: string): Failure {
  return new Failure("damaged", `LVM's description cannot be read: ${why}`);
}
