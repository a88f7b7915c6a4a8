import type { ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import { regularExpression } from "./regular-expression.ts";

type Address =
  | { readonly kind: "line"; readonly line: number }
  | { readonly kind: "last" }
  | { readonly kind: "match"; readonly matcher: RegExp };

interface SedCommand {
  readonly from: Address | undefined;
  readonly to: Address | undefined;
  readonly isNegated: boolean;
  readonly name: string;
  readonly matcher?: RegExp;
  readonly replacement?: string;
  readonly isPrinting?: boolean;
  readonly body?: readonly SedCommand[];
  /** Between its two addresses. */
  isInside: boolean;
}

/** sed with `s`, `d`, `p`, `q` and blocks, `-n`, `-e`, `-E`, `-i`. */
export function runSed({ shell, args, input, out }: ProgramCall): number {
  const scripts: string[] = [];
  const words: string[] = [];
  let [isQuiet, isExtended, isInPlace] = [false, false, false];
  for (let n = 0; n < args.length; n++) {
    const word = args[n] ?? "";
    if (word === "-e" || word === "--expression") scripts.push(args[++n] ?? "");
    else if (word.startsWith("-e")) scripts.push(word.slice(2));
    else if (/^-[nErizs]+$/.test(word)) {
      if (word.includes("z") || word.includes("s")) throw new Unsupported(`sed ${word}`);
      isQuiet ||= word.includes("n");
      isExtended ||= /[Er]/.test(word);
      isInPlace ||= word.includes("i");
      if (word === "-ne") scripts.push(args[++n] ?? "");
    } else if (word === "-ne" || word === "-ie") scripts.push(args[++n] ?? "");
    else if (word.startsWith("-") && word !== "-") throw new Unsupported(`sed ${word}`);
    else words.push(word);
  }
  if (scripts.length === 0) scripts.push(words.shift() ?? "");
  const texts = words.length === 0 ? [input.all()] : words.map((path) => shell.readFile(path));
  for (const [n, text] of (isInPlace ? texts : [texts.join("")]).entries()) {
    const commands = new SedParser(scripts.join("\n"), isExtended).commands();
    const edited = edit(text, commands, isQuiet);
    if (isInPlace) shell.writeFile(words[n] ?? "", edited);
    else out(edited);
  }
  return 0;
}

function edit(text: string, commands: readonly SedCommand[], isQuiet: boolean): string {
  const isEnded = text === "" || text.endsWith("\n");
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let made = "";
  for (const [n, line] of lines.entries()) {
    const state = { space: line, line: n + 1, isLast: n === lines.length - 1, printed: "" };
    const outcome = apply(commands, state);
    made += state.printed;
    const isLastHere = state.isLast && !isEnded;
    if (!isQuiet && outcome !== "deleted") made += state.space + (isLastHere ? "" : "\n");
    if (outcome === "quit") break;
  }
  return made;
}

interface LineState {
  space: string;
  readonly line: number;
  readonly isLast: boolean;
  printed: string;
}

function apply(commands: readonly SedCommand[], state: LineState): "done" | "deleted" | "quit" {
  for (const command of commands) {
    if (isSelected(command, state) === command.isNegated) continue;
    switch (command.name) {
      case "d":
        return "deleted";
      case "p":
        state.printed += `${state.space}\n`;
        break;
      case "q":
        return "quit";
      case "{": {
        const outcome = apply(command.body ?? [], state);
        if (outcome !== "done") return outcome;
        break;
      }
      default: {
        const before = state.space;
        state.space = before.replace(command.matcher ?? /$^/, (...found: readonly unknown[]) =>
          substituted(command.replacement ?? "", found),
        );
        if (command.isPrinting === true && state.space !== before) state.printed += `${state.space}\n`;
      }
    }
  }
  return "done";
}

function isSelected(command: SedCommand, state: LineState): boolean {
  const { from, to } = command;
  if (from === undefined) return true;
  if (to === undefined) return matches(from, state);
  if (command.isInside) {
    if (matches(to, state) || (to.kind === "line" && state.line >= to.line)) command.isInside = false;
    return true;
  }
  if (!matches(from, state)) return false;
  command.isInside = !(to.kind === "line" && state.line >= to.line);
  return true;
}

function matches(address: Address, { space, line, isLast }: LineState): boolean {
  if (address.kind === "match") return address.matcher.test(space);
  return address.kind === "last" ? isLast : address.line === line;
}

function substituted(replacement: string, found: readonly unknown[]): string {
  return replacement.replace(/\\(.)|&/gs, (whole, escape?: string) => {
    if (whole === "&") return String(found[0]);
    if (escape !== undefined && /\d/.test(escape)) return (found[Number(escape)] as string | undefined) ?? "";
    return { n: "\n", t: "\t" }[escape ?? ""] ?? escape ?? "";
  });
}

class SedParser {
  readonly #text: string;
  readonly #isExtended: boolean;
  #at = 0;
  #lastPattern = "";

  constructor(text: string, isExtended: boolean) {
    this.#text = text;
    this.#isExtended = isExtended;
  }

  commands(): SedCommand[] {
    const commands: SedCommand[] = [];
    for (;;) {
      this.#skip(/[\s;]*/y);
      if (this.#at >= this.#text.length) return commands;
      if (this.#take("}")) return commands;
      if (this.#skip(/#[^\n]*/y) !== "") continue;
      commands.push(this.#command());
    }
  }

  #command(): SedCommand {
    const from = this.#address();
    this.#skip(/\s*/y);
    const to = from !== undefined && this.#take(",") ? this.#address() : undefined;
    this.#skip(/\s*/y);
    const isNegated = this.#take("!");
    this.#skip(/\s*/y);
    const name = this.#text.charAt(this.#at++);
    const base = { from, to, isNegated, name, isInside: false };
    if (name === "{") return { ...base, body: this.commands() };
    if (name === "d" || name === "p" || name === "q") return base;
    if (name !== "s") throw new Unsupported(`sed ${name}`);
    const delimiter = this.#text.charAt(this.#at++);
    const pattern = this.#upTo(delimiter);
    const replacement = this.#upTo(delimiter);
    const flags = this.#skip(/[gpIi]*/y);
    const matcher = this.#matcher(pattern, `${flags.includes("g") ? "g" : ""}${/i/i.test(flags) ? "i" : ""}`);
    return { ...base, matcher, replacement, isPrinting: flags.includes("p") };
  }

  #address(): Address | undefined {
    this.#skip(/\s*/y);
    const digits = this.#skip(/\d+/y);
    if (digits !== "") return { kind: "line", line: Number(digits) };
    if (this.#take("$")) return { kind: "last" };
    if (this.#take("/")) return { kind: "match", matcher: this.#matcher(this.#upTo("/"), "") };
    if (!this.#take("\\")) return undefined;
    const delimiter = this.#text.charAt(this.#at++);
    return { kind: "match", matcher: this.#matcher(this.#upTo(delimiter), "") };
  }

  /** An empty pattern is the last one again. */
  #matcher(pattern: string, flags: string): RegExp {
    if (pattern !== "") this.#lastPattern = pattern;
    return new RegExp(regularExpression(this.#lastPattern, this.#isExtended ? "extended" : "basic"), flags);
  }

  #upTo(delimiter: string): string {
    let found = "";
    for (; this.#text.charAt(this.#at) !== delimiter; this.#at++) {
      if (this.#at >= this.#text.length) throw new Unsupported("a sed script");
      if (this.#text.charAt(this.#at) === "\\") {
        const next = this.#text.charAt(++this.#at);
        found += next === delimiter ? next : `\\${next}`;
      } else found += this.#text.charAt(this.#at);
    }
    this.#at++;
    return found;
  }

  #take(sign: string): boolean {
    if (this.#text.charAt(this.#at) !== sign) return false;
    this.#at++;
    return true;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }
}
