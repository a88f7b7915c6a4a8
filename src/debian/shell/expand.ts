import { evaluate } from "./arithmetic.ts";
import type { Shell } from "./interpreter.ts";
import { Leave } from "./leave.ts";
import { hasPattern, patternSource, type PatternPiece } from "./pattern.ts";
import type { Word, WordPart } from "./syntax.ts";

/** A word as one text: no splitting, no names of files. */
export function expandText(shell: Shell, word: Word): string {
  return word.map((part) => pieceOf(shell, part, " ")).join("");
}

/** A word as a pattern. */
export function patternOf(shell: Shell, word: Word): PatternPiece[] {
  return word.map((part) => ({ text: pieceOf(shell, part, " "), quoted: part.quoted }));
}

/** Words as arguments: split where they are not quoted, and patterns as the names that match them. */
export function expandWords(shell: Shell, words: readonly Word[]): string[] {
  return words.flatMap((word) => fieldsOf(shell, word).flatMap((field) => namesOf(shell, field)));
}

function fieldsOf(shell: Shell, word: Word): PatternPiece[][] {
  const fields: PatternPiece[][] = [];
  let current: PatternPiece[] | undefined;
  const separators = shell.valueOf("IFS") ?? " \t\n";
  const end = (): void => {
    if (current !== undefined) fields.push(current);
    current = undefined;
  };
  for (const part of word) {
    if (part.kind === "parameter" && part.name === "@" && part.operator === "") {
      for (const [n, value] of shell.positional.entries()) {
        if (n > 0) end();
        if (part.quoted || value !== "") (current ??= []).push({ text: value, quoted: part.quoted });
      }
      continue;
    }
    const text = pieceOf(shell, part, (shell.valueOf("IFS") ?? " ").slice(0, 1));
    if (part.quoted || part.kind === "text") {
      (current ??= []).push({ text, quoted: part.quoted });
      continue;
    }
    for (const [n, piece] of split(text, separators).entries()) {
      if (n > 0) end();
      if (piece !== undefined) (current ??= []).push({ text: piece, quoted: false });
    }
  }
  end();
  return fields;
}

/** The fields of a text. Undefined stands for none: before the first separator and after the last one. */
function split(text: string, separators: string): (string | undefined)[] {
  const pieces: (string | undefined)[] = [];
  const isBlank = (character: string): boolean => " \t\n".includes(character) && separators.includes(character);
  let piece: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (!separators.includes(character)) {
      piece = (piece ?? "") + character;
      continue;
    }
    pieces.push(isBlank(character) ? piece : (piece ?? ""));
    piece = undefined;
    while (isBlank(character) && at + 1 < text.length && isBlank(text.charAt(at + 1))) at++;
  }
  pieces.push(piece);
  return pieces;
}

function pieceOf(shell: Shell, part: WordPart, joiner: string): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "command":
      return shell.outputOf(part.body);
    case "arithmetic":
      return String(evaluate(expandText(shell, part.expression), (name) => shell.valueOf(name) ?? ""));
    case "parameter":
      return parameterOf(shell, part, joiner);
    default:
      return part satisfies never;
  }
}

function parameterOf(shell: Shell, part: WordPart & { readonly kind: "parameter" }, joiner: string): string {
  const { name, operator, argument } = part;
  const value = plainValue(shell, name, joiner);
  const isMissing = value === undefined || (operator.startsWith(":") && value === "");
  switch (operator.replace(":", "")) {
    case "-":
      return isMissing ? expandText(shell, argument) : value;
    case "+":
      return isMissing ? "" : expandText(shell, argument);
    case "=":
      if (!isMissing) return value;
      shell.assign(name, expandText(shell, argument));
      return shell.valueOf(name) ?? "";
    case "?":
      if (isMissing) throw new Leave("exit", 2);
      return value;
    case "length":
      return String((value ?? "").length);
    case "%":
    case "%%":
    case "#":
    case "##":
      return trimmed(value ?? "", operator, patternOf(shell, argument));
    default:
      if (value === undefined && shell.isNounset) throw new Leave("exit", 2);
      return value ?? "";
  }
}

function plainValue(shell: Shell, name: string, joiner: string): string | undefined {
  switch (name) {
    case "@":
    case "*":
      return shell.positional.length === 0 ? undefined : shell.positional.join(joiner);
    case "#":
      return String(shell.positional.length);
    case "?":
      return String(shell.status);
    case "$":
      return "1000";
    case "0":
      return shell.name;
    case "-":
      return shell.isErrexit ? "e" : "";
    default:
      return /^\d+$/.test(name) ? shell.positional[Number(name) - 1] : shell.valueOf(name);
  }
}

function trimmed(value: string, operator: string, pieces: readonly PatternPiece[]): string {
  const source = patternSource(pieces, { isLazy: operator === "#" });
  if (operator.startsWith("#")) return value.replace(new RegExp(`^(?:${source})`), "");
  const whole = new RegExp(`^(?:${source})$`);
  const starts = Array.from({ length: value.length + 1 }, (_, n) => (operator === "%" ? value.length - n : n));
  const start = starts.find((at) => whole.test(value.slice(at)));
  return start === undefined ? value : value.slice(0, start);
}

/** The files that a pattern names; itself where there are none. */
function namesOf(shell: Shell, field: readonly PatternPiece[]): string[] {
  const plain = field.map(({ text }) => text).join("");
  if (shell.isNoglob || !hasPattern(field)) return [plain];
  const isAbsolute = plain.startsWith("/");
  let found = [isAbsolute ? "/" : ""];
  for (const part of partsOf(field)) {
    const matcher = new RegExp(`^(?:${patternSource(part, { isPath: true })})$`);
    const isHidden = part[0]?.text.startsWith(".") === true;
    found = found.flatMap((folder) => {
      const at = shell.path(folder === "" ? "." : folder);
      if (!hasPattern(part)) {
        const path = folder + part.map(({ text }) => text).join("");
        return shell.tree.find(shell.path(path), false) === undefined ? [] : [`${path}/`];
      }
      if (shell.tree.find(at)?.kind !== "directory") return [];
      const names = shell.tree.names(at).filter((name) => matcher.test(name) && (isHidden || !name.startsWith(".")));
      return names.map((name) => `${folder}${name}/`);
    });
  }
  return found.length === 0 ? [plain] : found.map((path) => path.replace(/\/$/, ""));
}

function partsOf(field: readonly PatternPiece[]): PatternPiece[][] {
  const parts: PatternPiece[][] = [[]];
  for (const { text, quoted } of field) {
    for (const [n, piece] of text.split("/").entries()) {
      if (n > 0) parts.push([]);
      if (piece !== "") parts.at(-1)?.push({ text: piece, quoted });
    }
  }
  return parts.filter((part) => part.length > 0);
}
