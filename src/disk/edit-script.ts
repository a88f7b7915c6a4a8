import { Failure } from "../base/index.ts";
import { parseOwner, type Edit } from "./edit.ts";
import { parseModeChange } from "./mode-change.ts";

/** A line of a script in words, as a shell would divide it. */
interface ScriptLine {
  readonly number: number;
  readonly words: readonly string[];
  /** What follows after `<<WORD`, up to a line with that word alone. */
  readonly document: string | undefined;
}

/** The flags and words of one line; what it does not know is refused. */
class LineWords {
  readonly words: string[] = [];
  readonly #flags = new Set<string>();
  readonly #verb: string;

  constructor(verb: string, words: readonly string[], known: readonly string[]) {
    this.#verb = verb;
    let isOver = false;
    for (const word of words) {
      if (isOver || word === "-" || !word.startsWith("-")) this.words.push(word);
      else if (word === "--") isOver = true;
      else this.#add(word, known);
    }
  }

  has(flag: string): boolean {
    return this.#flags.has(flag);
  }

  /** Throws unless there are at least so many words, and at most so many where there is a limit. */
  need(least: number, most = Number.POSITIVE_INFINITY): void {
    if (this.words.length >= least && this.words.length <= most) return;
    throw new Failure(
      "usage",
      `"${this.#verb}" has ${this.words.length} words, it needs ${least}${least === most ? "" : " or more"}`,
    );
  }

  #add(word: string, known: readonly string[]): void {
    const flags = word.startsWith("--") ? [word.slice(2)] : word.slice(1).split("");
    for (const flag of flags) {
      if (!known.includes(flag)) throw new Failure("usage", `"${this.#verb}" has no option "${word}"`);
      this.#flags.add(flag);
    }
  }
}

const verbs: Readonly<Record<string, (line: ScriptLine, words: readonly string[]) => Edit>> = {
  put(_, words) {
    const line = new LineWords("put", words, ["unpack", "preserve", "mkdir"]);
    line.need(2);
    return {
      verb: "put",
      sources: line.words.slice(0, -1),
      to: last(line.words),
      unpack: line.has("unpack"),
      preserve: line.has("preserve"),
      makeParents: line.has("mkdir"),
    };
  },
  write: (line, words) => written(line, words, false),
  append: (line, words) => written(line, words, true),
  rm(_, words) {
    const line = new LineWords("rm", words, ["r", "f"]);
    line.need(1);
    return { verb: "rm", paths: line.words, recursive: line.has("r"), force: line.has("f") };
  },
  mkdir(_, words) {
    const line = new LineWords("mkdir", words, ["p"]);
    line.need(1);
    return { verb: "mkdir", paths: line.words, parents: line.has("p") };
  },
  mv(_, words) {
    const line = new LineWords("mv", words, []);
    line.need(2);
    return { verb: "mv", from: line.words.slice(0, -1), to: last(line.words) };
  },
  ln(_, words) {
    const line = new LineWords("ln", words, ["s"]);
    line.need(2, 2);
    const [target = "", path = ""] = line.words;
    return { verb: "ln", target, path, symbolic: line.has("s") };
  },
  chmod(_, [mode = "", ...words]) {
    // A mode such as -x looks like options: it comes first, unless -R does.
    const isRecursive = mode === "-R";
    const line = new LineWords("chmod", isRecursive ? words.slice(1) : words, ["R"]);
    line.need(1);
    const change = parseModeChange(isRecursive ? (words[0] ?? "") : mode);
    return { verb: "chmod", mode: change, paths: line.words, recursive: isRecursive || line.has("R") };
  },
  chown(_, words) {
    const line = new LineWords("chown", words, ["R"]);
    line.need(2);
    const [owner = "", ...paths] = line.words;
    return { verb: "chown", owner: parseOwner(owner), paths, recursive: line.has("R") };
  },
};

function last(words: readonly string[]): string {
  return words.at(-1) ?? "";
}

function written(line: ScriptLine, words: readonly string[], isAppended: boolean): Edit {
  const { words: plain } = new LineWords(isAppended ? "append" : "write", words, []);
  const [path, ...texts] = plain;
  if (path === undefined) throw new Failure("usage", `"${line.words[0] ?? ""}" names no file`);
  const text = line.document ?? (texts.length === 0 ? "" : `${texts.join(" ")}\n`);
  return { verb: "write", path, bytes: Buffer.from(text), isAppended };
}

/**
 * Reads a script of edits: one a line, with the words of the command line and a shell's quotes; `#` begins a
 * comment; `write PATH <<END` takes the lines up to END. Throws `usage` naming the line.
 */
export function parseEditScript(text: string): Edit[] {
  return linesOf(text).map((line) => {
    const [verb = "", ...words] = line.words;
    try {
      const parse = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
      if (parse === undefined) {
        throw new Failure("usage", `there is no "${verb}"`, { hint: `there are ${Object.keys(verbs).join(", ")}` });
      }
      return parse(line, words);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure("usage", `cannot understand line ${line.number} of the script: ${error.message}`, {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
  });
}

function linesOf(text: string): ScriptLine[] {
  const raw = text.split("\n");
  const lines: ScriptLine[] = [];
  for (let n = 0; n < raw.length; n++) {
    const number = n + 1;
    const words = wordsOf((raw[n] ?? "").replace(/\r$/, ""), number);
    const end = /^<<(.+)$/.exec(words.at(-1) ?? "")?.[1];
    if (end !== undefined) {
      const from = n + 1;
      for (n = from; n < raw.length && raw[n] !== end; n++);
      if (n === raw.length)
        throw new Failure("usage", `cannot understand line ${number} of the script: no line ${end} follows`);
      lines.push({
        number,
        words: words.slice(0, -1),
        document: raw
          .slice(from, n)
          .map((one) => `${one}\n`)
          .join(""),
      });
    } else if (words.length > 0) {
      lines.push({ number, words, document: undefined });
    }
  }
  return lines;
}

/** Divides a line as a shell does: at blanks, with '…', "…" and \. */
function wordsOf(line: string, number: number): string[] {
  const words: string[] = [];
  const token = /\s+|#.*|((?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+)|(.)/gy;
  for (const match of line.matchAll(token)) {
    const [whole, word, broken] = match;
    if (broken !== undefined) {
      throw new Failure("usage", `cannot understand line ${number} of the script: a quote is not closed`);
    }
    if (word !== undefined) words.push(unquoted(word));
    else if (whole.startsWith("#")) break;
  }
  return words;
}

function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
    (_, single?: string, double?: string, one?: string) => {
      return single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? one ?? "";
    },
  );
}
