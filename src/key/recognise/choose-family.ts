import type { ConventionId } from "./conventions.ts";
import type { Disc, DiscFile } from "./disc.ts";
import { families, type Family, type FamilyBoot } from "./families/index.ts";
import type { MenuEntry } from "./menu-entry.ts";

/** The rows of the table that an ISO fits by its files and its menus, the narrowest first. */
export async function fittingFamilies(disc: Disc, entries: readonly MenuEntry[]): Promise<readonly Family[]> {
  const fitting: Family[] = [];
  for (const family of families) if (await fits(disc, family, entries)) fitting.push(family);
  return fitting;
}

async function fits(disc: Disc, family: Family, entries: readonly MenuEntry[]): Promise<boolean> {
  for (const pattern of family.has) if (!(await disc.has(pattern))) return false;
  for (const pattern of family.lacks ?? []) if (await disc.has(pattern)) return false;
  const { says, menuSays } = family;
  if (says !== undefined && !says.pattern.test((await disc.text(says.path)) ?? "")) return false;
  return menuSays === undefined || entries.some(({ words }) => words.some((word) => menuSays.test(word)));
}

/**
 * The row that goes with what an initrd was found to follow. Where it was seen whole and follows nothing, rather one
 * that needs nothing of it.
 */
export function familyFor(
  fitting: readonly Family[],
  convention: ConventionId | undefined,
  isSeenWhole: boolean,
): Family | undefined {
  if (convention !== undefined) return fitting.find((family) => family.convention === convention);
  return (isSeenWhole ? fitting.find((family) => family.convention === undefined) : undefined) ?? fitting[0];
}

/** A kernel of a row that is in the ISO, with what is loaded beside it. */
export interface FoundBoot {
  readonly boot: FamilyBoot;
  readonly kernel: DiscFile;
  readonly initrds: readonly string[];
}

/** The kernels of a row that are there, with their initrds. */
export async function bootsOf(disc: Disc, { boots }: Family): Promise<readonly FoundBoot[]> {
  const found = new Map<string, FoundBoot>();
  for (const boot of boots) {
    for (const kernel of await disc.glob(boot.kernel)) {
      if (kernel.kind !== "file" || found.has(kernel.path)) continue;
      const initrds = await initrdsOf(disc, boot, kernel.path);
      if (initrds !== undefined) found.set(kernel.path, { boot, kernel, initrds });
    }
  }
  return [...found.values()];
}

/** What is loaded for the processor, from which nothing starts. */
const microcode = /u-?code[^/]*$/;

async function initrdsOf(disc: Disc, boot: FamilyBoot, kernel: string): Promise<readonly string[] | undefined> {
  const initrds = new Set<string>();
  const star = starOf(boot.kernel, kernel);
  const folder = kernel.slice(0, kernel.lastIndexOf("/"));
  for (const pattern of boot.initrds) {
    const filled = pattern.replaceAll("${*}", star).replaceAll("${kernelFolder}", folder);
    const first = (await disc.glob(filled)).find(({ kind }) => kind === "file");
    if (first !== undefined) initrds.add(first.path);
  }
  const isEnough = boot.initrds.length === 0 || [...initrds].some((path) => !microcode.test(path));
  return isEnough ? [...initrds] : undefined;
}

/** What the first `*` of a pattern stands for in a path. */
function starOf(pattern: string, path: string): string {
  const [before = "", ...after] = pattern.split("*");
  if (after.length === 0) return "";
  const expression = (part: string): string =>
    part
      .replace(/[.+^$()|[\]\\?]/g, String.raw`\$&`)
      .replace(/\{([^}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(",", "|")})`);
  const rest = after.map(expression).join("[^/]*");
  return new RegExp(`^${expression(before)}([^/]*)${rest}$`, "i").exec(path)?.[1] ?? "";
}
