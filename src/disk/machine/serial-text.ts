/** What is kept to be searched; a line that says what is wrong is shorter. */
const keptLength = 8192;

/**
 * What cannot be seen: colours, cursor movements, window titles (ECMA-48 §5.4, §5.6), characters that only steer.
 * Written in the words of Unicode, for an expression may not hold control characters themselves.
 */
const escape = String.raw`\u{1B}`;
const control = String.raw`\[[0-?]*[ -\/]*`;
const command = String.raw`\][^\u{7}\u{1B}]*`;
const unseen = new RegExp(
  String.raw`${escape}(?:${control}[@-~]|${command}(?:\u{7}|${escape}\\)|[ -\/]*[0-~])|[\0-\u{9}\u{B}-\u{1A}\u{7F}]`,
  "gu",
);
/** One of these that has not come to its end yet. */
const unfinished = new RegExp(String.raw`${escape}(?:${control}|${command}${escape}?|[ -\/]*)$`, "u");

/** What a serial port says, as a person would read it: pieces come in, texts are looked for across them. */
export class SerialText {
  readonly #decoder = new TextDecoder();
  /** Not yet known to be seen or unseen. */
  #pending = "";
  #seen = "";

  /** Gives what can be seen of it; what may be the beginning of something unseen comes with a later piece. */
  add(bytes: Uint8Array): string {
    const text = this.#pending + this.#decoder.decode(bytes, { stream: true });
    const cut = unfinished.exec(text)?.index ?? text.length;
    this.#pending = text.length - cut > keptLength ? "" : text.slice(cut);
    const seen = text.slice(0, cut).replaceAll(unseen, "");
    this.#seen = (this.#seen + seen).slice(-keptLength);
    return seen;
  }

  /** Whether the text is among what was said last. */
  has(text: string): boolean {
    return this.#seen.includes(text);
  }

  /** The last line with something in it; empty where there is none. */
  get lastLine(): string {
    return this.#seen.trimEnd().split("\n").at(-1)?.trim() ?? "";
  }
}
