/** A piece of a pattern: quoted text stands for itself. */
export interface PatternPiece {
  readonly text: string;
  readonly quoted: boolean;
}

/** The source of a regular expression for a shell pattern (XCU 2.13). */
export function patternSource(
  pieces: readonly PatternPiece[],
  options: { readonly isPath?: boolean; readonly isLazy?: boolean } = {},
): string {
  const any = options.isPath === true ? "[^/]" : "[\\s\\S]";
  let source = "";
  for (const { text, quoted } of pieces) {
    for (let at = 0; at < text.length; at++) {
      const character = text.charAt(at);
      if (quoted) source += escaped(character);
      else if (character === "*") source += `${any}*${options.isLazy === true ? "?" : ""}`;
      else if (character === "?") source += any;
      else if (character === "\\" && at + 1 < text.length) source += escaped(text.charAt(++at));
      else if (character === "[") {
        const end = text.indexOf(
          "]",
          text.charAt(at + 1) === "]" || /[!^]\]/.test(text.slice(at + 1, at + 3)) ? at + 3 : at + 1,
        );
        if (end === -1) source += "\\[";
        else {
          source += bracket(text.slice(at + 1, end));
          at = end;
        }
      } else source += escaped(character);
    }
  }
  return source;
}

export function matchesPattern(text: string, pieces: readonly PatternPiece[]): boolean {
  return new RegExp(`^(?:${patternSource(pieces)})$`).test(text);
}

/** Whether there is anything in it that a file name is not. */
export function hasPattern(pieces: readonly PatternPiece[]): boolean {
  return pieces.some(({ text, quoted }) => !quoted && /[*?[]/.test(text));
}

function bracket(inside: string): string {
  const isNegated = /^[!^]/.test(inside);
  const body = (isNegated ? inside.slice(1) : inside)
    .replace(/[\\\]]/g, "\\$&")
    .replaceAll("[:alpha:\\]", "a-zA-Z")
    .replaceAll("[:alnum:\\]", "a-zA-Z0-9")
    .replaceAll("[:space:\\]", "\\s")
    .replaceAll("[:digit:\\]", "0-9")
    .replaceAll("[", "\\[");
  return `[${isNegated ? "^" : ""}${body}]`;
}

function escaped(character: string): string {
  return /[\w\s]/.test(character) ? character : `\\${character}`;
}
