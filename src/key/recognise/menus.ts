import type { Disc } from "./disc.ts";
import { readGrubMenu } from "./grub-menu.ts";
import { readLoaderEntries } from "./loader-entries.ts";
import type { MenuEntry } from "./menu-entry.ts";
import { readSyslinuxMenu } from "./syslinux-menu.ts";

/** Where ISOs have menus made to be started from a file (supergrub.org, "loopback.cfg"). */
const loopbackMenus = ["/boot/grub/loopback.cfg", "/boot/grub2/loopback.cfg", "/grub/loopback.cfg"];
const grubMenus = [
  "/boot/grub/grub.cfg",
  "/boot/grub2/grub.cfg",
  "/EFI/BOOT/grub.cfg",
  "/grub/grub.cfg",
  "/boot/grub/x86_64-efi/grub.cfg",
  "/EFI/debian/grub.cfg",
];
const syslinuxMenus = [
  "/isolinux/isolinux.cfg",
  "/isolinux.cfg",
  "/boot/isolinux/isolinux.cfg",
  "/boot/syslinux/isolinux.cfg",
  "/syslinux/isolinux.cfg",
  "/boot/syslinux/syslinux.cfg",
  "/syslinux/syslinux.cfg",
  "/syslinux.cfg",
  "/boot/x86_64/loader/isolinux.cfg",
];
const loaderFolder = "/loader/entries";

/** The menus that an ISO has. */
export interface Menus {
  /** Its menu for being started from a file, if what it refers to is there. */
  readonly loopback?: { readonly path: string; readonly entries: readonly MenuEntry[] };
  /** The entries of its other menus whose files are there, each way to start once. */
  readonly entries: readonly MenuEntry[];
  readonly evidence: readonly string[];
  readonly warnings: readonly string[];
}

export async function readMenus(disc: Disc): Promise<Menus> {
  const evidence: string[] = [];
  const warnings: string[] = [];
  const loopback = await readLoopback(disc, evidence, warnings);
  const entries: MenuEntry[] = [];
  const add = async (menu: string, found: readonly MenuEntry[]): Promise<void> => {
    const usable = await present(disc, found);
    if (found.length > 0) evidence.push(`menu ${menu}: ${usable.length} of ${found.length} entries have their files`);
    entries.push(...usable);
  };
  for (const menu of grubMenus) await add(menu, await readGrubMenu(disc, menu));
  await add(loaderFolder, await readLoaderEntries(disc, loaderFolder));
  for (const menu of syslinuxMenus) await add(menu, await readSyslinuxMenu(disc, menu));
  return { ...(loopback === undefined ? {} : { loopback }), entries: eachOnce(entries), evidence, warnings };
}

async function readLoopback(disc: Disc, evidence: string[], warnings: string[]): Promise<Menus["loopback"]> {
  for (const path of loopbackMenus) {
    const text = await disc.text(path);
    if (text === undefined) continue;
    const found = await readGrubMenu(disc, path);
    const entries = await present(disc, found);
    if (entries.length > 0 || (found.length === 0 && (await refersToFile(disc, text)))) {
      evidence.push(`${path}: a menu made for starting from a file`);
      return { path, entries };
    }
    warnings.push(`"${path}" is left aside: what it starts is not in the ISO`);
  }
  return undefined;
}

const pathsLookedFor = 50;

/** Whether any of the paths in a menu that starts no kernel itself is there. */
async function refersToFile(disc: Disc, text: string): Promise<boolean> {
  const paths = text.match(/\/[\w.+-]+(?:\/[\w.+-]+)+/g) ?? [];
  for (const path of paths.slice(0, pathsLookedFor)) if ((await disc.findFile(path)) !== undefined) return true;
  return false;
}

/** Those entries whose files are all there, with paths as the ISO spells them. */
async function present(disc: Disc, entries: readonly MenuEntry[]): Promise<readonly MenuEntry[]> {
  const spelled = async (path: string): Promise<string | undefined> => (await disc.findFile(path))?.path;
  const all: MenuEntry[] = [];
  for (const entry of entries) {
    const kernel = await spelled(entry.kernel);
    const initrds = await Promise.all(entry.initrds.map(spelled));
    const modules = await Promise.all(
      entry.modules.map(async ({ path, words }) => ({ path: await spelled(path), words })),
    );
    const areThere = initrds.every(isText) && modules.every(({ path }) => path !== undefined);
    if (kernel === undefined || !areThere) continue;
    all.push({
      ...entry,
      kernel,
      initrds: initrds.filter(isText),
      modules: modules.map(({ path, words }) => ({ path: path ?? "", words })),
    });
  }
  return all;
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}

/** Of entries that start the same files with the same words, or that another kind of menu has with other words, the first. */
function eachOnce(entries: readonly MenuEntry[]): readonly MenuEntry[] {
  const seen = new Set<string>();
  const menuOfFiles = new Map<string, string>();
  return entries.filter((entry) => {
    const files = [entry.kernel, ...entry.initrds, ...entry.modules.map(({ path }) => path)].join("\0");
    const all = `${files}\0${entry.words.toSorted().join(" ")}`;
    const family = menuFamily(entry.menu);
    const menu = menuOfFiles.get(files) ?? family;
    menuOfFiles.set(files, menu);
    if (seen.has(all) || menu !== family) return false;
    seen.add(all);
    return true;
  });
}

function menuFamily(menu: string): string {
  if (menu.startsWith(loaderFolder)) return "loader";
  return /grub/i.test(menu) ? "grub" : "syslinux";
}
