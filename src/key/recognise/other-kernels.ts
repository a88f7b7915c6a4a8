import type { BootEntry, ImagePlace } from "./boot-entry.ts";
import type { FoundBoot } from "./choose-family.ts";
import type { MenuEntry } from "./menu-entry.ts";
import { cleanTitle } from "./title.ts";
import { mergedWords } from "./words.ts";

/** The entry of a kernel that is not Linux, or not started as such. */
export function otherEntry(entry: MenuEntry, found: FoundBoot | undefined, words: readonly string[]): BootEntry {
  const { kernel, modules } = entry;
  const bsd = found?.boot.bsd;
  const base = { title: cleanTitle(entry.title), architecture: bsd?.architecture ?? "x86_64" } as const;
  if (bsd === undefined) {
    const kind = entry.kind === "multiboot2" ? "multiboot2" : "multiboot";
    return { ...base, how: { kind, kernel, words: mergedWords(entry.words, words), modules }, firmwares: ["bios"] };
  }
  const images = bsd.modules.map((module) => ({ image: placeOf(module.path), words: module.words }));
  const how = { kind: "bsd", loader: bsd.loader, kernel, modules: images, environment: bsd.environment ?? {} } as const;
  return { ...base, how, firmwares: ["bios", "uefi"] };
}

function placeOf(path: string): ImagePlace {
  return path === "whole" ? { kind: "whole" } : { kind: "file", path };
}
