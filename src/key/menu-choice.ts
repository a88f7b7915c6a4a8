import { Failure } from "../base/index.ts";
import { grubChoice } from "./grub-words.ts";
import { entryId, isoId } from "./iso-menu.ts";
import { isSubmenu, type Startable } from "./machines.ts";
import { isoNamed } from "./remove-isos.ts";

/** An entry that a user names: a file, and which of its entries, counted from 1. */
export interface NamedEntry {
  readonly path: string;
  /** Absent: none was named. */
  readonly number?: number;
}

/** What `debian.iso#2` means, or `debian.iso`. Throws `not-found` where the key has no such file. */
export function parseChoice(choice: string, paths: readonly string[]): NamedEntry {
  const [, named = "", number] = /^(.*?)(?:#(\d+))?$/.exec(choice) ?? [];
  return { path: isoNamed(named, paths), ...(number === undefined ? {} : { number: Number(number) }) };
}

/** How GRUB's `default` names an entry. Throws `not-found` where the file has no such entry. */
export function choiceInMenu({ path, number = 1 }: NamedEntry, entries: readonly Startable[]): string {
  const folders = Array.from(path.matchAll(/\//g), ({ index }) => path.slice(0, index + 1)).slice(1);
  const top = [...folders, isoId(path)];
  if (!isSubmenu(entries)) return grubChoice(top);
  if (number >= 1 && number <= entries.length) return grubChoice([...top, entryId(path, number)]);
  const name = path.slice(1);
  throw new Failure("not-found", `cannot find the entry "${name}#${number}": "${name}" has ${entries.length} entries`, {
    hint: "key list --json shows them",
  });
}
