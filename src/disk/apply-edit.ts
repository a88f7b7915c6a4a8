import * as path from "node:path";
import { Failure } from "../base/index.ts";
import { resolvePath, type EditableFileSystem, type NamePlace } from "../filesystem/index.ts";
import type { Edit } from "./edit.ts";
import { destinationOf, makeDirectory, placeAt, type EditContext } from "./edit-places.ts";
import { ownerFrom } from "./image-accounts.ts";
import { putSources, writeContent } from "./put-files.ts";

type EditOf<Verb extends Edit["verb"]> = Extract<Edit, { readonly verb: Verb }>;

/** Applies one edit to a file system open for changes. Nothing is durable before its commit. */
export async function applyEdit(context: EditContext, edit: Edit): Promise<void> {
  switch (edit.verb) {
    case "put":
      return putSources(context, edit);
    case "write":
      return writeContent(context, edit);
    case "rm":
      return removeAll(context, edit);
    case "mkdir":
      for (const one of edit.paths) await makeDirectory(context, one, edit);
      return;
    case "mv":
      return move(context, edit);
    case "ln":
      return link(context, edit);
    case "chmod":
    case "chown":
      return changeMetadata(context, edit);
  }
}

async function removeAll({ fileSystem }: EditContext, { paths, recursive, force }: EditOf<"rm">): Promise<void> {
  for (const one of paths) {
    const place = await placeOrNone(fileSystem, one, force);
    const id = place === undefined ? undefined : await fileSystem.find(place.directory, place.name);
    if (place !== undefined && id !== undefined) {
      await removeTree(fileSystem, place, id, { path: one, recursive });
    } else if (!force) {
      throw new Failure("not-found", `cannot remove "${one}": it is not there`);
    }
  }
}

async function placeOrNone(
  fileSystem: EditableFileSystem,
  filePath: string,
  mayBeMissing: boolean,
): Promise<NamePlace | undefined> {
  try {
    return await placeAt(fileSystem, filePath);
  } catch (error) {
    if (mayBeMissing && error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}

async function removeTree(
  fileSystem: EditableFileSystem,
  place: NamePlace,
  id: number,
  options: { readonly path: string; readonly recursive: boolean },
): Promise<void> {
  if ((await fileSystem.stat(id)).kind === "directory") {
    if (!options.recursive) {
      throw new Failure("failed", `cannot remove "${options.path}": it is a directory`, { hint: "add -r" });
    }
    for (const name of await namesIn(fileSystem, id)) {
      const child = await fileSystem.find(id, name);
      const childPath = path.posix.join(options.path, name);
      if (child !== undefined) {
        await removeTree(fileSystem, { directory: id, name }, child, { ...options, path: childPath });
      }
    }
  }
  await fileSystem.remove(place);
}

async function namesIn(fileSystem: EditableFileSystem, directory: number): Promise<string[]> {
  const names: string[] = [];
  for await (const items of fileSystem.list(directory)) for (const { name } of items) names.push(name);
  return names;
}

async function move({ fileSystem }: EditContext, { from, to }: EditOf<"mv">): Promise<void> {
  for (const one of from) {
    const source = await placeAt(fileSystem, one);
    const target = await destinationOf(fileSystem, to, source.name, { mustBeDirectory: from.length > 1 });
    await fileSystem.rename(source, target);
  }
}

async function link({ fileSystem, now }: EditContext, { target, path: at, symbolic }: EditOf<"ln">): Promise<void> {
  const place = await destinationOf(fileSystem, at, path.posix.basename(target), { mustBeDirectory: false });
  if (symbolic) {
    const owner = { uid: 0, gid: 0 };
    await fileSystem.create(place, {
      kind: "symlink",
      mode: 0o777,
      ...owner,
      modified: now,
      sizeBytes: 0,
      linkTarget: target,
    });
    return;
  }
  await fileSystem.link(place, await resolvePath(fileSystem, target, { followLast: false }));
}

async function changeMetadata(context: EditContext, edit: EditOf<"chmod" | "chown">): Promise<void> {
  const { fileSystem } = context;
  const owner = edit.verb === "chown" ? await ownerFrom(fileSystem, edit.owner) : undefined;
  const change = async (id: number): Promise<void> => {
    const stat = await fileSystem.stat(id);
    if (edit.verb === "chown") {
      await fileSystem.setMetadata(id, owner ?? {});
    } else if (stat.kind !== "symlink") {
      await fileSystem.setMetadata(id, { mode: edit.mode(stat.mode, stat.kind === "directory") });
    }
    if (!edit.recursive || stat.kind !== "directory") return;
    for (const name of await namesIn(fileSystem, id)) {
      const child = await fileSystem.find(id, name);
      if (child !== undefined) await change(child);
    }
  };
  for (const one of edit.paths) await change(await resolvePath(fileSystem, one));
}
