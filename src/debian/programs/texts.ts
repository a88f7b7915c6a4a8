import { createHash } from "node:crypto";
import type { Program, ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import { parseOptions } from "./options.ts";
import { regularExpression } from "./regular-expression.ts";
import { runSed } from "./sed.ts";

/** Programs that read text and print some of it. */
export const textPrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ["awk", printField],
  ["cat", (call) => (call.out(textOf(call, call.args)), 0)],
  ["cut", cut],
  ["egrep", (call) => grep({ ...call, args: ["-E", ...call.args] })],
  ["fgrep", (call) => grep({ ...call, args: ["-F", ...call.args] })],
  ["grep", grep],
  ["head", (call) => headOrTail(call, true)],
  ["md5sum", (call) => sum(call, "md5")],
  ["sed", runSed],
  ["seq", ({ args, out }) => (out(numbersOf(args)), 0)],
  ["sha256sum", (call) => sum(call, "sha256")],
  ["sha512sum", (call) => sum(call, "sha512")],
  ["sort", sort],
  ["tail", (call) => headOrTail(call, false)],
  ["tee", tee],
  ["tr", translate],
  ["uniq", uniq],
  ["wc", count],
]);

/** The content of files, or of the input where none is named. */
function textOf({ shell, input }: ProgramCall, paths: readonly string[]): string {
  if (paths.length === 0) return input.all();
  return paths.map((path) => (path === "-" ? input.all() : shell.readFile(path))).join("");
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function grep(call: ProgramCall): number {
  const { args, out, shell } = call;
  const withoutNumbers = args.filter((word) => word !== "--");
  const patterns: string[] = [];
  const letters = new Set<string>();
  const words: string[] = [];
  for (let n = 0; n < withoutNumbers.length; n++) {
    const word = withoutNumbers[n] ?? "";
    if (!/^-\w+$/.test(word)) words.push(word);
    else {
      for (const letter of word.slice(1)) letters.add(letter);
      if (word.endsWith("e")) patterns.push(withoutNumbers[++n] ?? "");
    }
  }
  for (const letter of letters) if (!"EFqsxvieolch".includes(letter)) throw new Unsupported(`grep -${letter}`);
  if (patterns.length === 0) patterns.push(words.shift() ?? "");
  const kind = letters.has("F") ? "fixed" : letters.has("E") ? "extended" : "basic";
  const sources = patterns
    .flatMap((pattern) => pattern.split("\n"))
    .map((pattern) => {
      const source = regularExpression(pattern, kind);
      return letters.has("x") ? `^(?:${source})$` : source;
    });
  const matcher = new RegExp(sources.map((source) => `(?:${source})`).join("|"), letters.has("i") ? "i" : "");
  const isThere = words.every((path) => path === "-" || shell.tree.find(shell.path(path)) !== undefined);
  if (!isThere) return 2;
  const found = linesOf(textOf(call, words)).filter((line) => matcher.test(line) !== letters.has("v"));
  if (letters.has("c")) out(`${found.length}\n`);
  else if (letters.has("o")) out(found.map((line) => `${matcher.exec(line)?.[0] ?? ""}\n`).join(""));
  else if (letters.has("l")) out(found.length > 0 ? `${words[0] ?? ""}\n` : "");
  else if (!letters.has("q")) out(found.map((line) => `${line}\n`).join(""));
  return Number(found.length === 0);
}

function cut(call: ProgramCall): number {
  const { values, words } = parseOptions(call.args, ["d", "f", "c"]);
  const fields = values.get("f") ?? values.get("c") ?? "1";
  const delimiter = values.has("c") ? "" : (values.get("d") ?? "\t");
  const isWanted = (n: number): boolean => {
    return fields.split(",").some((range) => {
      const [first = "", last = first] = range.split("-");
      return n >= Number(first === "" ? 1 : first) && n <= (last === "" ? Infinity : Number(last));
    });
  };
  for (const line of linesOf(textOf(call, words))) {
    const parts = line.split(delimiter);
    const isWhole = parts.length === 1 && delimiter !== "";
    call.out(`${isWhole ? line : parts.filter((_, n) => isWanted(n + 1)).join(delimiter)}\n`);
  }
  return 0;
}

/** `{ print $N }` and no more. */
function printField(call: ProgramCall): number {
  const [script = "", ...paths] = call.args;
  const field = /^\s*\{\s*print \$(\d+|NF);?\s*\}\s*$/.exec(script)?.[1];
  if (field === undefined) throw new Unsupported(`awk ${script}`);
  for (const line of linesOf(textOf(call, paths))) {
    const parts = line.trim().split(/[ \t]+/);
    call.out(`${(field === "0" ? line : parts.at(field === "NF" ? -1 : Number(field) - 1)) ?? ""}\n`);
  }
  return 0;
}

function headOrTail(call: ProgramCall, isHead: boolean): number {
  const { values, words } = parseOptions(
    call.args.map((word) => word.replace(/^-(\d+)$/, "-n$1")),
    ["n"],
  );
  const text = values.get("n") ?? "10";
  const lines = linesOf(textOf(call, words));
  const number = Number(text);
  const chosen = isHead
    ? lines.slice(0, number)
    : text.startsWith("+")
      ? lines.slice(number - 1)
      : lines.slice(-number);
  call.out(chosen.map((line) => `${line}\n`).join(""));
  return 0;
}

function sum(call: ProgramCall, algorithm: string): number {
  const { flags, words } = parseOptions(call.args);
  if (flags.has("c") || flags.has("check")) throw new Unsupported(`${algorithm}sum -c`);
  for (const path of words.length === 0 ? ["-"] : words) {
    const hash = createHash(algorithm)
      .update(Buffer.from(textOf(call, [path]), "latin1"))
      .digest("hex");
    call.out(`${hash}  ${path}\n`);
  }
  return 0;
}

function numbersOf(args: readonly string[]): string {
  const [first, step, last] =
    args.length === 3 ? args.map(Number) : [args.length === 2 ? Number(args[0]) : 1, 1, Number(args.at(-1))];
  let text = "";
  for (let n = first ?? 1; n <= (last ?? 0); n += step ?? 1) text += `${n}\n`;
  return text;
}

function sort(call: ProgramCall): number {
  const { flags, values, words } = parseOptions(call.args, ["k", "t"]);
  if (values.size > 0 || flags.has("V")) throw new Unsupported("sort by a key");
  const lines = linesOf(textOf(call, words)).sort();
  if (flags.has("n")) lines.sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b));
  if (flags.has("r")) lines.reverse();
  const chosen = flags.has("u") ? [...new Set(lines)] : lines;
  call.out(chosen.map((line) => `${line}\n`).join(""));
  return 0;
}

function tee(call: ProgramCall): number {
  const text = call.input.all();
  for (const path of call.args) if (!path.startsWith("-")) call.shell.writeFile(path, text);
  call.out(text);
  return 0;
}

function translate({ args, input, out }: ProgramCall): number {
  const { flags, words } = parseOptions(args);
  const sets = words.map(charactersOf);
  const [from = [], to = []] = sets;
  const text = Array.from(input.all());
  if (flags.has("d")) out(text.filter((character) => !from.includes(character)).join(""));
  else if (flags.size > 0) throw new Unsupported("tr -s");
  else out(text.map((one) => (from.includes(one) ? (to[from.indexOf(one)] ?? to.at(-1) ?? one) : one)).join(""));
  return 0;
}

function charactersOf(text: string): string[] {
  const plain = text
    .replaceAll("[:upper:]", "A-Z")
    .replaceAll("[:lower:]", "a-z")
    .replaceAll("[:space:]", " \\t\\n")
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t");
  const whole = plain.replace(/(.)-(.)/gs, (_, first: string, last: string) => {
    let run = "";
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) run += String.fromCharCode(code);
    return run;
  });
  return Array.from(whole);
}

function uniq(call: ProgramCall): number {
  const lines = linesOf(
    textOf(
      call,
      call.args.filter((word) => !word.startsWith("-")),
    ),
  );
  call.out(
    lines
      .filter((line, n) => line !== lines[n - 1])
      .map((line) => `${line}\n`)
      .join(""),
  );
  return 0;
}

function count(call: ProgramCall): number {
  const { flags, words } = parseOptions(call.args);
  const text = textOf(call, words);
  if (flags.has("l")) call.out(`${text.split("\n").length - 1}\n`);
  else if (flags.has("c")) call.out(`${text.length}\n`);
  else throw new Unsupported("wc");
  return 0;
}
