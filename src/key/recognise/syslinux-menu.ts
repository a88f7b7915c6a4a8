import * as posix from "node:path/posix";
import type { Disc } from "./disc.ts";
import { menuDepthLimit, menuEntryLimit, menuFileLimit, type MenuEntry } from "./menu-entry.ts";

const lineLimit = 20_000;
/** Menus and other parts of the boot loader itself. */
const loaderModule = /\.(?:c32|com|cbt|0)$/i;
const multibootModule = /mboot\.c32$/i;

interface Label {
  readonly name: string;
  readonly menu: string;
  title?: string;
  kernel?: string;
  append?: string;
  initrd?: string;
}

/** The entries of a menu of ISOLINUX or SYSLINUX that start kernels (its wiki, "Config" and "Menu"), in order. */
export async function readSyslinuxMenu(disc: Disc, path: string): Promise<readonly MenuEntry[]> {
  const reader = new Reader(disc);
  await reader.readFile(path, { folder: posix.dirname(path), depth: 0 });
  return reader.entries();
}

/** Names are relative to the folder of the first file, wherever they stand, unless `CONFIG` changes it. */
interface Where {
  readonly folder: string;
  readonly depth: number;
}

class Reader {
  readonly #disc: Disc;
  readonly #labels: { readonly label: Label; readonly folder: string }[] = [];
  #filesLeft = menuFileLimit;
  #linesLeft = lineLimit;
  #commonAppend = "";
  /** Inside a text for people, which is no menu. */
  #isInText = false;

  constructor(disc: Disc) {
    this.#disc = disc;
  }

  async readFile(path: string, where: Where): Promise<void> {
    if (where.depth > menuDepthLimit || this.#filesLeft-- <= 0) return;
    const text = await this.#disc.text(path);
    for (const line of (text ?? "").split(/\r?\n/)) {
      if (this.#linesLeft-- <= 0 || this.#labels.length > menuEntryLimit) return;
      const [, keyword = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line.trim()) ?? [];
      await this.#line(keyword.toLowerCase(), rest, { path, where });
    }
  }

  entries(): readonly MenuEntry[] {
    return this.#labels.slice(0, menuEntryLimit).flatMap(({ label, folder }) => {
      const entry = this.#entryOf(label, folder);
      return entry === undefined ? [] : [entry];
    });
  }

  async #line(keyword: string, rest: string, { path, where }: { path: string; where: Where }): Promise<void> {
    const label = this.#labels.at(-1)?.label;
    const deeper = { ...where, depth: where.depth + 1 };
    if (this.#isInText || keyword === "text") {
      this.#isInText = keyword !== "endtext";
      return;
    }
    switch (keyword) {
      case "label":
        this.#labels.push({ label: { name: rest, menu: path }, folder: where.folder });
        return;
      case "menu":
        return this.#menuLine(rest, label, deeper);
      case "include":
        return this.readFile(inFolder(where.folder, rest), deeper);
      case "config":
        return this.#configLine(rest, label, deeper);
      case "kernel":
      case "linux":
        if (label !== undefined) label.kernel = rest;
        return;
      case "append":
        if (label === undefined) this.#commonAppend = rest;
        else label.append = rest;
        return;
      case "initrd":
        if (label !== undefined) label.initrd = rest;
    }
  }

  async #menuLine(rest: string, label: Label | undefined, where: Where): Promise<void> {
    const [, keyword = "", text = ""] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
    if (keyword.toLowerCase() === "label" && label !== undefined) label.title = text.replaceAll("^", "");
    if (keyword.toLowerCase() === "include")
      await this.readFile(inFolder(where.folder, text.split(/\s+/)[0] ?? ""), where);
  }

  /** Another file takes over, in the folder that may be named behind it. */
  async #configLine(rest: string, label: Label | undefined, where: Where): Promise<void> {
    const [file = "", folder] = rest.split(/\s+/);
    const path = inFolder(where.folder, file);
    if (label !== undefined && label.kernel !== undefined) return;
    await this.readFile(path, {
      ...where,
      folder: folder === undefined ? where.folder : inFolder(where.folder, folder),
    });
  }

  #entryOf({ name, title, kernel: line = "", append, initrd, menu }: Label, folder: string): MenuEntry | undefined {
    const [kernel = "", ...kernelWords] = line.split(/\s+/);
    const isMultiboot = multibootModule.test(kernel);
    if (kernel === "" || (!isMultiboot && loaderModule.test(kernel))) return undefined;
    const common = append === undefined ? this.#commonAppend : append === "-" ? "" : append;
    const all = [...kernelWords, ...common.split(/\s+/)].filter((word) => word !== "");
    const base = { title: title ?? name, menu };
    if (isMultiboot) return multibootOf(all, folder, base);
    const initrds = [initrd, ...all.filter((word) => /^initrd=/i.test(word)).map((word) => word.slice(7))];
    return {
      ...base,
      kind: "linux",
      kernel: inFolder(folder, kernel),
      words: all.filter((word) => !/^(?:initrd|BOOT_IMAGE)=/i.test(word)),
      initrds: [...new Set(initrds.flatMap((list) => list?.split(",") ?? []))]
        .filter((one) => one !== "")
        .map((one) => inFolder(folder, one)),
      modules: [],
    };
  }
}

/** `mboot.c32 kernel words --- module words --- module` */
function multibootOf(all: readonly string[], folder: string, base: Pick<MenuEntry, "title" | "menu">): MenuEntry {
  const parts: string[][] = [[]];
  for (const word of all) {
    if (word === "---") parts.push([]);
    else parts.at(-1)?.push(word);
  }
  const [[kernel = "", ...words] = [], ...modules] = parts;
  const module = ([path = "", ...rest]: readonly string[]): MenuEntry["modules"][number] => {
    return { path: inFolder(folder, path), words: rest };
  };
  return {
    ...base,
    kind: "multiboot",
    kernel: inFolder(folder, kernel),
    words,
    initrds: [],
    modules: modules.map(module),
  };
}

function inFolder(folder: string, path: string): string {
  return posix.normalize(path.startsWith("/") ? path : posix.join(folder, path));
}
