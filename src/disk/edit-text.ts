import { shellWord } from "../bytes/index.ts";
import type { Edit, PutEdit, WriteEdit } from "./edit.ts";

/** An edit as a line of a script, or several where text is written: what `disk edit --script` would take. */
export function editText(edit: Edit): string {
  const words = wordsOf(edit).map(shellWord).join(" ");
  if (!isWriting(edit)) return words;
  const text = Buffer.from(edit.bytes).toString("utf8");
  if (text === "") return words;
  const end = endFor(text);
  return `${words} <<${end}\n${text}${text.endsWith("\n") ? "" : "\n"}${end}`;
}

function wordsOf(edit: Edit): string[] {
  if (edit.verb === "put") {
    const given = flags({ "--unpack": edit.unpack, "--preserve": edit.preserve, "--mkdir": edit.makeParents });
    return ["put", ...given, ...ownerAndMode(edit), ...operands(...edit.sources, edit.to)];
  }
  if (isWriting(edit)) return [edit.verb, ...operands(edit.path)];
  if (edit.verb === "rm") {
    return ["rm", ...flags({ "-r": edit.recursive, "-f": edit.force }), ...operands(...edit.paths)];
  }
  if (edit.verb === "mkdir") {
    return ["mkdir", ...flags({ "-p": edit.parents }), ...ownerAndMode(edit), ...operands(...edit.paths)];
  }
  if (edit.verb === "mv") return ["mv", ...operands(...edit.from, edit.to)];
  if (edit.verb === "ln") {
    const given = flags({ "-s": edit.symbolic, "-f": edit.force, "-n": edit.noDereference });
    return ["ln", ...given, ...operands(edit.target, edit.path)];
  }
  if (edit.verb === "chmod") {
    return ["chmod", ...flags({ "-R": edit.recursive }), edit.mode.text, ...operands(...edit.paths)];
  }
  const given = flags({ "-R": edit.recursive, "--no-dereference": edit.noDereference });
  return ["chown", ...given, ...operands(edit.owner.text, ...edit.paths)];
}

function isWriting(edit: Edit): edit is WriteEdit {
  return edit.verb === "write" || edit.verb === "append";
}

function ownerAndMode({ owner, mode }: Pick<PutEdit, "owner" | "mode">): string[] {
  return [...option("--owner", owner?.text), ...option("--mode", mode?.text)];
}

function flags(given: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(given).filter((name) => given[name]);
}

/** `--mode=-x`: a value that could be taken for an option stands with its name. */
function option(name: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  return value.startsWith("-") ? [`${name}=${value}`] : [name, value];
}

/** Words that are no options, whatever they look like. */
function operands(...words: readonly string[]): string[] {
  return words.some((word) => word.startsWith("-") && word !== "-") ? ["--", ...words] : [...words];
}

/** A word that is no line of the text. */
function endFor(text: string): string {
  const lines = new Set(text.split("\n"));
  let end = "END";
  while (lines.has(end)) end += "_";
  return end;
}
