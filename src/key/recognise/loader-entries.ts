import type { Disc } from "./disc.ts";
import { menuEntryLimit, type MenuEntry } from "./menu-entry.ts";

/** The entries of systemd-boot, a file each (UAPI.1 Boot Loader Specification, "Type #1"), that start kernels. */
export async function readLoaderEntries(disc: Disc, folder: string): Promise<readonly MenuEntry[]> {
  const entries: MenuEntry[] = [];
  for (const name of await disc.names(folder)) {
    if (!name.endsWith(".conf") || entries.length >= menuEntryLimit) continue;
    const menu = `${folder}/${name}`;
    const text = (await disc.text(menu)) ?? "";
    const lines = text.split("\n").map((line) => line.trim());
    const valuesOf = (key: string): string[] =>
      lines.filter((line) => /^\S+/.exec(line)?.[0] === key).map((line) => line.slice(key.length).trim());
    const [kernel] = valuesOf("linux");
    if (kernel === undefined) continue;
    entries.push({
      title: valuesOf("title")[0] ?? name,
      kind: "linux",
      kernel,
      words: valuesOf("options").flatMap((line) => line.split(/\s+/).filter((word) => word !== "")),
      initrds: valuesOf("initrd"),
      modules: [],
      menu,
    });
  }
  return entries;
}
