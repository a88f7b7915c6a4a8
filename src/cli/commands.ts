import { Failure } from "../base/index.ts";
import { commandName, type Command } from "./command.ts";
import { nearestWord } from "./suggestion.ts";

/** A command by its words; its module is loaded when it is wanted, so that starting stays quick. */
export interface CommandEntry {
  readonly words: readonly string[];
  readonly load: () => Promise<Command>;
}

/** A first word that several commands share. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
}

export const commandGroups: readonly CommandGroup[] = [
  { name: "disk", summary: "an ordinary big file as a hard disk: make it, look inside, take files out" },
];

/** Every command, in the order in which help shows them. */
export const commandEntries: readonly CommandEntry[] = [
  { words: ["disk", "create"], load: async () => (await import("./disk/create.ts")).create },
  { words: ["disk", "show"], load: async () => (await import("./disk/show.ts")).show },
  { words: ["disk", "ls"], load: async () => (await import("./disk/ls.ts")).ls },
  { words: ["disk", "cat"], load: async () => (await import("./disk/cat.ts")).cat },
  { words: ["disk", "get"], load: async () => (await import("./disk/get.ts")).get },
  { words: ["disk", "check"], load: async () => (await import("./disk/check.ts")).check },
  { words: ["tour"], load: async () => (await import("./tour.ts")).tour },
  { words: ["completion"], load: async () => (await import("./completion.ts")).completion },
];

/** What the first words of a command line name, and the words after them. */
export type FoundWords =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] }
  | { readonly kind: "group"; readonly group: CommandGroup; readonly rest: readonly string[] };

/** Finds the command or group that words name. Throws a `usage` failure with a suggestion where there is none. */
export function findCommand(words: readonly string[]): FoundWords {
  const [first = "", second] = words;
  const single = commandEntries.find((entry) => entry.words.length === 1 && entry.words[0] === first);
  if (single !== undefined) return { kind: "command", entry: single, rest: words.slice(1) };
  const group = commandGroups.find(({ name }) => name === first);
  if (group === undefined) throw unknownCommand([first], firstWords());
  if (second === undefined || second.startsWith("-")) return { kind: "group", group, rest: words.slice(1) };
  const entry = entriesOf(group).find((candidate) => candidate.words[1] === second);
  if (entry !== undefined) return { kind: "command", entry, rest: words.slice(2) };
  throw unknownCommand([first, second], verbsOf(group));
}

export function entriesOf(group: CommandGroup): readonly CommandEntry[] {
  return commandEntries.filter(({ words }) => words.length > 1 && words[0] === group.name);
}

/** The second words of a group: `create`, `show`, … */
export function verbsOf(group: CommandGroup): readonly string[] {
  return entriesOf(group).map(({ words }) => words[1] ?? "");
}

/** Everything that may come first on a command line. */
export function firstWords(): readonly string[] {
  return [...new Set(commandEntries.map(({ words }) => words[0] ?? "")), "help"];
}

/** Every command, loaded: for the reference and for completion. */
export function loadAllCommands(): Promise<readonly Command[]> {
  return Promise.all(commandEntries.map((entry) => entry.load()));
}

/** The `usage` failure for words that name no command; `candidates` is what the last of them could be. */
export function unknownCommand(words: readonly string[], candidates: readonly string[]): Failure {
  const before = words.slice(0, -1);
  const near = nearestWord(words.at(-1) ?? "", candidates);
  return new Failure("usage", `cannot run "${commandName(words)}": there is no such command`, {
    hint:
      near === undefined
        ? `"${commandName(before)} --help" lists the commands`
        : `did you mean "${commandName([...before, near])}"?`,
  });
}
