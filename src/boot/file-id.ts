import { Failure } from "../base/index.ts";
import { resolvePath, type FileSystem } from "../filesystem/index.ts";

/** The id of a regular file or a directory, links followed; undefined where there is none of that name and kind. */
export async function idOf(
  fileSystem: FileSystem,
  path: string,
  kind: "file" | "directory",
): Promise<number | undefined> {
  try {
    const id = await resolvePath(fileSystem, path);
    return (await fileSystem.stat(id)).kind === kind ? id : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}

/** A directory is read to here; no folder of kernels has as many names. */
const nameLimit = 4096;

/** The names in a directory, in order; none where there is no such directory. */
export async function namesIn(fileSystem: FileSystem, path: string): Promise<readonly string[]> {
  const folder = await idOf(fileSystem, path, "directory");
  const names: string[] = [];
  if (folder === undefined) return names;
  for await (const batch of fileSystem.list(folder)) {
    names.push(...batch.map(({ name }) => name));
    if (names.length >= nameLimit) break;
  }
  return names.toSorted();
}

/** What is read of a file; undefined, with a warning, where the file system is damaged there. */
export async function unlessDamaged<Value>(
  path: string,
  onWarning: (message: string) => void,
  read: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Failure && error.code === "damaged")) throw error;
    onWarning(`"${path}" cannot be read, and is left out: ${error.message}`);
    return undefined;
  }
}
