import * as fs from "node:fs";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";

/** From a name, or an address, in lower case to what it stands for: names and addresses of this machine. */
export type Aliases = ReadonlyMap<string, readonly string[]>;

export const aliasesLimitBytes = 2 ** 20;
const longestName = 254;

/**
 * The classic file: `name: target, target`, lines that begin with a blank belong to the one before, `#` begins a comment.
 * Only names and addresses can be targets; what would run a program or write a file is refused, with its line.
 */
export function parseAliases(text: string, file: string): Aliases {
  const aliases = new Map<string, readonly string[]>();
  for (const { line, number } of logicalLines(text)) {
    const complain = (what: string): Failure => {
      return new Failure("usage", `cannot use "${file}": line ${number}: ${what}`, {
        hint: "an alias is written NAME: TARGET, TARGET, where targets are names or addresses of this machine",
      });
    };
    const match = /^("(?:[^"\\]|\\.)*"|[^":\s][^":]*?)\s*:(.*)$/s.exec(line);
    if (match === null) throw complain(`"${line}" is no alias`);
    const name = plain(match[1] ?? "");
    const targets = (match[2] ?? "").split(",").map((target) => plain(target.trim()));
    if (!isName(name)) throw complain(`"${name}" is not a name`);
    if (aliases.has(name)) throw complain(`"${name}" is there twice`);
    for (const target of targets) {
      if (!isName(target)) throw complain(`"${target}" cannot be a target`);
    }
    aliases.set(name, targets);
  }
  return aliases;
}

function logicalLines(text: string): readonly { readonly line: string; readonly number: number }[] {
  const lines: { line: string; number: number }[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trimEnd();
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const last = lines.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last.line += ` ${line.trim()}`;
    else lines.push({ line: line.trim(), number: index + 1 });
  }
  return lines;
}

function plain(word: string): string {
  const inner = word.startsWith('"') && word.endsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, "$1") : word;
  return inner.toLowerCase();
}

function isName(word: string): boolean {
  return word.length <= longestName && /^[^\s@:|/\\"<>(),;%!]+(@[^\s@:|/\\"<>(),;%!]+)?$/.test(word);
}

/** The aliases of a file, read again when it has changed; none where there is no file. */
export class AliasesFile {
  readonly #file: string;
  #mark = "";
  #aliases: Aliases = new Map();

  constructor(file: string) {
    this.#file = file;
  }

  read(): Aliases {
    try {
      const { ino, size, mtimeMs } = fs.statSync(this.#file);
      const mark = `${ino} ${size} ${mtimeMs}`;
      if (mark === this.#mark) return this.#aliases;
      if (size > aliasesLimitBytes) throw new Failure("refused", `cannot use "${this.#file}": it is too large`);
      this.#aliases = parseAliases(fs.readFileSync(this.#file, "utf8"), this.#file);
      this.#mark = mark;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return new Map();
      if (error instanceof Failure) throw error;
      throw new Failure("failed", `cannot read "${this.#file}": ${systemReason(error)}`, { cause: error });
    }
    return this.#aliases;
  }
}
