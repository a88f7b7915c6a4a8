import { Failure } from "../base/index.ts";
import { commandName, type Command, type CommandEntry, type CommandGroup, type CommandIndex } from "./command.ts";
import { nearestWord } from "./suggestion.ts";

/** What the first words of a command line name, and the words after them. */
export type FoundWords =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] }
  | { readonly kind: "group"; readonly group: CommandGroup; readonly rest: readonly string[] };

/** Finds the command or group that words name. Throws a `usage` failure with a suggestion where there is none. */
export function findCommand(index: CommandIndex, words: readonly string[]): FoundWords {
  const [first = "", second] = words;
  const single = index.entries.find((entry) => entry.words.length === 1 && entry.words[0] === first);
  if (single !== undefined) return { kind: "command", entry: single, rest: words.slice(1) };
  const group = index.groups.find(({ name }) => name === first);
  if (group === undefined) throw unknownCommand([first], firstWords(index));
  const rest = words.slice(1);
  if (second === undefined || second === "--help" || second === "-h") return { kind: "group", group, rest };
  const entry = entriesOf(index, group).find((candidate) => candidate.words[1] === second);
  if (entry !== undefined) return { kind: "command", entry, rest: words.slice(2) };
  throw unknownCommand([first, second], verbsOf(index, group));
}

export function entriesOf(index: CommandIndex, group: CommandGroup): readonly CommandEntry[] {
  return index.entries.filter(({ words }) => words.length > 1 && words[0] === group.name);
}

/** The second words of a group: `create`, `show`, … */
export function verbsOf(index: CommandIndex, group: CommandGroup): readonly string[] {
  return entriesOf(index, group).map(({ words }) => words[1] ?? "");
}

/** Every command, loaded: for the reference and for completion. */
export function loadAll(index: CommandIndex): Promise<readonly Command[]> {
  return Promise.all(index.entries.map((entry) => entry.load()));
}

/** Everything that may come first on a command line. */
function firstWords(index: CommandIndex): readonly string[] {
  return [...new Set(index.entries.map(({ words }) => words[0] ?? "")), "help"];
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
