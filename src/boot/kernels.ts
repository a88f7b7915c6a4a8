import type { FileSystem } from "../filesystem/index.ts";
import { readBootEntries, unranked, type FoundEntry } from "./boot-entries.ts";
import { compareVersions } from "./compare-versions.ts";
import { idOf, namesIn, unlessDamaged } from "./file-id.ts";
import { readKernelHeader, type Architecture } from "./kernel-image.ts";
import { earlyInitrdNames, initrdNames, kernelNamed } from "./kernel-names.ts";
import { findUnifiedKernels } from "./unified-kernels.ts";

/** How a menu of the image starts a kernel. */
export interface BootEntry {
  readonly title: string;
  /** Variables of the menu stay as they are written. */
  readonly commandLine: string;
  /** Those that are there, in the order in which they are loaded. */
  readonly initrds: readonly string[];
}

/** A kernel, by paths from the root of its file system. */
export interface Kernel {
  readonly version: string;
  readonly path: string;
  readonly initrd?: string;
  /** All that is loaded with it, `initrd` among them, where there is more than one: microcode comes first. */
  readonly initrds?: readonly string[];
  /** Its command line, where a boot menu has one. Variables of the menu stay as they are written. */
  readonly commandLine?: string;
  /** The machine that it is for, where its header tells. */
  readonly architecture?: Architecture;
  /** How the menus of the image start it, where they do. */
  readonly entries?: readonly BootEntry[];
  /** It is a program for UEFI that has initrd and command line in it. */
  readonly isUnified?: true;
}

export interface FindKernelsOptions {
  /** Told of what cannot be read and is left out: a sentence. */
  readonly onWarning?: (message: string) => void;
}

type Warn = (message: string) => void;

/** Names that need no quoting in grub.cfg; distributions use no others. */
const plainName = /^[\w.+~-]+$/;
const kernelLimit = 256;

/**
 * The kernels in `/boot`, or of a boot partition in its root: those of entries of the Boot Loader Specification in its
 * order, the others with the newest first, then unified ones. None where there is none.
 */
export async function findKernels(
  fileSystem: FileSystem,
  { onWarning = () => {} }: FindKernelsOptions = {},
): Promise<readonly Kernel[]> {
  const entries = await readBootEntries(fileSystem, onWarning);
  const found = new Map<number, Kernel & { readonly rank: number }>();
  const add = async (named: NamedKernel): Promise<void> => {
    if (found.size === kernelLimit || found.has(named.id)) return;
    const kernel = await unlessDamaged(named.path, onWarning, () => describe(fileSystem, named, entries));
    if (kernel !== undefined) found.set(named.id, kernel);
  };
  for (const named of await namedKernels(fileSystem, onWarning)) await add(named);
  for (const { id, path, version } of entries) await add({ id, path, version, initrds: [] });
  const sorted = [...found.values()].toSorted((a, b) => a.rank - b.rank || compareVersions(b.version, a.version));
  const kernels = sorted.map(({ rank, ...kernel }): Kernel => kernel);
  return [...kernels, ...(await findUnifiedKernels(fileSystem, onWarning))];
}

interface NamedKernel {
  readonly id: number;
  readonly path: string;
  readonly version: string;
  readonly initrds: readonly string[];
}

/** Kernels by the names that files in `/boot` have; if there are none, by those in the root. */
async function namedKernels(fileSystem: FileSystem, onWarning: Warn): Promise<readonly NamedKernel[]> {
  const inBoot = await namedKernelsIn(fileSystem, "/boot", onWarning);
  return inBoot.length > 0 ? inBoot : namedKernelsIn(fileSystem, "", onWarning);
}

async function namedKernelsIn(
  fileSystem: FileSystem,
  folder: string,
  onWarning: Warn,
): Promise<readonly NamedKernel[]> {
  const names = (await namesIn(fileSystem, folder === "" ? "/" : folder)).filter((name) => plainName.test(name));
  const all = new Set(names);
  const kernels: NamedKernel[] = [];
  for (const name of names) {
    const named = kernelNamed(name);
    const path = `${folder}/${name}`;
    const id = named === undefined ? undefined : await idOf(fileSystem, path, "file");
    if (named === undefined || id === undefined) continue;
    const isKernel = async (): Promise<boolean> => (await readKernelHeader(fileSystem, id)).architecture !== undefined;
    if (named.isVague && (await unlessDamaged(path, onWarning, isKernel)) !== true) continue;
    const initrd = initrdNames(named.version).find((candidate) => all.has(candidate));
    const early = earlyInitrdNames.filter((candidate) => all.has(candidate));
    const initrds = initrd === undefined ? [] : [...early, initrd].map((one) => `${folder}/${one}`);
    kernels.push({ id, path, version: named.version, initrds });
  }
  // A name without a version is often a link to one that has it.
  return kernels.toSorted((a, b) => Number(a.version === "") - Number(b.version === ""));
}

/** A kernel with what its header and the menus tell. Its rank is the place among entries that have an order. */
async function describe(
  fileSystem: FileSystem,
  { id, path, version, initrds: namedInitrds }: NamedKernel,
  all: readonly FoundEntry[],
): Promise<Kernel & { readonly rank: number }> {
  const own = all.filter((entry) => entry.id === id);
  const { architecture = own.find((entry) => entry.architecture !== undefined)?.architecture, release } =
    await readKernelHeader(fileSystem, id);
  const entries = own.map(({ title, commandLine, initrds }): BootEntry => ({ title, commandLine, initrds }));
  const withInitrd = entries.find(({ initrds }) => initrds.length > 0)?.initrds ?? [];
  const initrds = namedInitrds.length > 0 ? namedInitrds : withInitrd;
  const initrd = initrds.at(-1);
  return {
    version: version || (release ?? path.slice(path.lastIndexOf("/") + 1)),
    path,
    ...(initrd === undefined ? {} : { initrd }),
    ...(initrds.length < 2 ? {} : { initrds }),
    ...(entries[0] === undefined ? {} : { commandLine: entries[0].commandLine, entries }),
    ...(architecture === undefined ? {} : { architecture }),
    rank: own.length === 0 ? unranked : Math.min(...own.map(({ rank }) => rank)),
  };
}
