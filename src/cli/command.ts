import type { Output } from "./output.ts";

/**
 * A command is data: what it is called, what words it takes, what it says of itself, and what it runs. Usage
 * errors, help, the reference, man pages and shell completion all come from it.
 */

interface OptionBase {
  /** One letter, for `-l`. */
  readonly short?: string;
  /** What it does: a phrase without a full stop. */
  readonly help: string;
}

/** `--force`: there or not there. */
interface FlagOption extends OptionBase {
  readonly kind: "flag";
}

interface ValueOptionBase<Value> extends OptionBase {
  /** How the value is called in help: `SIZE`. */
  readonly value: string;
  /** The command cannot run without it. */
  readonly required?: true;
  /** May be given several times; all values are kept, in their order. */
  readonly repeatable?: true;
  /** What stands for it when it is not given. */
  readonly default?: Value;
}

/** `--label root`. With `parse` the command gets what the text means. */
interface StringOption extends ValueOptionBase<string> {
  readonly kind: "string";
  readonly parse?: (text: string) => unknown;
}

/** `--size 4GB`, in bytes; or one of a few words, such as `auto`. */
interface SizeOption extends ValueOptionBase<number> {
  readonly kind: "size";
  readonly words?: readonly string[];
}

/** A whole number between two limits. */
interface NumberOption extends ValueOptionBase<number> {
  readonly kind: "number";
  readonly minimum: number;
  readonly maximum: number;
}

/** One word of several. */
interface ChoiceOption extends ValueOptionBase<string> {
  readonly kind: "choice";
  readonly choices: readonly string[];
}

export type ValueOption = StringOption | SizeOption | NumberOption | ChoiceOption;
export type Option = FlagOption | ValueOption;

/** A word that belongs to no option. Its key in capitals is its name in help. */
export interface Operand {
  readonly arity: "one" | "optional" | "one-or-more" | "any-number";
  readonly help: string;
  /** The only words that it may be. */
  readonly choices?: readonly string[];
  readonly parse?: (text: string) => unknown;
}

export type OptionTable = Readonly<Record<string, Option>>;
export type OperandTable = Readonly<Record<string, Operand>>;

export interface Example {
  /** A whole command line, as it would be typed. */
  readonly line: string;
  readonly help: string;
}

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type Parsed<Declared> = Declared extends { readonly parse: (text: string) => infer Value }
  ? Value
  : Declared extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : string;

type ValueOf<Declared> = Declared extends { readonly kind: "size"; readonly words: readonly (infer Word)[] }
  ? number | Word
  : Declared extends { readonly kind: "size" | "number" }
    ? number
    : Parsed<Declared>;

type OptionValue<Declared> = Declared extends { readonly kind: "flag" }
  ? boolean
  : Declared extends { readonly repeatable: true }
    ? readonly ValueOf<Declared>[]
    : Declared extends { readonly required: true } | { readonly default: string | number }
      ? ValueOf<Declared>
      : ValueOf<Declared> | undefined;

type OperandValue<Declared extends Operand> = Declared["arity"] extends "one"
  ? Parsed<Declared>
  : Declared["arity"] extends "optional"
    ? Parsed<Declared> | undefined
    : readonly Parsed<Declared>[];

/** What `run` gets: `--dry-run` as `dryRun`, the operand FILE as `file`, each of the type that its declaration says. */
export type Arguments<Operands extends OperandTable, Options extends OptionTable> = {
  readonly [Name in keyof Operands & string as CamelCase<Name>]: OperandValue<Operands[Name]>;
} & {
  readonly [Name in keyof Options & string as CamelCase<Name>]: OptionValue<Options[Name]>;
};

/** Arguments of any command, once the types of its declaration no longer matter. */
export type ArgumentTable = Readonly<Record<string, unknown>>;

/** A term and what it means: one row of help. */
export interface Described {
  readonly term: string;
  readonly text: string;
}

export interface CommandText {
  /** What is typed after `holdfast`: `["disk", "create"]`. */
  readonly words: readonly string[];
  /** What messages call it where that is not `holdfast disk create`. */
  readonly calledAs?: string;
  /** One line without a full stop, beginning in lower case. */
  readonly summary: string;
  /** Paragraphs, separated by an empty line. */
  readonly description?: string;
  /** Terms of its own to be explained, such as the keys of a partition. */
  readonly terms?: { readonly heading: string; readonly rows: readonly Described[] };
  readonly examples: readonly Example[];
  /** Words that look like options and are operands, such as the `-x` of `chmod -x`. */
  readonly operandPattern?: RegExp;
}

interface CommandDeclaration<Operands extends OperandTable, Options extends OptionTable> extends CommandText {
  readonly operands: Operands;
  readonly options: Options;
  run(context: CommandContext, args: Arguments<Operands, Options>): Promise<void>;
}

export interface Command extends CommandText {
  readonly operands: OperandTable;
  readonly options: OptionTable;
  run(context: CommandContext, args: ArgumentTable): Promise<void>;
}

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

/** Commands in the order in which help shows them. */
export interface CommandIndex {
  readonly groups: readonly CommandGroup[];
  readonly entries: readonly CommandEntry[];
}

/** The world as a command sees it: nothing else of the process is touched by one. */
export interface CommandContext {
  /** For results. */
  readonly stdout: Output;
  /** For messages and progress. */
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Given when the user interrupts. */
  readonly signal: AbortSignal;
  /** Runs another program in this terminal: what is typed there, Ctrl-C too, is meant for that program meanwhile. */
  readonly lendTerminal: <T>(work: () => Promise<T>) => Promise<T>;
  /** All that this program can be told to do. */
  readonly commands: CommandIndex;
}

/** Declares a command; the types of the arguments of `run` follow from the operands and options declared. */
export function defineCommand<const Operands extends OperandTable, const Options extends OptionTable>(
  declaration: CommandDeclaration<Operands, Options>,
): Command {
  return {
    ...declaration,
    run: (context, args) => declaration.run(context, args as Arguments<Operands, Options>),
  };
}

/** For every command that reports. */
export const jsonOption = { kind: "flag", help: "print one JSON document instead of text" } as const;

/** For every command that deletes, or writes to a device; its help says more. */
export const dryRunOption = { kind: "flag", short: "n", help: "say what would be done, and do nothing" } as const;

/** The command as it is typed: `holdfast disk create`. */
export function commandName(words: readonly string[]): string {
  return ["holdfast", ...words].join(" ");
}

/** How messages call a command. */
export function calledName({ calledAs, words }: Pick<CommandText, "calledAs" | "words">): string {
  return calledAs ?? commandName(words);
}

/** The name under which `run` gets an option or operand: `dry-run` is `dryRun`. */
export function argumentName(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** `FILE`, `[FILE]`, `FILE…`, `[FILE]…` */
export function operandUsage(name: string, operand: Operand): string {
  const shown = name.toUpperCase();
  if (operand.arity === "optional") return `[${shown}]`;
  if (operand.arity === "any-number") return `[${shown}]…`;
  return operand.arity === "one-or-more" ? `${shown}…` : shown;
}

/** `holdfast disk create FILE --size SIZE [options]` */
export function commandUsage(command: Command): string {
  const operands = Object.entries(command.operands).map(([name, operand]) => operandUsage(name, operand));
  const required = Object.entries(command.options)
    .filter(([, option]) => option.kind !== "flag" && option.required === true)
    .map(([name, option]) => optionUsage(name, option));
  const hasOthers = Object.keys(command.options).length > required.length;
  return [calledName(command), ...operands, ...required, ...(hasOthers ? ["[options]"] : [])].join(" ");
}

/** `--size SIZE`, `--force` */
export function optionUsage(name: string, option: Option): string {
  return option.kind === "flag" ? `--${name}` : `--${name} ${option.value}`;
}
