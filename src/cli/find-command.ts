import { Failure } from "../base/index.ts";
import { commandName, type Command, type CommandEntry, type CommandIndex } from "./command.ts";
import { nearestWord } from "./suggestion.ts";

/** What the first words of a command line name, and the words after them. */
export type FoundWords =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] }
  | { readonly kind: "group"; readonly words: readonly string[] };

/** Finds the command or group that words name. Throws a `usage` failure with a suggestion where there is none. */
export function findCommand(index: CommandIndex, words: readonly string[]): FoundWords {
  for (let depth = 1; ; depth++) {
    const named = words.slice(0, depth);
    const inside = entriesBelow(index, named);
    const [entry] = inside;
    if (entry === undefined) throw unknownCommand(named, nextWords(index, named.slice(0, -1)));
    if (entry.words.length === depth) return { kind: "command", entry, rest: words.slice(depth) };
    const next = words[depth];
    if (next === undefined || next === "--help" || next === "-h") return { kind: "group", words: named };
  }
}

/** The commands that begin with some words. */
export function entriesBelow(index: CommandIndex, words: readonly string[]): readonly CommandEntry[] {
  return index.entries.filter((entry) => words.every((word, at) => entry.words[at] === word));
}

/** What may come next after some words: `create`, `show`, … */
export function nextWords(index: CommandIndex, words: readonly string[]): readonly string[] {
  const next = entriesBelow(index, words).flatMap((entry) => entry.words[words.length] ?? []);
  return [...new Set(words.length === 0 ? [...next, "help"] : next)];
}

/** Every command, loaded: for the reference and for completion. */
export function loadAll(index: CommandIndex): Promise<readonly Command[]> {
  return Promise.all(index.entries.map((entry) => entry.load()));
}

function unknownCommand(words: readonly string[], candidates: readonly string[]): Failure {
  const before = words.slice(0, -1);
  const near = nearestWord(words.at(-1) ?? "", candidates);
  return new Failure("usage", `cannot run "${commandName(words)}": there is no such command`, {
    hint:
      near === undefined
        ? `"${commandName(before)} --help" lists the commands`
        : `did you mean "${commandName([...before, near])}"?`,
  });
}
