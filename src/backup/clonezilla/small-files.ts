import { Failure } from "../../base/index.ts";
import { readBytes } from "../../device/index.ts";
import type { BackupStore } from "../store/index.ts";

/** What small files are read from. */
export interface FolderFiles {
  /** What is in the folder, by its names. */
  readonly store: BackupStore;
  /** The files in it, with their sizes. */
  readonly files: ReadonlyMap<string, number>;
}

const smallFileLimitBytes = 4 * 1024 * 1024;

/** A small file of a backup; undefined where it is not there. */
export async function readSmallFile(
  { store, files }: FolderFiles,
  name: string,
  limitBytes = smallFileLimitBytes,
): Promise<Buffer | undefined> {
  const sizeBytes = files.get(name);
  if (sizeBytes === undefined) return undefined;
  if (sizeBytes > limitBytes) {
    throw new Failure("damaged", `cannot read "${name}": it takes ${sizeBytes} bytes, at most ${limitBytes} are read`);
  }
  await using reader = await store.open(name);
  return Buffer.from((await readBytes(reader, 0, Math.min(sizeBytes, reader.sizeBytes))).buffer);
}

export async function textOf(folder: FolderFiles, name: string): Promise<string> {
  return (await readSmallFile(folder, name))?.toString() ?? "";
}

/** What a list of names has; a `/` in them is a `-` in the names of files. */
export async function namesIn(folder: FolderFiles, name: string): Promise<string[]> {
  const text = await textOf(folder, name);
  return text
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => word.replaceAll("/", "-"));
}
