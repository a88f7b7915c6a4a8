import { readText, type FileSystem } from "../filesystem/index.ts";
import { idOf, namesIn } from "./file-id.ts";
import { parseGrubMenu } from "./grub-menu.ts";
import type { Architecture } from "./kernel-image.ts";
import { compareEntries, parseLoaderEntry, type LoaderEntry } from "./loader-entry.ts";

/** An entry of a menu in the image whose kernel is there. Paths are from the root of the file system. */
export interface FoundEntry {
  /** Of its kernel. */
  readonly id: number;
  readonly path: string;
  readonly version: string;
  readonly title: string;
  readonly commandLine: string;
  readonly initrds: readonly string[];
  readonly architecture?: Architecture;
  /** Its place, where its kind of entries has an order. */
  readonly rank: number;
}

/** Of what has no order. Entries that were tried in vain come behind it. */
export const unranked = 1_000_000;

type Warn = (message: string) => void;

/** Where a boot partition may be seen: mounted, or as the file system itself. Paths in its menus count from there. */
export const bootRoots = ["/boot", "/boot/efi", "/efi", ""] as const;
const menus = ["/grub/grub.cfg", "/grub2/grub.cfg"];
const menuLimitBytes = 4 * 1024 * 1024;
const entryLimitBytes = 64 * 1024;
const entryLimit = 256;

/** Paths that need no quoting in grub.cfg. */
const plainPath = /^[\w./+~@%:,=-]+$/;

/** What the menus in an image start, in their order: those of GRUB, then entries of the Boot Loader Specification. */
export async function readBootEntries(fileSystem: FileSystem, onWarning: Warn): Promise<readonly FoundEntry[]> {
  const found: FoundEntry[] = [];
  for (const root of bootRoots) found.push(...(await readMenus(fileSystem, root, onWarning)));
  for (const root of bootRoots) found.push(...(await readLoaderEntries(fileSystem, root, onWarning)));
  return found;
}

async function readMenus(fileSystem: FileSystem, root: string, onWarning: Warn): Promise<readonly FoundEntry[]> {
  const found: FoundEntry[] = [];
  for (const menu of menus) {
    const path = root + menu;
    if ((await idOf(fileSystem, path, "file")) === undefined) continue;
    const text = await readText(fileSystem, path, menuLimitBytes);
    if (text === undefined) onWarning(`"${path}" is too long to be a menu, and is not read`);
    for (const { title, linux, initrds, options } of parseGrubMenu(text ?? "")) {
      const kernel = await fileAt(fileSystem, root, linux);
      if (kernel === undefined) continue; // menus keep entries of kernels that are gone
      const there = await existing(fileSystem, root, initrds);
      found.push({ ...kernel, version: "", title, commandLine: options, initrds: there, rank: unranked });
    }
  }
  return found;
}

async function readLoaderEntries(
  fileSystem: FileSystem,
  root: string,
  onWarning: Warn,
): Promise<readonly FoundEntry[]> {
  const folder = `${root}/loader/entries`;
  const names = (await namesIn(fileSystem, folder)).filter((name) => name.endsWith(".conf"));
  if (names.length > entryLimit) onWarning(`"${folder}" has ${names.length} entries, of which ${entryLimit} are read`);
  const entries: LoaderEntry[] = [];
  for (const name of names.slice(0, entryLimit)) {
    const text = await readText(fileSystem, `${folder}/${name}`, entryLimitBytes);
    if (text === undefined) onWarning(`"${folder}/${name}" is no boot entry: it is no file, or too long`);
    else entries.push(parseLoaderEntry(name, text));
  }
  const found: FoundEntry[] = [];
  for (const [rank, entry] of entries.toSorted(compareEntries).entries()) {
    if (entry.linux === "") continue;
    const kernel = await fileAt(fileSystem, root, entry.linux);
    if (kernel === undefined) {
      onWarning(`"${folder}/${entry.id}.conf" names a kernel that is not there: "${entry.linux}"`);
      continue;
    }
    const place = entry.isBad ? unranked + 1 + rank : rank;
    found.push({ ...kernel, ...(await describe(fileSystem, root, entry)), rank: place });
  }
  return found;
}

/** How the specification calls machines, in the words of UEFI. */
const architectures: ReadonlyMap<string, Architecture> = new Map([
  ["x64", "x86_64"],
  ["ia32", "i386"],
  ["aa64", "arm64"],
  ["arm", "arm"],
  ["riscv64", "riscv64"],
]);

async function describe(
  fileSystem: FileSystem,
  root: string,
  { id, title, version, options, initrds, architecture: word }: LoaderEntry,
): Promise<Omit<FoundEntry, "id" | "path" | "rank">> {
  const architecture = architectures.get(word.toLowerCase());
  return {
    version,
    title: title || id,
    commandLine: options,
    initrds: await existing(fileSystem, root, initrds),
    ...(architecture === undefined ? {} : { architecture }),
  };
}

/** A file that a menu names: from the boot partition's root, or from that of the system. */
async function fileAt(
  fileSystem: FileSystem,
  root: string,
  path: string,
): Promise<{ readonly id: number; readonly path: string } | undefined> {
  if (!plainPath.test(path)) return undefined;
  const absolute = path.startsWith("/") ? path : `/${path}`;
  for (const candidate of new Set([root + absolute, absolute])) {
    const id = await idOf(fileSystem, candidate, "file");
    if (id !== undefined) return { id, path: candidate };
  }
  return undefined;
}

async function existing(fileSystem: FileSystem, root: string, paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const file = await fileAt(fileSystem, root, path);
    if (file !== undefined) found.push(file.path);
  }
  return found;
}
