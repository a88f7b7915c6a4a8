/** A word of a script of GRUB, in pieces: variables are put in where it is run. */
export type GrubWord = readonly GrubPiece[];
type GrubPiece = { readonly text: string } | { readonly variable: string };

/** A line's words, or one of the characters that divide commands. */
export type GrubToken = { readonly word: GrubWord } | { readonly mark: ";" | "{" | "}" };

const plainCharacter = /[^\s;{}"'\\$#]/;
const variablePattern = /\$(?:\{([^}\n]*)\}|([A-Za-z_]\w*|[0-9@#?*]))/y;

/** The tokens of a script (GRUB manual, "Shell-like scripting"): a line's end is a `;`. */
export function grubTokens(text: string): GrubToken[] {
  return new Lexer(text).tokens();
}

class Lexer {
  readonly #text: string;
  #at = 0;
  readonly #tokens: GrubToken[] = [];
  #word: GrubPiece[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): GrubToken[] {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] as string);
    this.#endWord();
    this.#tokens.push({ mark: ";" });
    return this.#tokens;
  }

  #step(character: string): void {
    if (character === "'") this.#singleQuoted();
    else if (character === '"') this.#doubleQuoted();
    else if (character === "\\") this.#escaped();
    else if (character === "$") this.#variable();
    else if (character === "#" && this.#word === undefined) this.#comment();
    else if (character === "\n" || character === ";") this.#mark(";");
    else if (character === "{" || character === "}") this.#mark(character);
    else if (/\s/.test(character)) this.#pass(() => this.#endWord());
    else this.#plain();
  }

  #plain(): void {
    const start = this.#at;
    while (this.#at < this.#text.length && plainCharacter.test(this.#text[this.#at] as string)) this.#at++;
    if (this.#at === start) this.#at++; // a # inside a word
    this.#add({ text: this.#text.slice(start, this.#at) });
  }

  #singleQuoted(): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    const last = end < 0 ? this.#text.length : end;
    this.#add({ text: this.#text.slice(this.#at + 1, last) });
    this.#at = last + 1;
  }

  #doubleQuoted(): void {
    this.#add({ text: "" });
    for (this.#at++; this.#at < this.#text.length && this.#text[this.#at] !== '"';) {
      if (this.#text[this.#at] === "$") this.#variable();
      else if (/\\[$"\\\r\n]/y.test(this.#text.slice(this.#at, this.#at + 2))) this.#escaped();
      else {
        const start = this.#at++; // it may be a backslash that stands for itself
        while (this.#at < this.#text.length && !/["$\\]/.test(this.#text[this.#at] as string)) this.#at++;
        this.#add({ text: this.#text.slice(start, this.#at) });
      }
    }
    this.#at++;
  }

  #escaped(): void {
    const next = this.#text.slice(this.#at + 1, this.#at + 3);
    // Red Hat's GRUB, for which such menus are written, leaves these to the kernel's command line.
    const code = /\\x[\da-f]{2}/iy.exec(this.#text.slice(this.#at, this.#at + 4))?.[0];
    if (code !== undefined) {
      this.#add({ text: code });
      this.#at += code.length;
    } else if (next.startsWith("\n")) this.#at += 2;
    else if (next === "\r\n") this.#at += 3;
    else {
      this.#add({ text: next.slice(0, 1) });
      this.#at += 2;
    }
  }

  #variable(): void {
    variablePattern.lastIndex = this.#at;
    const match = variablePattern.exec(this.#text);
    if (match === null) {
      this.#add({ text: "$" });
      this.#at++;
      return;
    }
    this.#add({ variable: match[1] ?? match[2] ?? "" });
    this.#at = variablePattern.lastIndex;
  }

  #comment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #mark(mark: ";" | "{" | "}"): void {
    this.#pass(() => {
      this.#endWord();
      this.#tokens.push({ mark });
    });
  }

  #pass(action: () => void): void {
    action();
    this.#at++;
  }

  #add(piece: GrubPiece): void {
    (this.#word ??= []).push(piece);
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#tokens.push({ word: this.#word });
    this.#word = undefined;
  }
}
