import { TreeError, type SystemTree } from "../system-tree.ts";
import { builtins } from "./builtins.ts";
import { Leave } from "./leave.ts";
import { expandText, expandWords, patternOf } from "./expand.ts";
import { parseScript } from "./parse.ts";
import { matchesPattern } from "./pattern.ts";
import { Input, nowhere, type Output, type Streams } from "./streams.ts";
import { Unsupported, type Command, type Redirection } from "./syntax.ts";

/** What a program is given. It returns its exit status. */
export interface ProgramCall {
  readonly shell: Shell;
  readonly tree: SystemTree;
  readonly args: readonly string[];
  readonly input: Input;
  readonly out: Output;
  readonly err: Output;
}

export type Program = (call: ProgramCall) => number;

export interface Variable {
  readonly value: string;
  readonly isExported: boolean;
}

const stepLimit = 200_000;
const depthLimit = 60;
const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];

/** Runs shell scripts on a tree of files. What it does not know ends in `Unsupported`, and is for the system itself. */
export class Shell {
  readonly tree: SystemTree;
  readonly programs: ReadonlyMap<string, Program>;
  variables = new Map<string, Variable>();
  functions = new Map<string, Command>();
  positional: readonly string[] = [];
  name = "sh";
  cwd = "/";
  umask = 0o022;
  status = 0;
  isErrexit = false;
  isNounset = false;
  isNoglob = false;
  /** Commands to run when the script ends. */
  exitAction = "";
  streams: Streams;
  /** Values that `local` has hidden, for each function that runs. */
  readonly locals: Map<string, Variable | undefined>[] = [];
  #lenient = 0;
  /** How the last `$(…)` ended: an assignment from it ends so too. */
  #substituted = 0;
  readonly #steps: { count: number };
  readonly #depth: number;

  constructor(tree: SystemTree, programs: ReadonlyMap<string, Program>, parent?: Shell) {
    this.tree = tree;
    this.programs = programs;
    this.#steps = parent === undefined ? { count: 0 } : parent.#steps;
    this.#depth = parent === undefined ? 0 : parent.#depth + 1;
    if (this.#depth > depthLimit) throw new Unsupported("scripts that run scripts without end");
    this.streams = parent?.streams ?? {
      inputs: new Map([[0, new Input()]]),
      outputs: new Map([1, 2].map((descriptor) => [descriptor, nowhere])),
    };
  }

  /** Runs a whole script; gives its exit status. */
  runScript(text: string, name: string, args: readonly string[]): number {
    this.name = name;
    this.positional = args;
    const interpreterOptions = /^#!\s*\S+[ \t]+-(\w+)/.exec(text)?.[1] ?? "";
    if (interpreterOptions.includes("e")) this.isErrexit = true;
    const status = this.untilExit(() => this.run(parseScript(text)));
    if (this.exitAction !== "") this.untilExit(() => this.run(parseScript(this.exitAction)));
    return status;
  }

  /** Runs something up to its end or its `exit`. */
  untilExit(work: () => number): number {
    try {
      return (this.status = work());
    } catch (error) {
      if (!(error instanceof Leave)) throw error;
      return (this.status = error.kind === "exit" || error.kind === "return" ? error.value : this.status);
    }
  }

  valueOf(name: string): string | undefined {
    return this.variables.get(name)?.value;
  }

  assign(name: string, value: string, isExported = this.variables.get(name)?.isExported ?? false): void {
    this.variables.set(name, { value, isExported });
  }

  /** A path from the root. */
  path(path: string): string {
    if (path === "") throw new TreeError("ENOENT", path);
    return path.startsWith("/") ? path : `${this.cwd === "/" ? "" : this.cwd}/${path}`;
  }

  /** Where a program is in the tree. */
  findProgram(name: string): string | undefined {
    if (name.includes("/")) return this.isExecutable(this.path(name)) ? this.path(name) : undefined;
    return searchPath.map((folder) => `${folder}/${name}`).find((path) => this.isExecutable(path));
  }

  isExecutable(path: string): boolean {
    const node = this.tree.find(path);
    return node?.kind === "file" && (node.mode & 0o111) !== 0;
  }

  /** A shell with its own variables, as for `(…)` and `$(…)`. */
  fork(): Shell {
    const child = new Shell(this.tree, this.programs, this);
    child.variables = new Map(this.variables);
    child.functions = new Map(this.functions);
    const { positional, name, cwd, umask, status, isErrexit, isNounset, isNoglob } = this;
    Object.assign(child, { positional, name, cwd, umask, status, isErrexit, isNounset, isNoglob });
    child.#lenient = this.#lenient;
    return child;
  }

  /** What a command prints, as `$(…)` has it. */
  outputOf(body: Command): string {
    let text = "";
    const child = this.fork();
    child.streams = this.#withOutput(1, (piece) => void (text += piece));
    this.status = child.untilExit(() => child.run(body));
    this.#substituted = this.status;
    return text.replace(/\n+$/, "");
  }

  run(command: Command): number {
    if (++this.#steps.count > stepLimit) throw new Unsupported("a script that does not end");
    const before = this.streams;
    try {
      if (command.kind !== "simple" && command.redirections.length > 0) this.redirect(command.redirections);
      return (this.status = this.#runBody(command));
    } finally {
      this.streams = before;
    }
  }

  /** Runs what may fail although `set -e` is on. */
  runLenient(command: Command): number {
    this.#lenient++;
    try {
      return this.run(command);
    } finally {
      this.#lenient--;
    }
  }

  /** Ends the script where `set -e` asks for it. */
  checked(status: number): number {
    if (status !== 0 && this.isErrexit && this.#lenient === 0) throw new Leave("exit", status);
    return status;
  }

  redirect(redirections: readonly Redirection[]): void {
    const inputs = new Map(this.streams.inputs);
    const outputs = new Map(this.streams.outputs);
    for (const { descriptor, operator, target } of redirections) {
      const text = expandText(this, target);
      if (operator === "<<") inputs.set(descriptor, new Input(text));
      else if (operator === "<") inputs.set(descriptor, new Input(this.readFile(text)));
      else if (operator === ">&" || operator === "<&") {
        outputs.set(descriptor, text === "-" ? nowhere : (outputs.get(Number(text)) ?? nowhere));
        const input = inputs.get(Number(text));
        if (operator === "<&" && input !== undefined) inputs.set(descriptor, input);
      } else outputs.set(descriptor, this.#fileOutput(text, operator === ">>"));
    }
    this.streams = { inputs, outputs };
  }

  readFile(path: string): string {
    if (path === "/dev/null") return "";
    return this.tree.read(this.path(path)).toString("latin1");
  }

  writeFile(path: string, text: string): void {
    if (/^\/dev\/(null|tty|console|stderr|stdout)$/.test(path)) return;
    this.tree.write(this.path(path), Buffer.from(text, "latin1"), 0o666 & ~this.umask);
  }

  #fileOutput(path: string, isAppending: boolean): Output {
    if (path.startsWith("/dev/")) return nowhere;
    const start = isAppending && this.tree.find(this.path(path)) !== undefined ? this.readFile(path) : "";
    this.writeFile(path, start);
    return (text) => this.writeFile(path, this.readFile(path) + text);
  }

  #withOutput(descriptor: number, output: Output): Streams {
    return { inputs: this.streams.inputs, outputs: new Map([...this.streams.outputs, [descriptor, output]]) };
  }

  #runBody(command: Command): number {
    switch (command.kind) {
      case "simple":
        return this.checked(this.#runSimple(command));
      case "list": {
        let status = 0;
        for (const one of command.commands) status = this.run(one);
        return status;
      }
      case "both": {
        const left = this.runLenient(command.left);
        return (left === 0) === (command.operator === "&&") ? this.run(command.right) : left;
      }
      case "pipeline":
        return this.#runPipeline(command.commands, command.isNegated);
      case "if":
        for (const { condition, body } of command.clauses) if (this.runLenient(condition) === 0) return this.run(body);
        return command.otherwise === undefined ? 0 : this.run(command.otherwise);
      case "case": {
        const text = expandText(this, command.word);
        const item = command.items.find(({ patterns }) =>
          patterns.some((one) => matchesPattern(text, patternOf(this, one))),
        );
        return item === undefined ? 0 : this.run(item.body);
      }
      case "for":
        return this.#runFor(command);
      case "while":
        return this.#runLoop(command);
      case "function":
        this.functions.set(command.name, command.body);
        return 0;
      case "group":
        return this.run(command.body);
      case "subshell": {
        const child = this.fork();
        return this.checked(child.untilExit(() => child.run(command.body)));
      }
      default:
        return command satisfies never;
    }
  }

  #runPipeline(commands: readonly Command[], isNegated: boolean): number {
    let { streams } = this;
    let status = 0;
    for (const [n, one] of commands.entries()) {
      const isLast = n === commands.length - 1;
      let text = "";
      const child = commands.length === 1 ? this : this.fork();
      const outputs = isLast
        ? streams.outputs
        : new Map([...streams.outputs, [1, (piece: string) => void (text += piece)]]);
      const before = child.streams;
      child.streams = { inputs: streams.inputs, outputs };
      status = child === this ? this.runLenient(one) : child.untilExit(() => child.runLenient(one));
      child.streams = before;
      streams = { inputs: new Map([...streams.inputs, [0, new Input(text)]]), outputs: this.streams.outputs };
    }
    if (isNegated) return Number(status === 0);
    return this.checked(status);
  }

  #runFor({ name, words, body }: Command & { readonly kind: "for" }): number {
    const values = words === undefined ? this.positional : expandWords(this, words);
    let status = 0;
    for (const value of values) {
      this.assign(name, value);
      const step = this.#runStep(body);
      if (step === "end") break;
      status = step;
    }
    return status;
  }

  #runLoop({ condition, isUntil, body }: Command & { readonly kind: "while" }): number {
    let status = 0;
    while ((this.runLenient(condition) === 0) !== isUntil) {
      const step = this.#runStep(body);
      if (step === "end") break;
      status = step;
    }
    return status;
  }

  #runStep(body: Command): number | "end" {
    try {
      return this.run(body);
    } catch (error) {
      if (!(error instanceof Leave) || (error.kind !== "break" && error.kind !== "continue")) throw error;
      if (error.value > 1) throw new Leave(error.kind, error.value - 1);
      return error.kind === "break" ? "end" : 0;
    }
  }

  #runSimple({ assignments, words, redirections }: Command & { readonly kind: "simple" }): number {
    this.#substituted = 0;
    const [name, ...args] = expandWords(this, words);
    const outer = this.streams;
    try {
      try {
        this.redirect(redirections);
      } catch (error) {
        if (error instanceof TreeError) return 1;
        throw error;
      }
      if (name === undefined) {
        // One after the other: each may use those before it.
        for (const one of assignments) this.assign(one.name, expandText(this, one.value));
        return this.#substituted;
      }
      const values = assignments.map((one) => [one.name, expandText(this, one.value)] as const);
      if (name === "exec" && args.length === 0) return 0;
      return this.#withVariables(values, () => this.call(name, args));
    } finally {
      // Without a command `exec` changes the streams for good.
      if (name !== "exec" || args.length > 0) this.streams = outer;
    }
  }

  #withVariables(values: readonly (readonly [string, string])[], work: () => number): number {
    const before = values.map(([name]) => [name, this.variables.get(name)] as const);
    for (const [name, value] of values) this.assign(name, value, true);
    try {
      return work();
    } finally {
      for (const [name, variable] of before) {
        if (variable === undefined) this.variables.delete(name);
        else this.variables.set(name, variable);
      }
    }
  }

  /** Runs a function, a builtin, a program that is known, or a script that is in the tree. */
  call(name: string, args: readonly string[]): number {
    const body = this.functions.get(name);
    if (body !== undefined) return this.#callFunction(body, args);
    const builtin = builtins.get(name);
    const program = builtin ?? this.programs.get(name.startsWith("/") ? name.slice(name.lastIndexOf("/") + 1) : name);
    // The commands of debconf are functions of a file that scripts read.
    const isThere = builtin !== undefined || name.startsWith("db_") || this.findProgram(name) !== undefined;
    if (program !== undefined && isThere) {
      const [input = new Input(), out = nowhere, err = nowhere] = [
        this.streams.inputs.get(0),
        this.streams.outputs.get(1),
        this.streams.outputs.get(2),
      ];
      try {
        return program({ shell: this, tree: this.tree, args, input, out, err });
      } catch (error) {
        if (error instanceof TreeError) return 1;
        throw error;
      }
    }
    const path = this.findProgram(name);
    if (path === undefined) return 127;
    return this.#runFile(path, args);
  }

  #callFunction(body: Command, args: readonly string[]): number {
    const { positional } = this;
    this.positional = args;
    const hidden = new Map<string, Variable | undefined>();
    this.locals.push(hidden);
    try {
      return this.run(body);
    } catch (error) {
      if (error instanceof Leave && error.kind === "return") return error.value;
      throw error;
    } finally {
      this.positional = positional;
      this.locals.pop();
      for (const [name, variable] of hidden) {
        if (variable === undefined) this.variables.delete(name);
        else this.variables.set(name, variable);
      }
    }
  }

  #runFile(path: string, args: readonly string[]): number {
    const text = this.tree.read(path).toString("latin1");
    if (!/^#!\s*\/bin\/(sh|dash)\b/.test(text)) throw new Unsupported(path);
    const child = new Shell(this.tree, this.programs, this);
    child.variables = new Map([...this.variables].filter(([, { isExported }]) => isExported));
    child.cwd = this.cwd;
    child.umask = this.umask;
    return child.runScript(text, path, args);
  }
}
