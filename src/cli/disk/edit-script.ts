import { Failure } from "../../base/index.ts";
import type { PlannedEdit } from "../../disk/index.ts";
import type { Command } from "../command.ts";
import { parseArguments } from "../parse-arguments.ts";
import type { FilePlace } from "../place-in-image.ts";
import { nearestWord } from "../suggestion.ts";
import { chmod } from "./chmod.ts";
import { chown } from "./chown.ts";
import type { EditVerb } from "./edit-command.ts";
import { ln } from "./ln.ts";
import { mkdir } from "./mkdir.ts";
import { mv } from "./mv.ts";
import { put } from "./put.ts";
import { rm } from "./rm.ts";
import { atLine, scriptLines, type ScriptLine } from "./script-lines.ts";

const verbs: ReadonlyMap<string, EditVerb> = new Map(Object.entries({ put, rm, mkdir, mv, ln, chmod, chown }));
const writingVerbs = ["write", "append"] as const;

/** `write` and `append` are of scripts only: on a command line there is put. */
const writing: Omit<Command, "words" | "summary"> = {
  operands: { path: { arity: "one", help: "" }, text: { arity: "any-number", help: "" } },
  options: {},
  examples: [],
  run: async () => {},
};

/**
 * The edits that a script asks for. A line is a verb with the words and options of `holdfast disk VERB`, paths of
 * the image without its name; `write PATH` and `append PATH` take the rest of the line, or after `<<END` the lines up
 * to `END`. Throws `usage` that begins with the line.
 */
export function parseEditScript(script: string): PlannedEdit[] {
  return [...scriptLines(script)].map((line) => {
    const origin = `line ${line.number}`;
    try {
      return { edit: editOf(line), origin };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw atLine(line.number, error.message, error.hint);
    }
  });
}

function editOf(line: ScriptLine): PlannedEdit["edit"] {
  const [word = "", ...words] = line.words;
  const writingVerb = writingVerbs.find((one) => one === word);
  if (writingVerb !== undefined) return writeEditOf(writingVerb, words, line.text);
  const verb = verbs.get(word);
  if (verb === undefined) throw unknownVerb(word);
  if (line.text !== undefined) {
    throw new Failure("usage", `cannot run "${word}": it takes no text after <<`, { hint: "write and append do" });
  }
  const args = parseArguments(verb.line, words);
  if (args === "help") throw new Failure("usage", `cannot run "${word}": a script cannot ask for help`);
  return verb.plan(args, pathInImage).edit;
}

function writeEditOf(verb: "write" | "append", words: readonly string[], text: string | undefined) {
  const args = parseArguments({ ...writing, words: [verb], summary: "", calledAs: verb }, words);
  if (args === "help") throw new Failure("usage", `cannot run "${verb}": a script cannot ask for help`);
  const { path } = pathInImage(String(args["path"]));
  const given = (args["text"] as readonly string[]).join(" ");
  if (given !== "" && text !== undefined) {
    throw new Failure("usage", `cannot run "${verb}": text stands both on the line and after it`);
  }
  return { verb, path, bytes: Buffer.from(text ?? (given === "" ? "" : `${given}\n`)) };
}

/** In a script the image is known: a path is only a path. */
function pathInImage(text: string): FilePlace {
  if (text.startsWith("/")) return { image: "", path: text };
  throw new Failure("usage", `cannot use "${text}" as a path of the image: it does not begin with /`);
}

function unknownVerb(word: string): Failure {
  const known = [...verbs.keys(), ...writingVerbs];
  const near = nearestWord(word, known);
  return new Failure("usage", `there is no verb "${word}"`, {
    hint: near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`,
  });
}
