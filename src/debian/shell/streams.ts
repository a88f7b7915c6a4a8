/** What a program reads: text with a character for each byte. */
export class Input {
  readonly #text: string;
  #at = 0;

  constructor(text = "") {
    this.#text = text;
  }

  all(): string {
    const rest = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return rest;
  }

  /** A line without its end; undefined where there is none. */
  line(): string | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const end = this.#text.indexOf("\n", this.#at);
    const line = this.#text.slice(this.#at, end === -1 ? this.#text.length : end);
    this.#at = end === -1 ? this.#text.length : end + 1;
    return line;
  }
}

export type Output = (text: string) => void;

/** What the numbers of descriptors stand for. */
export interface Streams {
  readonly inputs: ReadonlyMap<number, Input>;
  readonly outputs: ReadonlyMap<number, Output>;
}

export const nowhere: Output = () => {};
