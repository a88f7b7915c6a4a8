import { Failure } from "../base/index.ts";
import { resolvePath, type FileSystem } from "../filesystem/index.ts";

/** Menus that distributions make. */
const menus = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"];
/** Entries of the Boot Loader Specification, one file each. */
const entriesFolder = "/boot/loader/entries";
const menuLimitBytes = 4 * 1024 * 1024;
const entryLimit = 256;

/** The command lines of kernels by the names of their files, as boot menus have them: the first of each. */
export async function readKernelArguments(fileSystem: FileSystem): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const add = (kernel: string, words: string): void => {
    const name = kernel.slice(kernel.lastIndexOf("/") + 1);
    if (!found.has(name)) found.set(name, words.trim());
  };
  for (const path of menus) {
    const text = await readText(fileSystem, path);
    for (const [, kernel = "", words = ""] of text.matchAll(/^[ \t]*linux(?:16|efi)?[ \t]+(\S+)(.*)$/gm))
      add(kernel, words);
  }
  for (const name of await namesIn(fileSystem, entriesFolder)) {
    const text = await readText(fileSystem, `${entriesFolder}/${name}`);
    const kernel = /^linux[ \t]+(\S+)/m.exec(text)?.[1];
    const options = Array.from(text.matchAll(/^options[ \t]+(.*)$/gm), ([, words = ""]) => words.trim());
    if (kernel !== undefined) add(kernel, options.join(" "));
  }
  return found;
}

async function namesIn(fileSystem: FileSystem, path: string): Promise<readonly string[]> {
  const folder = await existing(fileSystem, path, "directory");
  const names: string[] = [];
  if (folder === undefined) return names;
  for await (const items of fileSystem.list(folder)) {
    for (const { name } of items) if (name.endsWith(".conf") && names.length < entryLimit) names.push(name);
  }
  return names.toSorted();
}

/** The text of a file; none where it is not there, or is too long to be a menu. */
async function readText(fileSystem: FileSystem, path: string): Promise<string> {
  const id = await existing(fileSystem, path, "file");
  if (id === undefined) return "";
  const { sizeBytes } = await fileSystem.stat(id);
  if (sizeBytes > menuLimitBytes) return "";
  const bytes = Buffer.alloc(sizeBytes);
  for await (const piece of fileSystem.content(id)) bytes.set(piece.bytes, piece.at);
  return bytes.toString("utf8");
}

async function existing(fileSystem: FileSystem, path: string, kind: string): Promise<number | undefined> {
  try {
    const id = await resolvePath(fileSystem, path);
    return (await fileSystem.stat(id)).kind === kind ? id : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}
