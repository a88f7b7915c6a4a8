import { globSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { importedFile, importsOf } from "./imports.ts";
import { breachOf } from "./layers.ts";

/** Source text by file name, relative to src/, with `/`. */
export type Sources = ReadonlyMap<string, string>;

/** Everything in which sources break the rules of the house, one line each: `src/file:line: what`. */
export function findBreaches(sources: Sources): readonly string[] {
  const folders = new Set(
    [...sources.keys()].filter((file) => file.endsWith("/index.ts")).map((file) => path.posix.dirname(file)),
  );
  const breaches: string[] = [];
  const edges = new Map<string, string[]>();
  for (const [file, text] of sources) {
    const targets: string[] = [];
    for (const { specifier, line, loads } of importsOf(file, text)) {
      const target = importedFile(file, specifier);
      if (target === undefined) continue;
      const breach = sources.has(target)
        ? breachOf(file, target, (folder) => folders.has(folder))
        : "there is no such file in src/";
      if (breach !== undefined) breaches.push(`src/${file}:${line}: imports "${specifier}": ${breach}`);
      if (loads) targets.push(target);
    }
    edges.set(file, targets);
  }
  return [...breaches, ...findCycles(edges).map((cycle) => `src/${cycle.join(" → ")}: files that import each other`)];
}

/** One cycle for every import that closes one, as the files along it, the first one repeated at its end. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start !== -1) cycles.push([...trail.slice(start), file]);
    if (start !== -1 || done.has(file)) return;
    for (const target of edges.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return cycles;
}

function readSources(folder: string): Sources {
  const files = globSync("**/*.ts", { cwd: folder }).toSorted();
  return new Map(files.map((file) => [file.replaceAll(path.sep, "/"), readFileSync(path.join(folder, file), "utf8")]));
}

if (import.meta.main) {
  const breaches = findBreaches(readSources(path.join(import.meta.dirname, "../src")));
  for (const breach of breaches) console.log(breach);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
