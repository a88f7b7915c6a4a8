import { Failure } from "../base/index.ts";
import { readText, type EditableFileSystem } from "../filesystem/index.ts";
import type { OwnerWords } from "./edit.ts";

/** A file of accounts longer than this is not read. */
const accountsLimitBytes = 4 * 1024 * 1024;
/** The highest number stands for "no change" (chown(2)). */
const largestId = 2 ** 32 - 2;

/** Where the numbers stand in a line of passwd(5) and group(5). */
const ownNumberField = 2;
const loginGroupField = 3;

/** The numbers of an owner: given as such, or as names that the image's own /etc/passwd and /etc/group have. */
export async function ownerFrom(
  fileSystem: EditableFileSystem,
  { user, group }: OwnerWords,
): Promise<{ readonly uid?: number; readonly gid?: number }> {
  const numbers: { uid?: number; gid?: number } = {};
  if (user !== undefined) numbers.uid = numberIn(user) ?? (await fieldOf(fileSystem, "/etc/passwd", user));
  if (group === "login") numbers.gid = await loginGroupOf(fileSystem, user ?? "");
  else if (group !== undefined) {
    numbers.gid = numberIn(group.name) ?? (await fieldOf(fileSystem, "/etc/group", group.name));
  }
  return numbers;
}

function numberIn(word: string): number | undefined {
  if (!/^\d+$/.test(word)) return undefined;
  if (Number(word) <= largestId) return Number(word);
  throw new Failure("usage", `cannot use ${word} as an owner: ${largestId} is the largest number`);
}

async function loginGroupOf(fileSystem: EditableFileSystem, user: string): Promise<number> {
  if (!/^\d+$/.test(user)) return fieldOf(fileSystem, "/etc/passwd", user, loginGroupField);
  throw new Failure("usage", `cannot tell the group of "${user}:": a number has no login group`, {
    hint: `write ${user}:GROUP`,
  });
}

async function fieldOf(
  fileSystem: EditableFileSystem,
  file: string,
  name: string,
  field = ownNumberField,
): Promise<number> {
  const text = await readText(fileSystem, file, accountsLimitBytes);
  const line = text?.split("\n").find((one) => one.startsWith(`${name}:`));
  const number = line?.split(":")[field] ?? "";
  if (/^\d+$/.test(number) && Number(number) <= largestId) return Number(number);
  throw new Failure("not-found", `cannot find "${name}" in the image's ${file}`, { hint: "give a number" });
}
