import type { Program, ProgramCall } from "./interpreter.ts";
import { Leave } from "./leave.ts";
import { parseScript } from "./parse.ts";
import { formatText } from "./format-text.ts";
import { Unsupported } from "./syntax.ts";
import { testExpression } from "./test-expression.ts";

/** What the shell does itself. */
export const builtins: ReadonlyMap<string, Program> = new Map<string, Program>([
  [":", () => 0],
  ["true", () => 0],
  ["false", () => 1],
  ["echo", echo],
  ["printf", ({ args, out }) => (out(formatText(args)), 0)],
  ["test", (call) => testExpression(call.shell, call.args)],
  ["[", (call) => testExpression(call.shell, call.args.slice(0, -1))],
  ["exit", ({ shell, args }) => leave("exit", args[0] ?? shell.status)],
  ["return", ({ shell, args }) => leave("return", args[0] ?? shell.status)],
  ["break", ({ args }) => leave("break", args[0] ?? 1)],
  ["continue", ({ args }) => leave("continue", args[0] ?? 1)],
  ["cd", changeFolder],
  ["pwd", ({ shell, out }) => (out(`${shell.cwd}\n`), 0)],
  ["shift", shift],
  ["set", set],
  ["unset", unset],
  ["export", (call) => assignAll(call, true)],
  ["readonly", (call) => assignAll(call, false)],
  ["local", local],
  ["eval", ({ shell, args }) => shell.run(parseScript(args.join(" ")))],
  [".", source],
  ["exec", ({ shell, args: [name = ":", ...args] }) => leave("exit", shell.call(name, args))],
  ["read", read],
  ["trap", trap],
  ["umask", umask],
  ["command", command],
  ["type", (call) => command({ ...call, args: ["-v", ...call.args] })],
  ["wait", () => 0],
]);

function leave(kind: Leave["kind"], value: string | number): never {
  throw new Leave(kind, Number(value));
}

function echo({ args, out }: ProgramCall): number {
  const isPlain = args[0] === "-n";
  const text = (isPlain ? args.slice(1) : args).join(" ");
  const expanded = text.replace(/\\([nt\\])/g, (_, escape: string) => ({ n: "\n", t: "\t" })[escape] ?? "\\");
  out(expanded + (isPlain ? "" : "\n"));
  return 0;
}

function changeFolder({ shell, tree, args }: ProgramCall): number {
  const path = shell.path(args[0] ?? "/root");
  if (tree.find(path)?.kind !== "directory") return 1;
  shell.cwd = tree.realPath(path);
  return 0;
}

function shift({ shell, args }: ProgramCall): number {
  const count = Number(args[0] ?? 1);
  if (count > shell.positional.length) return 1;
  shell.positional = shell.positional.slice(count);
  return 0;
}

function set({ shell, args }: ProgramCall): number {
  let at = 0;
  for (; /^[-+][a-z]+$/.test(args[at] ?? ""); at++) {
    const isOn = args[at]?.startsWith("-") === true;
    for (const letter of args[at]?.slice(1) ?? "") {
      if (letter === "e") shell.isErrexit = isOn;
      else if (letter === "u") shell.isNounset = isOn;
      else if (letter === "f") shell.isNoglob = isOn;
      else if (letter !== "x" && letter !== "h") throw new Unsupported(`set -${letter}`);
    }
  }
  if (args[at] === "--") shell.positional = args.slice(at + 1);
  else if (at < args.length) shell.positional = args.slice(at);
  return 0;
}

function unset({ shell, args }: ProgramCall): number {
  for (const name of args) {
    if (name === "-f" || name === "-v") continue;
    shell.variables.delete(name);
    if (args[0] === "-f") shell.functions.delete(name);
  }
  return 0;
}

function assignAll({ shell, args }: ProgramCall, isExported: boolean): number {
  for (const word of args) {
    const [name, value = shell.valueOf(word) ?? ""] = splitAssignment(word);
    shell.assign(name, value, isExported || shell.variables.get(name)?.isExported);
  }
  return 0;
}

function local({ shell, args }: ProgramCall): number {
  for (const word of args) {
    const [name, value] = splitAssignment(word);
    const hidden = shell.locals.at(-1);
    if (hidden?.has(name) === false) hidden.set(name, shell.variables.get(name));
    if (value !== undefined) shell.assign(name, value);
    else if (shell.variables.get(name) !== undefined) shell.assign(name, shell.valueOf(name) ?? "");
  }
  return 0;
}

function splitAssignment(word: string): [string, string?] {
  const equals = word.indexOf("=");
  return equals === -1 ? [word] : [word.slice(0, equals), word.slice(equals + 1)];
}

function source(call: ProgramCall): number {
  const { shell, args } = call;
  const [path = ""] = args;
  const program = shell.programs.get(`. ${path}`);
  if (program !== undefined) return program(call);
  const { positional } = shell;
  try {
    return shell.run(parseScript(shell.readFile(path)));
  } catch (error) {
    if (error instanceof Leave && error.kind === "return") return error.value;
    throw error;
  } finally {
    shell.positional = positional;
  }
}

function read({ shell, args, input }: ProgramCall): number {
  const isRaw = args[0] === "-r";
  const names = isRaw ? args.slice(1) : args;
  const line = input.line();
  if (line === undefined) return 1;
  const blanks = shell.valueOf("IFS") ?? " \t\n";
  let rest = isRaw ? line : line.replace(/\\(.)/g, "$1");
  for (const [n, name] of names.entries()) {
    while (rest !== "" && blanks.includes(rest.charAt(0)) && blanks.includes(" ")) rest = rest.slice(1);
    const end = n === names.length - 1 ? -1 : Array.from(rest).findIndex((character) => blanks.includes(character));
    const value = end === -1 ? rest : rest.slice(0, end);
    shell.assign(name, blanks.includes(" ") ? value.trimEnd() : value);
    rest = end === -1 ? "" : rest.slice(end + 1);
  }
  return 0;
}

/** Signals never come; what is to run at the end does. */
function trap({ shell, args }: ProgramCall): number {
  const [action = "", ...signals] = args;
  if (signals.some((word) => word === "EXIT" || word === "0")) shell.exitAction = action === "-" ? "" : action;
  return 0;
}

function umask({ shell, args, out }: ProgramCall): number {
  if (args[0] === undefined) out(`${shell.umask.toString(8).padStart(4, "0")}\n`);
  else shell.umask = Number.parseInt(args[0], 8);
  return 0;
}

function command({ shell, args, out }: ProgramCall): number {
  const [option, ...rest] = args;
  if (option !== "-v") return shell.call(option ?? ":", rest);
  const [name = ""] = rest;
  const path = shell.functions.has(name) || builtins.has(name) ? name : shell.findProgram(name);
  if (path === undefined) return 127;
  out(`${path}\n`);
  return 0;
}
