import * as path from "node:path";
import { Failure, type JobOptions } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { resolvePath, type EditableFileSystem, type NamePlace } from "../filesystem/index.ts";
import type { Timestamp } from "../tree/index.ts";

/** What edits are applied to, and how. */
export interface EditContext {
  readonly fileSystem: EditableFileSystem;
  /** Path of the image: it is never put into itself. */
  readonly image: string;
  readonly now: Timestamp;
  /** Nothing will be committed: contents need not be read. */
  readonly isRehearsal: boolean;
  readonly job: JobOptions;
}

/** Where something comes: a name in a directory, and the path of that directory. */
export interface Destination extends NamePlace {
  readonly directoryPath: string;
}

/**
 * The directory that a path goes through and the name that it ends with. Throws `usage` for a path without a name of
 * its own, such as `/` and `a/..`.
 */
export async function placeAt(fileSystem: EditableFileSystem, filePath: string): Promise<Destination> {
  const trimmed = filePath.replace(/\/+$/, "");
  const name = path.posix.basename(trimmed);
  if (name === "" || name === "." || name === "..") {
    throw new Failure("usage", `cannot change "${printableName(filePath)}": it names no file in a directory`);
  }
  const directoryPath = path.posix.dirname(`/${trimmed}`);
  const directory = await resolvePath(fileSystem, directoryPath);
  if ((await fileSystem.stat(directory)).kind !== "directory") throw notDirectory(filePath, directoryPath);
  return { directory, name, directoryPath };
}

/** As `placeAt`, with the id of what has the name; undefined where nothing has. `a/` has to be a directory itself. */
export async function existingAt(
  fileSystem: EditableFileSystem,
  filePath: string,
): Promise<{ readonly place: Destination; readonly id: number | undefined }> {
  const place = await placeAt(fileSystem, filePath);
  const id = await fileSystem.find(place.directory, place.name);
  if (id === undefined || !filePath.endsWith("/")) return { place, id };
  if ((await fileSystem.stat(id)).kind !== "directory") {
    await resolvePath(fileSystem, filePath.replace(/\/+$/, "")); // a link that leads nowhere is not there
    throw new Failure("failed", `cannot change "${printableName(filePath)}": it is not a directory itself`);
  }
  return { place, id };
}

function notDirectory(filePath: string, what: string): Failure {
  const message = `cannot find "${printableName(filePath)}": "${printableName(what)}" is not a directory`;
  return new Failure("not-found", message);
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

/** Where something comes that is moved or put: into a directory under its own name, or under a new one. */
export async function destinationOf(
  fileSystem: EditableFileSystem,
  to: string,
  ownName: string,
  options: { readonly mustBeDirectory: boolean },
): Promise<Destination> {
  const directory = await directoryAt(fileSystem, to);
  if (directory !== undefined) return { directory, name: ownName, directoryPath: to };
  if (options.mustBeDirectory || to.endsWith("/")) {
    throw new Failure("not-found", `cannot find the directory "${printableName(to)}"`, { hint: "mkdir makes it" });
  }
  return placeAt(fileSystem, to);
}

/** Names that one edit has given: a second file is not to take the place of one that has just come. */
export class GivenNames {
  readonly #given = new Set<string>();

  add({ directory, name }: NamePlace, source: string): void {
    const key = `${directory}/${name}`;
    if (this.#given.has(key)) {
      const quoted = `"${printableName(source)}"`;
      throw new Failure("exists", `cannot let ${quoted} replace "${printableName(name)}", which has just come`);
    }
    this.#given.add(key);
  }
}
