import type { Shell } from "./interpreter.ts";
import { Unsupported } from "./syntax.ts";

/** `test`: 0 for true, 1 for false, 2 for what makes no sense. */
export function testExpression(shell: Shell, args: readonly string[]): number {
  let at = 0;
  const any = (): boolean => {
    let value = all();
    while (args[at] === "-o") {
      at++;
      const right = all();
      value = value || right;
    }
    return value;
  };
  const all = (): boolean => {
    let value = one();
    while (args[at] === "-a") {
      at++;
      const right = one();
      value = value && right;
    }
    return value;
  };
  const one = (): boolean => {
    const word = args[at] ?? "";
    const left = args.length - at;
    if (word === "!" && left > 1) {
      at++;
      return !one();
    }
    const operator = args[at + 1] ?? "";
    if (left >= 3 && isBinary(operator)) {
      at += 3;
      return compare(shell, word, operator, args[at - 1] ?? "");
    }
    if (word === "(" && left > 2) {
      at++;
      const value = any();
      at++;
      return value;
    }
    if (left >= 2 && /^-[a-zA-Z]$/.test(word)) {
      at += 2;
      return examine(shell, word, args[at - 1] ?? "");
    }
    at++;
    return word !== "";
  };
  if (args.length === 0) return 1;
  const value = any();
  if (at < args.length) throw new Unsupported(`test ${args.join(" ")}`);
  return Number(!value);
}

function isBinary(operator: string): boolean {
  return ["=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"].includes(operator);
}

function compare(shell: Shell, left: string, operator: string, right: string): boolean {
  const [a, b] = [Number(left), Number(right)];
  switch (operator) {
    case "=":
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "-eq":
      return a === b;
    case "-ne":
      return a !== b;
    case "-lt":
      return a < b;
    case "-le":
      return a <= b;
    case "-gt":
      return a > b;
    case "-ge":
      return a >= b;
    case "-ef":
      return shell.tree.find(shell.path(left)) === shell.tree.find(shell.path(right));
    default:
      throw new Unsupported(`test ${operator}`);
  }
}

/** Nothing runs in the tree: no devices, no processes, no terminals. */
function examine(shell: Shell, operator: string, word: string): boolean {
  if (operator === "-z") return word === "";
  if (operator === "-n") return word !== "";
  if (operator === "-t" || word === "") return false;
  const path = shell.path(word);
  const isOfLink = operator === "-L" || operator === "-h";
  const node = shell.tree.find(path, !isOfLink);
  switch (operator) {
    case "-e":
    case "-r":
    case "-w":
      return node !== undefined;
    case "-f":
      return node?.kind === "file";
    case "-d":
      return node?.kind === "directory";
    case "-L":
    case "-h":
      return node?.kind === "symlink";
    case "-x":
      return node !== undefined && (node.mode & 0o111) !== 0;
    case "-s":
      return node?.kind === "file" && node.content.length > 0;
    case "-u":
      return node !== undefined && (node.mode & 0o4000) !== 0;
    case "-g":
      return node !== undefined && (node.mode & 0o2000) !== 0;
    case "-S":
    case "-p":
    case "-b":
    case "-c":
      return node?.kind === { "-S": "socket", "-p": "fifo", "-b": "block", "-c": "character" }[operator];
    default:
      throw new Unsupported(`test ${operator}`);
  }
}
