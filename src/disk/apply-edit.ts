import * as path from "node:path";
import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { resolvePath, type EditableFileSystem, type NamePlace } from "../filesystem/index.ts";
import { changeModes, changeOwners } from "./change-metadata.ts";
import type { Edit, LinkEdit, MoveEdit, RemoveEdit } from "./edit.ts";
import { destinationOf, existingAt, GivenNames, placeAt, type Destination, type EditContext } from "./edit-places.ts";
import { makeDirectory } from "./make-directory.ts";
import { putFiles } from "./put-files.ts";
import { walkFiles } from "./walk-files.ts";
import { writeContent } from "./write-content.ts";

/** Applies one edit to a file system open for changes. Nothing is durable before its commit. */
export async function applyEdit(context: EditContext, edit: Edit): Promise<void> {
  switch (edit.verb) {
    case "put":
      return putFiles(context, edit);
    case "write":
    case "append":
      return writeContent(context, edit);
    case "rm":
      return removeFiles(context, edit);
    case "mkdir":
      for (const one of edit.paths) await makeDirectory(context, one, edit);
      return;
    case "mv":
      return moveFiles(context, edit);
    case "ln":
      return makeLink(context, edit);
    case "chmod":
      return changeModes(context, edit);
    case "chown":
      return changeOwners(context, edit);
  }
}

async function removeFiles(context: EditContext, { paths, recursive, force }: RemoveEdit): Promise<void> {
  for (const one of paths) {
    const existing = await existingOrNone(context.fileSystem, one, force);
    if (existing !== undefined) await removeTree(context, existing, { path: one, recursive });
    else if (!force) throw new Failure("not-found", `cannot remove "${printableName(one)}": it is not there`);
  }
}

interface Existing {
  readonly place: NamePlace;
  readonly id: number;
}

async function existingOrNone(
  fileSystem: EditableFileSystem,
  filePath: string,
  mayBeMissing: boolean,
): Promise<Existing | undefined> {
  try {
    const { place, id } = await existingAt(fileSystem, filePath);
    return id === undefined ? undefined : { place, id };
  } catch (error) {
    if (mayBeMissing && error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}

async function removeTree(
  context: EditContext,
  { place, id }: Existing,
  options: { readonly path: string; readonly recursive: boolean },
): Promise<void> {
  const { fileSystem } = context;
  if (!options.recursive) {
    if ((await fileSystem.stat(id)).kind !== "directory") return fileSystem.remove(place);
    throw new Failure("failed", `cannot remove "${printableName(options.path)}": it is a directory`, {
      hint: "-r removes it with all that is in it",
    });
  }
  const directories: NamePlace[] = [];
  for await (const { place: at = place, stat } of walkFiles(context, { id, place, path: options.path })) {
    if (stat.kind === "directory") directories.push(at);
    else await fileSystem.remove(at);
  }
  for (const directory of directories.toReversed()) await fileSystem.remove(directory);
}

async function moveFiles({ fileSystem }: EditContext, { from, to }: MoveEdit): Promise<void> {
  const given = new GivenNames();
  for (const one of from) {
    const { place, id } = await existingAt(fileSystem, one);
    if (id === undefined) throw new Failure("not-found", `cannot move "${printableName(one)}": it is not there`);
    const isDirectory = (await fileSystem.stat(id)).kind === "directory";
    const target = await targetOfMove(fileSystem, to, place.name, { isDirectory, isOneOfSeveral: from.length > 1 });
    given.add(target, one);
    if ((await fileSystem.find(target.directory, target.name)) === id) throw sameFile("move", one);
    await refuseFileOverDirectory(fileSystem, target, { path: one, isDirectory });
    await fileSystem.rename(place, target);
  }
}

function sameFile(action: string, filePath: string): Failure {
  return new Failure("failed", `cannot ${action} "${printableName(filePath)}": it is the same file`);
}

/** A directory may be given a new name with `/` at its end; a file that is to go into one needs it to be there. */
async function targetOfMove(
  fileSystem: EditableFileSystem,
  to: string,
  ownName: string,
  options: { readonly isDirectory: boolean; readonly isOneOfSeveral: boolean },
): Promise<Destination> {
  const { isDirectory, isOneOfSeveral } = options;
  return destinationOf(fileSystem, isDirectory && !isOneOfSeveral ? to.replace(/(.)\/+$/, "$1") : to, ownName, {
    mustBeDirectory: isOneOfSeveral,
  });
}

async function refuseFileOverDirectory(
  fileSystem: EditableFileSystem,
  target: NamePlace,
  { path: from, isDirectory }: { readonly path: string; readonly isDirectory: boolean },
): Promise<void> {
  const existing = await fileSystem.find(target.directory, target.name);
  if (existing === undefined) return;
  const isOverDirectory = (await fileSystem.stat(existing)).kind === "directory";
  if (isOverDirectory === isDirectory) return;
  const what = isOverDirectory ? "a directory" : "no directory";
  throw new Failure("exists", `cannot move "${printableName(from)}": "${printableName(target.name)}" is ${what}`);
}

async function makeLink({ fileSystem, now }: EditContext, edit: LinkEdit): Promise<void> {
  const { target } = edit;
  const place = await placeOfLink(fileSystem, edit);
  const id = edit.symbolic ? undefined : await resolvePath(fileSystem, target, { followLast: false });
  const existing = await fileSystem.find(place.directory, place.name);
  if (existing !== undefined) {
    await refuseReplacing(fileSystem, existing, edit);
    await refuseItself(fileSystem, place, edit);
    if (existing === id) return;
    await fileSystem.remove(place);
  }
  if (id !== undefined) return fileSystem.link(place, id);
  const metadata = { mode: 0o777, uid: 0, gid: 0, modified: now, sizeBytes: 0 };
  await fileSystem.create(place, { kind: "symlink", ...metadata, linkTarget: target });
}

async function placeOfLink(fileSystem: EditableFileSystem, edit: LinkEdit): Promise<Destination> {
  const ownName = path.posix.basename(edit.target);
  if (!edit.noDereference) return destinationOf(fileSystem, edit.path, ownName, { mustBeDirectory: false });
  const { place, id } = await existingAt(fileSystem, edit.path);
  if (id === undefined) return destinationOf(fileSystem, edit.path, ownName, { mustBeDirectory: false });
  const isDirectory = (await fileSystem.stat(id)).kind === "directory";
  return isDirectory ? { directory: id, name: ownName, directoryPath: edit.path } : place;
}

/** With `-f` nothing is lost to a link to itself: a symbolic one says where it leads from its own directory. */
async function refuseItself(fileSystem: EditableFileSystem, place: Destination, edit: LinkEdit): Promise<void> {
  const { target, symbolic } = edit;
  const isRelative = symbolic && !target.startsWith("/");
  const meant = await placeOrNone(fileSystem, isRelative ? `${place.directoryPath}/${target}` : target);
  if (meant?.directory === place.directory && meant.name === place.name) {
    throw sameFile("link", edit.path);
  }
}

async function placeOrNone(fileSystem: EditableFileSystem, filePath: string): Promise<NamePlace | undefined> {
  try {
    return await placeAt(fileSystem, filePath);
  } catch (error) {
    if (error instanceof Failure && (error.code === "not-found" || error.code === "usage")) return undefined;
    throw error;
  }
}

async function refuseReplacing(fileSystem: EditableFileSystem, existing: number, edit: LinkEdit): Promise<void> {
  const quoted = `"${printableName(edit.path)}"`;
  if ((await fileSystem.stat(existing)).kind === "directory") {
    throw new Failure("exists", `cannot make the link ${quoted}: there is a directory of that name`);
  }
  if (edit.force) return;
  throw new Failure("exists", `cannot make the link ${quoted}: there is a file of that name`, {
    hint: "-f replaces it",
  });
}
