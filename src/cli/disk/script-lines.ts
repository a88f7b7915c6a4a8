import { Failure } from "../../base/index.ts";

/** A line of a script, divided as a shell divides it. */
export interface ScriptLine {
  readonly number: number;
  readonly words: readonly string[];
  /** The lines that follow after `<<END`, up to a line that is only `END`. */
  readonly text: string | undefined;
}

interface Word {
  readonly value: string;
  /** As it stands in the script, quotes and all. */
  readonly raw: string;
}

/** Divides a script into lines of words: `#` begins a comment. Throws `usage` naming the line. */
export function* scriptLines(script: string): Generator<ScriptLine> {
  const rows = script.replace(/\n$/, "").split("\n");
  for (let at = 0; at < rows.length; at++) {
    const number = at + 1;
    const words = wordsOf((rows[at] ?? "").replace(/\r$/, ""), number);
    if (words.length === 0) continue;
    const end = endOf(words, number);
    if (end === undefined) {
      yield { number, words: words.map(({ value }) => value), text: undefined };
      continue;
    }
    const from = at + 1;
    for (at = from; at < rows.length && rows[at] !== end; at++);
    if (at === rows.length) throw atLine(number, `no line "${end}" follows`);
    const text = rows
      .slice(from, at)
      .map((row) => `${row}\n`)
      .join("");
    yield { number, words: words.slice(0, -1).map(({ value }) => value), text };
  }
}

/** A failure of a line: `line 7: …`. */
export function atLine(number: number, message: string, hint?: string): Failure {
  return new Failure("usage", `line ${number}: ${message}`, hint === undefined ? {} : { hint });
}

/** What ends the text that a line is followed by; undefined where none follows. */
function endOf(words: readonly Word[], number: number): string | undefined {
  const raw = words.at(-1)?.raw ?? "";
  if (!raw.startsWith("<<")) return undefined;
  const end = /^<<('?)([^'"\\\s]+)\1$/.exec(raw)?.[2];
  if (end !== undefined) return end;
  throw atLine(number, `"${raw}" names no end of the text`, "write <<END, and END alone on the line after the text");
}

/** Divides a line at blanks, with '…', "…" and \ as in a shell. Nothing is expanded. */
function wordsOf(row: string, number: number): Word[] {
  const words: Word[] = [];
  const token = /\s+|#.*|((?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+)|(.)/gsy;
  for (const [whole, word, broken] of row.matchAll(token)) {
    if (broken !== undefined) {
      throw atLine(number, broken === "\\" ? "nothing follows the \\ at its end" : "a quote is not closed");
    }
    if (word !== undefined) words.push({ value: unquoted(word), raw: word });
    else if (whole.startsWith("#")) break;
  }
  return words;
}

function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
    (_, single?: string, double?: string, one?: string) => {
      return single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? one ?? "";
    },
  );
}
