import * as path from "node:path";
import { Failure, type JobOptions } from "../base/index.ts";
import { resolvePath, type EditableFileSystem, type NamePlace } from "../filesystem/index.ts";
import type { Timestamp } from "../tree/index.ts";
import type { Edit } from "./edit.ts";

/** What edits are applied to, and how. */
export interface EditContext {
  readonly fileSystem: EditableFileSystem;
  readonly now: Timestamp;
  readonly job: JobOptions;
}

/** The directory that a path goes through and the name that it ends with. */
export async function placeAt(fileSystem: EditableFileSystem, filePath: string): Promise<NamePlace> {
  const trimmed = filePath.replace(/\/+$/, "");
  const name = path.posix.basename(trimmed);
  if (name === "" || name === "." || name === "..") {
    throw new Failure("usage", `cannot change "${filePath}": it names no file in a folder`);
  }
  const directory = await resolvePath(fileSystem, path.posix.dirname(`/${trimmed}`));
  if ((await fileSystem.stat(directory)).kind !== "directory") {
    throw new Failure("not-found", `cannot find "${filePath}": "${path.posix.dirname(trimmed)}" is not a directory`);
  }
  return { directory, name };
}

/** The id of the directory at a path, links followed; undefined where there is none. */
export async function directoryAt(fileSystem: EditableFileSystem, filePath: string): Promise<number | undefined> {
  try {
    const id = await resolvePath(fileSystem, filePath);
    return (await fileSystem.stat(id)).kind === "directory" ? id : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}

/** Makes a directory, with `parents` those on the way too; then one that is there already will do. */
export async function makeDirectory(
  { fileSystem, now }: EditContext,
  filePath: string,
  { parents, mode }: Pick<Extract<Edit, { readonly verb: "mkdir" }>, "parents" | "mode">,
): Promise<void> {
  const names = filePath.split("/").filter((name) => name !== "");
  for (let count = parents ? 1 : names.length; count <= names.length; count++) {
    const part = `/${names.slice(0, count).join("/")}`;
    if (parents && (await directoryAt(fileSystem, part)) !== undefined) continue;
    const isLast = count === names.length;
    await fileSystem.create(await placeAt(fileSystem, part), {
      kind: "directory",
      mode: isLast && mode !== undefined ? mode(0o755, true) : 0o755,
      uid: 0,
      gid: 0,
      modified: now,
      sizeBytes: 0,
    });
  }
}

/** Where something comes that is moved or put: into a directory under its own name, or under a new one. */
export async function destinationOf(
  fileSystem: EditableFileSystem,
  to: string,
  ownName: string,
  options: { readonly mustBeDirectory: boolean },
): Promise<NamePlace> {
  const directory = await directoryAt(fileSystem, to);
  if (directory !== undefined) return { directory, name: ownName };
  if (options.mustBeDirectory || to.endsWith("/")) {
    throw new Failure("not-found", `cannot find the directory "${to}"`, { hint: "mkdir makes it" });
  }
  return placeAt(fileSystem, to);
}
