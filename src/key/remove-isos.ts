import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { editFileSystem, resolvePath, type EditableFileSystem } from "../filesystem/index.ts";
import { isoOfChanges } from "./changes.ts";
import { orphanedChanges, shownFiles } from "./key-files.ts";
import { filesBelow, updateMenu } from "./menu-files.ts";
import { openKeyForChanges } from "./open-key.ts";

export interface RemoveIsosRequest {
  readonly key: string;
  /** As `key list` shows them. */
  readonly names: readonly string[];
  /** Remove what was changed of them, too. */
  readonly withChanges?: boolean;
  /** Say what would be removed, and change nothing. */
  readonly isRehearsal: boolean;
  readonly nowMs: number;
}

export interface RemovedFiles {
  /** Their paths on isos. */
  readonly removed: readonly string[];
  /** What keeps changes of them, and is still there. */
  readonly kept: readonly string[];
}

/**
 * Removes files from a key, with their entries and what belongs to them: all of them or none. What a user has changed of
 * a system stays, unless it is named or asked for.
 */
export async function removeIsos(request: RemoveIsosRequest): Promise<RemovedFiles> {
  const { key: file, names, withChanges = false, isRehearsal, nowMs } = request;
  await using key = await openKeyForChanges(file);
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  await using boot = await editFileSystem(key.boot, { now });
  await using isos = await editFileSystem(key.isos, { now });
  const there = new Set(await filesBelow(isos, "/"));
  const shown = new Map((await shownFiles(boot, isos)).map((one) => [one.path, one]));
  const orphans = (await orphanedChanges(isos)).map(({ path }) => path);
  const named = [...new Set(names.map((name) => isoNamed(name, [...shown.keys(), ...orphans])))];
  const changes = named.flatMap((path) => shown.get(path)?.changes?.path ?? []);
  const removed = withChanges ? [...named, ...changes] : named;
  const done = { removed, kept: withChanges ? [] : changes };
  if (isRehearsal) return done;
  for (const path of removed.flatMap((one) => [one, ...(shown.get(one)?.record?.companions ?? [])])) {
    if (there.delete(path)) await removePath(isos, path);
  }
  await updateMenu(boot, { isoPaths: there, now });
  // Entries without their ISO are not shown, so it is the first of these that takes it all away.
  await isos.commit();
  await boot.commit();
  return done;
}

async function removePath(isos: EditableFileSystem, path: string): Promise<void> {
  const [, folder = "", name = ""] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
  const directory = await resolvePath(isos, folder === "" ? "/" : folder);
  await isos.remove({ directory, name });
  if (isoOfChanges(path) !== undefined && (await isEmpty(isos, directory))) await removePath(isos, folder);
}

async function isEmpty(isos: EditableFileSystem, directory: number): Promise<boolean> {
  for await (const batch of isos.list(directory)) if (batch.length > 0) return false;
  return true;
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
