import { Failure } from "../base/index.ts";
import { resolvePath, type EditableFileSystem } from "../filesystem/index.ts";
import type { OwnerWords } from "./edit.ts";

/** A file of accounts longer than this is not read. */
const accountsLimitBytes = 4 * 1024 * 1024;
const largestId = 2 ** 32 - 2;

/** The numbers of an owner: given as such, or as names that the image's own /etc/passwd and /etc/group have. */
export async function ownerFrom(
  fileSystem: EditableFileSystem,
  { user, group }: OwnerWords,
): Promise<{ readonly uid?: number; readonly gid?: number }> {
  return {
    ...(user === undefined ? {} : { uid: await idOf(fileSystem, user, "/etc/passwd") }),
    ...(group === undefined ? {} : { gid: await idOf(fileSystem, group, "/etc/group") }),
  };
}

async function idOf(fileSystem: EditableFileSystem, word: string, file: string): Promise<number> {
  if (/^\d+$/.test(word) && Number(word) <= largestId) return Number(word);
  const line = (await linesOf(fileSystem, file)).find((one) => one.startsWith(`${word}:`));
  const id = Number(line?.split(":")[2] ?? Number.NaN);
  if (Number.isSafeInteger(id)) return id;
  throw new Failure("not-found", `cannot find "${word}" in the image's ${file}`, { hint: "give a number" });
}

async function linesOf(fileSystem: EditableFileSystem, file: string): Promise<readonly string[]> {
  try {
    const id = await resolvePath(fileSystem, file);
    const { kind, sizeBytes } = await fileSystem.stat(id);
    if (kind !== "file" || sizeBytes > accountsLimitBytes) return [];
    const whole = new Uint8Array(sizeBytes);
    for await (const { at, bytes } of fileSystem.content(id)) whole.set(bytes, at);
    return Buffer.from(whole).toString("utf8").split("\n");
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return [];
    throw error;
  }
}
