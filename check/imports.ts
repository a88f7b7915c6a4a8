import * as path from "node:path";
import { parseSync, Visitor } from "oxc-parser";

export interface Import {
  /** As written: `../base/index.ts`, `node:fs`. */
  readonly specifier: string;
  readonly line: number;
  /** Whether the other module is loaded before this one runs: not where only types are taken, nor by `import()`. */
  readonly loads: boolean;
}

/** Everything that a module imports or exports from elsewhere, types too, in the order of the text. */
export function importsOf(file: string, text: string): readonly Import[] {
  const { program, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const found: Import[] = [];
  const add = (source: { readonly start: number; readonly value?: unknown } | null, loads: boolean): void => {
    if (typeof source?.value !== "string") return; // computed: nobody knows
    found.push({ specifier: source.value, line: text.slice(0, source.start).split("\n").length, loads });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind !== "type"),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind !== "type"),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind !== "type"),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, false),
  }).visit(program);
  return found;
}

/** The file that a relative import means, with `/`; undefined for packages and Node's own modules. */
export function importedFile(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? path.posix.join(path.posix.dirname(from), specifier) : undefined;
}
