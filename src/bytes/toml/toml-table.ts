import { Failure } from "../../base/index.ts";
import { parseSize } from "../size.ts";

/** What is wrong with a file of settings, and where. */
export interface TomlProblem {
  /** Absent where it is about something that is not there. */
  readonly line?: number;
  /** `job.target`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
}

/** Where the problems of a file are gathered. */
export interface ProblemList {
  readonly lines: ReadonlyMap<string, number>;
  readonly found: TomlProblem[];
}

type Values = Readonly<Record<string, unknown>>;

interface Layer {
  readonly values: Values;
  readonly path: string;
}

/**
 * One table of such a file, read key by key. What has the wrong type or is out of bounds is put on the list of problems and
 * counts as absent; so is, at the end, whatever nobody has asked for.
 */
export class TomlTable {
  /** The first that has a key counts. */
  readonly #layers: readonly Layer[];
  readonly #problems: ProblemList;
  readonly #asked = new Set<string>();

  constructor(layers: readonly Layer[], problems: ProblemList) {
    this.#layers = layers;
    this.#problems = problems;
  }

  has(key: string): boolean {
    return this.#layers.some(({ values }) => Object.hasOwn(values, key));
  }

  complain(key: string, message: string): undefined {
    const layer = this.#layerOf(key);
    const path = pathIn(layer, key);
    const line = this.#problems.lines.get(path) ?? this.#problems.lines.get(layer.path);
    const shown = path.replace(/\.\d+(?=\.|$)/g, "");
    const isKnown = this.#problems.found.some((one) => one.line === line && one.key === shown);
    if (!isKnown) this.#problems.found.push({ ...(line === undefined ? {} : { line }), key: shown, message });
    return undefined;
  }

  string(key: string): string | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value !== "string") return this.complain(key, "a text in quotes is needed");
    return value === "" ? this.complain(key, "it is empty") : value;
  }

  /** One text, or several in a list. */
  strings(key: string): readonly string[] | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const texts = list.filter((one): one is string => typeof one === "string" && one !== "");
    return texts.length === list.length ? texts : this.complain(key, "a text in quotes is needed, or a list of them");
  }

  choice<const Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    return words.find((word) => word === value) ?? this.complain(key, `it is one of ${words.join(", ")}`);
  }

  flag(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.complain(key, "true or false is needed, without quotes");
  }

  number(key: string, { minimum, maximum }: { readonly minimum: number; readonly maximum: number }) {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    return this.complain(key, `a whole number from ${minimum} to ${maximum} is needed`);
  }

  /** One number, or several in a list. */
  numbers(key: string, { minimum, maximum }: { readonly minimum: number; readonly maximum: number }) {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const isRight = (one: unknown): one is number =>
      typeof one === "number" && Number.isInteger(one) && one >= minimum && one <= maximum;
    const numbers = list.filter(isRight);
    if (numbers.length === list.length && numbers.length > 0) return numbers;
    return this.complain(key, `whole numbers from ${minimum} to ${maximum} are needed: [1, 2]`);
  }

  size(key: string): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value !== "string" && typeof value !== "number") {
      return this.complain(key, 'a size is needed: "2GB", "512MiB", or a number of bytes');
    }
    return this.parsed(key, String(value), parseSize);
  }

  /** What a text means; why it means nothing, as a problem. */
  parsed<T>(key: string, text: string | undefined, parse: (text: string) => T): T | undefined {
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return this.complain(key, error.hint === undefined ? error.message : `${error.message}; ${error.hint}`);
    }
  }

  /** A table under a key; an empty one where there is none. */
  table(key: string): TomlTable {
    const value = this.#take(key);
    const values = isTable(value) ? value : {};
    if (value !== undefined && !isTable(value)) this.complain(key, `a table is needed: [${key}]`);
    return new TomlTable([{ values, path: pathIn(this.#layerOf(key), key) }], this.#problems);
  }

  /** The tables under a key that may be there several times. */
  tables(key: string): readonly TomlTable[] {
    const value = this.#take(key);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every(isTable)) {
      this.complain(key, `tables are needed, each after a line [[${key}]]`);
      return [];
    }
    const path = pathIn(this.#layerOf(key), key);
    return value.map((values: Values, n) => new TomlTable([{ values, path: `${path}.${n}` }], this.#problems));
  }

  /** This table with another that holds where this one says nothing. */
  over(usual: TomlTable): TomlTable {
    return new TomlTable([...this.#layers, ...usual.#layers], this.#problems);
  }

  /** To be called once everything was asked for. */
  finish(): void {
    const known = [...this.#asked].join(", ");
    const unknown = this.#layers.flatMap(({ values }) => Object.keys(values)).filter((key) => !this.#asked.has(key));
    for (const key of unknown) this.complain(key, `there is no such key; here can be ${known}`);
  }

  #take(key: string): unknown {
    this.#asked.add(key);
    return this.has(key) ? this.#layerOf(key).values[key] : undefined;
  }

  #layerOf(key: string): Layer {
    const empty = { values: {}, path: "" };
    return this.#layers.find(({ values }) => Object.hasOwn(values, key)) ?? this.#layers[0] ?? empty;
  }
}

function pathIn({ path }: Layer, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isTable(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
