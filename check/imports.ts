import * as path from "node:path";
import { parseSync, Visitor } from "oxc-parser";

export interface Import {
  /** As written: `../base/index.ts`, `node:fs`. */
  readonly specifier: string;
  readonly line: number;
}

/** Everything that a module imports or exports from elsewhere, types too, in the order of the text. */
export function importsOf(file: string, text: string): readonly Import[] {
  const { program, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const found: Import[] = [];
  const add = (source: { readonly start: number; readonly value?: unknown } | null): void => {
    if (typeof source?.value !== "string") return; // computed: nobody knows
    found.push({ specifier: source.value, line: text.slice(0, source.start).split("\n").length });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
  }).visit(program);
  return found;
}

/** The file that a relative import means, with `/`; undefined for packages and Node's own modules. */
export function importedFile(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? path.posix.join(path.posix.dirname(from), specifier) : undefined;
}
