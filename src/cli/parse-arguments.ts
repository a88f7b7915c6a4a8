import { Failure } from "../base/index.ts";
import { parseSize } from "../bytes/index.ts";
import {
  argumentName,
  calledName,
  commandUsage,
  type ArgumentTable,
  type Command,
  type Operand,
  type Option,
  type ValueOption,
} from "./command.ts";
import { nearestWord } from "./suggestion.ts";

/**
 * The arguments that the words spell, or `"help"` where help is asked for. Options may stand anywhere, also
 * after operands; `--` ends them; `-` is an operand. Throws a `usage` failure that says what is wrong.
 */
export function parseArguments(command: Command, words: readonly string[]): ArgumentTable | "help" {
  const parser = new Parser(command);
  return parser.read(words) ? parser.arguments() : "help";
}

/** An option together with how the user wrote it. */
interface FoundOption {
  readonly name: string;
  readonly option: Option;
  readonly written: string;
}

class Parser {
  readonly #command: Command;
  readonly #operands: string[] = [];
  readonly #values = new Map<string, unknown[]>();
  #words: readonly string[] = [];
  #at = 0;

  constructor(command: Command) {
    this.#command = command;
  }

  /** False where the words ask for help. */
  read(words: readonly string[]): boolean {
    this.#words = words;
    for (this.#at = 0; this.#at < words.length;) {
      const word = words[this.#at++] ?? "";
      if (word === "--help" || word === "-h") return false;
      if (word === "--") {
        this.#operands.push(...words.slice(this.#at));
        break;
      }
      if (this.#command.operandPattern?.test(word) === true) this.#operands.push(word);
      else if (word.startsWith("--")) this.#readLong(word);
      else if (word.startsWith("-") && word !== "-") {
        if (!this.#readShorts(word)) return false;
      } else this.#operands.push(word);
    }
    return true;
  }

  arguments(): ArgumentTable {
    const table = this.#operandArguments();
    for (const [name, option] of Object.entries(this.#command.options)) {
      table[argumentName(name)] = this.#optionArgument(name, option);
    }
    return table;
  }

  #readLong(word: string): void {
    const equals = word.indexOf("=");
    const written = equals < 0 ? word : word.slice(0, equals);
    const name = written.slice(2);
    if (name === "help") throw this.#usage(`cannot use "${word}": --help takes no value`);
    const option = this.#command.options[name];
    if (option === undefined || !Object.hasOwn(this.#command.options, name)) throw this.#unknownOption(written);
    const found = { name, option, written };
    if (option.kind === "flag") {
      if (equals >= 0) throw this.#usage(`cannot use "${word}": ${written} takes no value`);
      this.#keep(name, true);
    } else this.#keepValue({ ...found, option }, equals < 0 ? this.#nextWord(found) : word.slice(equals + 1));
  }

  /** `-l`, `-lR`, `-s4GB`, `-s 4GB`. False where help is asked for. */
  #readShorts(word: string): boolean {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      if (letter === "h" && at === word.length - 1) return false;
      const written = `-${letter}`;
      const entry = Object.entries(this.#command.options).find(([, option]) => option.short === letter);
      if (entry === undefined) throw this.#unknownOption(written);
      const [name, option] = entry;
      if (option.kind === "flag") {
        this.#keep(name, true);
        continue;
      }
      const rest = word.slice(at + 1);
      const found = { name, option, written };
      this.#keepValue(found, rest === "" ? this.#nextWord(found) : rest.replace(/^=/, ""));
      break;
    }
    return true;
  }

  #nextWord({ option, written }: FoundOption): string {
    const word = this.#words[this.#at++];
    if (word !== undefined) return word;
    const value = option.kind === "flag" ? "" : option.value;
    throw this.#usage(`cannot use "${written}" without its value ${value}`);
  }

  #keepValue(found: FoundOption & { readonly option: ValueOption }, text: string): void {
    const { name, option, written } = found;
    if (option.repeatable !== true && this.#values.has(name)) {
      throw this.#usage(`cannot use "${written} ${text}": ${written} was given before`);
    }
    this.#keep(name, parseValue(option, written, text));
  }

  #keep(name: string, value: unknown): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
  }

  #optionArgument(name: string, option: Option): unknown {
    const values = this.#values.get(name);
    if (option.kind === "flag") return values !== undefined;
    if (values === undefined && option.required === true) {
      throw this.#usage(`cannot run "${calledName(this.#command)}": --${name} ${option.value} is missing`);
    }
    if (option.repeatable === true) return values ?? [];
    return values?.[0] ?? option.default;
  }

  #operandArguments(): Record<string, unknown> {
    const table: Record<string, unknown> = {};
    const running = `cannot run "${calledName(this.#command)}"`;
    let rest: readonly string[] = this.#operands;
    for (const [name, operand] of Object.entries(this.#command.operands)) {
      const isOne = operand.arity === "one" || operand.arity === "optional";
      const isRequired = operand.arity === "one" || operand.arity === "one-or-more";
      if (isRequired && rest.length === 0) throw this.#usage(`${running}: ${name.toUpperCase()} is missing`);
      const taken = rest.slice(0, isOne ? 1 : rest.length).map((word) => parseOperand(name, operand, word));
      table[argumentName(name)] = isOne ? taken[0] : taken;
      rest = rest.slice(taken.length);
    }
    if (rest.length > 0) throw this.#usage(`${running}: it has no use for "${rest.join(" ")}"`);
    return table;
  }

  #unknownOption(written: string): Failure {
    const names = ["help", ...Object.keys(this.#command.options)];
    const near = written.startsWith("--") ? nearestWord(written.slice(2), names) : undefined;
    const command = calledName(this.#command);
    return new Failure("usage", `cannot use "${written}": "${command}" has no such option`, {
      hint: near === undefined ? `"${command} --help" lists the options` : `did you mean --${near}?`,
    });
  }

  #usage(message: string): Failure {
    return new Failure("usage", message, { hint: `usage: ${commandUsage(this.#command)}` });
  }
}

function parseValue(option: ValueOption, written: string, text: string): unknown {
  if (option.kind === "string") return option.parse === undefined ? text : option.parse(text);
  if (option.kind === "size") return option.words?.includes(text) === true ? text : parseSize(text);
  if (option.kind === "number") return parseNumber(option, written, text);
  return chosenWord(option.choices, text, `${written} ${text}`);
}

function parseOperand(name: string, operand: Operand, text: string): unknown {
  // As from an unset variable in quotes: it would be taken for a file without a name.
  if (text === "") throw new Failure("usage", `cannot use "" as ${name.toUpperCase()}: it is empty`);
  if (operand.choices !== undefined) return chosenWord(operand.choices, text, text);
  return operand.parse === undefined ? text : operand.parse(text);
}

function chosenWord(choices: readonly string[], text: string, written: string): string {
  if (choices.includes(text)) return text;
  const near = nearestWord(text, choices);
  throw new Failure(
    "usage",
    `cannot use "${written}": it is one of ${choices.join(", ")}`,
    near === undefined
      ? {}
      : {
          hint: `did you mean ${near}?`,
        },
  );
}

function parseNumber(limits: { readonly minimum: number; readonly maximum: number }, written: string, text: string) {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= limits.minimum && value <= limits.maximum) return value;
  throw new Failure(
    "usage",
    `cannot use "${written} ${text}": a whole number from ${limits.minimum} to ${limits.maximum} is needed`,
  );
}
