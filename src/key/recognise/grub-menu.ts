import * as posix from "node:path/posix";
import type { Disc } from "./disc.ts";
import { parseGrubScript, type GrubStatement } from "./grub-script.ts";
import type { GrubWord } from "./grub-words.ts";
import { menuDepthLimit, menuEntryLimit, menuFileLimit, type MenuEntry } from "./menu-entry.ts";

/** Whatever a script does, it ends after so many statements. */
const statementLimit = 20_000;
/** So much text of one menu is read, all its files together, each time that one is named. */
const textLimit = 4 * 1024 * 1024;
/** Variables do not grow beyond this. */
const valueLimit = 4096;
/** Menus have some dozen. */
const variableLimit = 500;

type Draft = { -readonly [K in keyof MenuEntry]: MenuEntry[K] };

/** The entries of a menu of GRUB that start kernels, in order. */
export async function readGrubMenu(disc: Disc, path: string): Promise<readonly MenuEntry[]> {
  const runner = new Runner(disc);
  await runner.run(path);
  return runner.entries();
}

/**
 * Runs a menu of GRUB as far as it can be without GRUB: variables, loops over words, conditions on files and
 * variables. Of a condition that cannot be known all branches are taken, so that no entry is missed.
 */
class Runner {
  readonly #found: { readonly entry: MenuEntry; readonly titles: readonly string[] }[] = [];
  readonly #disc: Disc;
  readonly #variables = new Map<string, string>();
  #filesLeft = menuFileLimit;
  /** What earlier branches of a condition that is not known have set. */
  #settled: ReadonlySet<string> = new Set();
  /** What the branch that is run has set. */
  #written = new Set<string>();
  #statementsLeft = statementLimit;
  #textLeft = textLimit;
  /** The entry whose commands are run. */
  #draft: Draft | undefined;
  /** Of the submenus that lead to where it is. */
  readonly #titles: string[] = [];
  #menu = "";

  constructor(disc: Disc) {
    this.#disc = disc;
  }

  /** Titles that are not the only ones of their kind begin with those of as many submenus as tell them apart. */
  entries(): readonly MenuEntry[] {
    const titleAt = (titles: readonly string[], depth: number): string => titles.slice(-depth).join(": ");
    return this.#found.map(({ entry, titles }) => {
      let depth = 1;
      const isShared = (other: readonly string[]): boolean =>
        other !== titles && titleAt(other, depth) === titleAt(titles, depth);
      while (depth < titles.length && this.#found.some((other) => isShared(other.titles))) depth++;
      return { ...entry, title: titleAt(titles, depth) };
    });
  }

  async run(path: string): Promise<void> {
    this.#set("prefix", posix.dirname(path)); // as GRUB has it for its first menu
    await this.runFile(path, 0);
  }

  async runFile(path: string, depth: number): Promise<void> {
    if (depth > menuDepthLimit || this.#filesLeft-- <= 0) return;
    const text = await this.#disc.text(path);
    if (text === undefined || text.length > this.#textLeft) return;
    this.#textLeft -= text.length;
    const menu = this.#menu;
    this.#menu = path;
    await this.#run(parseGrubScript(text), depth);
    this.#menu = menu;
  }

  async #run(statements: readonly GrubStatement[], depth: number): Promise<void> {
    for (const statement of statements) {
      if (this.#statementsLeft-- <= 0 || this.#found.length >= menuEntryLimit) return;
      if (statement.kind === "if") await this.#runConditional(statement.branches, depth);
      else if (statement.kind === "for") {
        for (const word of statement.words.flatMap((one) => this.#expand(one))) {
          this.#set(statement.variable, word);
          await this.#run(statement.body, depth);
        }
      } else await this.#runCommand(statement, depth);
    }
  }

  /** Of branches of which any may be meant, the first to set a variable settles it. */
  async #runConditional(branches: Extract<GrubStatement, { kind: "if" }>["branches"], depth: number): Promise<void> {
    const settled = this.#settled;
    for (const { condition, body } of branches) {
      const isTrue = condition === undefined ? true : await this.#test(condition);
      if (isTrue === false) continue;
      const outer = this.#written;
      this.#written = new Set();
      await this.#run(body, depth);
      if (isTrue === undefined) this.#settled = new Set([...this.#settled, ...this.#written]);
      this.#written = new Set([...outer, ...this.#written]);
      if (isTrue === true) break;
    }
    this.#settled = settled;
  }

  async #runCommand({ words, body }: Extract<GrubStatement, { kind: "command" }>, depth: number): Promise<void> {
    const [command = "", ...rest] = words.flatMap((word) => this.#expand(word));
    const assigned = /^([A-Za-z_]\w*)=(.*)$/s.exec(command === "set" ? (rest[0] ?? "") : command);
    if (assigned !== null) this.#set(assigned[1] ?? "", assigned[2] ?? "");
    else if (body !== undefined) await this.#runBlock(command, rest, body, depth);
    else if (command === "source" || command === "." || command === "configfile") {
      // In an entry it leads to another menu, which is read as part of this one.
      const draft = this.#draft;
      this.#draft = undefined;
      await this.runFile(this.#pathOf(rest[0] ?? ""), depth + 1);
      this.#draft = draft;
    } else this.#addToDraft(command, rest);
  }

  async #runBlock(
    command: string,
    rest: readonly string[],
    body: readonly GrubStatement[],
    depth: number,
  ): Promise<void> {
    if (command === "submenu") {
      this.#titles.push(titleOf(rest));
      await this.#run(body, depth + 1);
      this.#titles.pop();
      return;
    }
    if (command !== "menuentry") return; // a function: it may be called with anything
    const outer = this.#draft;
    this.#draft = {
      title: titleOf(rest),
      kind: "linux",
      kernel: "",
      words: [],
      initrds: [],
      modules: [],
      menu: this.#menu,
    };
    await this.#run(body, depth + 1);
    if (this.#draft.kernel !== "")
      this.#found.push({ entry: this.#draft, titles: [...this.#titles, this.#draft.title] });
    this.#draft = outer;
  }

  #addToDraft(command: string, rest: readonly string[]): void {
    const draft = this.#draft;
    const words = rest.filter((word) => word !== "");
    const [path, ...others] = words[0]?.startsWith("--") === true ? words.slice(1) : words;
    if (draft === undefined || path === undefined) return;
    const kernelKind = kernelCommands[command];
    if (kernelKind !== undefined && draft.kernel === "") {
      draft.kind = kernelKind;
      draft.kernel = this.#pathOf(path);
      draft.words = others;
    } else if (/^initrd(?:efi|16)?$/.test(command) && draft.initrds.length === 0) {
      draft.initrds = [path, ...others].map((one) => this.#pathOf(one.replace(/^newc:[^:]*:/, "")));
    } else if (/^module2?$/.test(command)) {
      draft.modules = [...draft.modules, { path: this.#pathOf(path), words: others }];
    }
  }

  /** True, false, or undefined where only GRUB could tell. */
  async #test(condition: readonly GrubStatement[]): Promise<boolean | undefined> {
    const [statement] = condition;
    if (condition.length !== 1 || statement?.kind !== "command") return undefined;
    const words = statement.words.map((word) => this.#expand(word).join(" "));
    const isBracket = words[0] === "[";
    if (!isBracket && words[0] !== "test") return undefined;
    const [first = "", second = "", third] = words.slice(1, isBracket ? -1 : undefined);
    if (words.length > (isBracket ? 5 : 4)) return undefined;
    if (first === "-z") return this.#isKnown(statement.words) ? second === "" : undefined;
    if (first === "-n") return this.#isKnown(statement.words) ? second !== "" : undefined;
    if (/^-[efsd]$/.test(first)) return (await this.#disc.find(this.#pathOf(second))) !== undefined;
    if (third === undefined || !this.#isKnown(statement.words)) return undefined;
    if (second === "=" || second === "==") return first === third;
    return second === "!=" ? first !== third : undefined;
  }

  /** Whether all variables among the words were set by the script itself. */
  #isKnown(words: readonly GrubWord[]): boolean {
    return words.flat().every((piece) => "text" in piece || this.#variables.has(piece.variable));
  }

  #set(name: string, value: string): void {
    if (name === "" || this.#settled.has(name)) return;
    if (this.#variables.size < variableLimit || this.#variables.has(name)) {
      this.#variables.set(name, value.slice(0, valueLimit));
      this.#written.add(name);
    }
  }

  /** A word; several where it is a variable that holds several; none where what it would be told is not known here. */
  #expand(word: GrubWord): readonly string[] {
    let text = "";
    let isKnown = true;
    for (const piece of word) {
      const value = "text" in piece ? piece.text : this.#variables.get(piece.variable);
      if (value === undefined) isKnown = false;
      text += value ?? "";
      if (text.length > valueLimit) break;
    }
    if (!isKnown && text.endsWith("=")) return [];
    const isBare = word.length === 1 && word[0] !== undefined && "variable" in word[0];
    return isBare ? text.split(/\s+/).filter((part) => part !== "") : [text.slice(0, valueLimit)];
  }

  /** Without the device in front: all is taken to be of the ISO. */
  #pathOf(word: string): string {
    const path = word.replace(/^\([^/]*\)/, "");
    return posix.normalize(path.startsWith("/") ? path : posix.join(posix.dirname(this.#menu), path));
  }
}

const kernelCommands: Readonly<Record<string, MenuEntry["kind"]>> = {
  linux: "linux",
  linuxefi: "linux",
  linux16: "linux16",
  multiboot: "multiboot",
  multiboot2: "multiboot2",
};

/** Options of an entry that have a value behind them (GRUB manual, "menuentry"). */
const valuedOption = /^--(?:class|users|hotkey|id|source)$/;

/** The first word of an entry that is no option, without the dots that lead to and from it. */
function titleOf(words: readonly string[]): string {
  const title = words.find((word, n) => !word.startsWith("--") && !valuedOption.test(words[n - 1] ?? ""));
  return (title ?? "").replaceAll(/^[\s.…]+|[\s.…]+$/g, "");
}
