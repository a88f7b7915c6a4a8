import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { editFileSystem, resolvePath } from "../filesystem/index.ts";
import { shownFiles } from "./key-files.ts";
import { filesBelow, updateMenu } from "./menu-files.ts";
import { openKeyForChanges } from "./open-key.ts";

export interface RemoveIsosRequest {
  readonly key: string;
  /** As `key list` shows them. */
  readonly names: readonly string[];
  /** Say what would be removed, and change nothing. */
  readonly isRehearsal: boolean;
  readonly nowMs: number;
}

/** Removes files from a key, with their entries and what belongs to them: all of them or none. Gives their paths. */
export async function removeIsos({
  key: file,
  names,
  isRehearsal,
  nowMs,
}: RemoveIsosRequest): Promise<readonly string[]> {
  await using key = await openKeyForChanges(file);
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  await using boot = await editFileSystem(key.boot, { now });
  await using isos = await editFileSystem(key.isos, { now });
  const there = new Set(await filesBelow(isos, "/"));
  const shown = await shownFiles(boot, isos);
  const companions = new Map(shown.map(({ path, record }) => [path, record?.companions ?? []]));
  const paths = [...new Set(names.map((name) => isoNamed(name, [...companions.keys()])))];
  if (isRehearsal) return paths;
  for (const path of paths.flatMap((one) => [one, ...(companions.get(one) ?? [])])) {
    if (!there.has(path)) continue;
    const cut = path.lastIndexOf("/");
    const directory = await resolvePath(isos, path.slice(0, cut));
    await isos.remove({ directory, name: path.slice(cut + 1) });
    there.delete(path);
  }
  await updateMenu(boot, { isoPaths: there, now });
  // Entries without their ISO are not shown, so it is the first of these that takes it all away.
  await isos.commit();
  await boot.commit();
  return paths;
}

/** The path of the file that a user names: by its whole path, or by its name where only one has it. */
export function isoNamed(name: string, paths: readonly string[]): string {
  const wanted = name.replace(/^\/+/, "");
  const whole = paths.find((path) => path === `/${wanted}`);
  if (whole !== undefined) return whole;
  const named = paths.filter((path) => path.endsWith(`/${wanted}`) || path.endsWith(`/${wanted}.iso`));
  if (named.length === 1 && named[0] !== undefined) return named[0];
  const why = named.length === 0 ? "the key has none of that name" : "several have that name";
  throw new Failure("not-found", `cannot find "${printableName(name)}": ${why}`, {
    hint:
      named.length === 0
        ? "key list shows what is there"
        : `name one: ${named.map((path) => path.slice(1)).join(", ")}`,
  });
}
