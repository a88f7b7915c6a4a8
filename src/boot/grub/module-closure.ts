import { Failure } from "../../base/index.ts";
import { platformFile, type PlatformFiles } from "./platform-files.ts";

/** Debian's GRUB has 290 modules. */
const moduleLimit = 4096;

/** What each module needs, from `moddep.lst`: a line `name: other other`. */
function parseModuleDependencies(text: string): ReadonlyMap<string, readonly string[]> {
  const needs = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    if (colon === -1) throw new Failure("damaged", `cannot read "moddep.lst": "${line}" is no line of it`);
    needs.set(
      line.slice(0, colon),
      line
        .slice(colon + 1)
        .split(/\s+/)
        .filter(Boolean),
    );
  }
  if (needs.size > moduleLimit)
    throw new Failure("damaged", `cannot read "moddep.lst": it names ${needs.size} modules`);
  return needs;
}

/**
 * The modules named and all that they need, each after what it needs: in the order in which grub-mkimage puts them
 * into an image, which takes the needs of a module from the last to the first.
 */
export function closeOverDependencies(grub: PlatformFiles, names: readonly string[]): readonly string[] {
  const needs = parseModuleDependencies(Buffer.from(platformFile(grub, "moddep.lst")).toString("latin1"));
  const seen = new Set<string>();
  const ordered: string[] = [];
  const add = (name: string, neededBy?: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    if (!grub.files.has(`${name}.mod`)) {
      const by = neededBy === undefined ? "" : `, which ${neededBy} needs`;
      throw new Failure("not-found", `cannot find module "${name}" in "${grub.name}"${by}`);
    }
    for (const need of (needs.get(name) ?? []).toReversed()) add(need, name);
    ordered.push(name);
  };
  for (const name of names) add(name);
  return ordered;
}
