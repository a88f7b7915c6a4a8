import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { FileKind } from "./recognise/index.ts";

/** The file of its entries has `.cfg` behind it. */
const longestName = 240;
/** What no FAT, where the entries are kept, can have in a name. */
// oxlint-disable-next-line no-control-regex
const impossible = /[\u0000-\u001f"*:<>?\\|\u007f]/;
/** What names of each kind end in, and what else stands there for the same. Kernels end in anything. */
const endings: Readonly<Record<FileKind, { readonly usual: string; readonly known: RegExp }>> = {
  iso: { usual: ".iso", known: /\.iso$/i },
  "efi-program": { usual: ".efi", known: /\.efi$/i },
  "floppy-image": { usual: ".img", known: /\.(?:img|ima|flp|vfd|dsk|raw)$/i },
  "disk-image": { usual: ".img", known: /\.(?:img|ima|raw|dd)$/i },
  kernel: { usual: "", known: /$/ },
};
/** The files of a folder's entries have one that is called so, without its ending. */
const reserved = /^index$/i;

/** What the menu lists by its name alone: ISO files, programs for UEFI, and images of floppies and disks. */
export function isStartableName(name: string): boolean {
  return /\.(?:iso|efi|img)$/i.test(name);
}

/**
 * The name for a file on a key where the user gives none. Initrds look for their ISO by its path, which comes to
 * them in words that are divided by spaces, and mount the partition with whatever character set they have.
 */
export function safeName(fileName: string, kind: FileKind): string {
  const { known, usual } = endings[kind];
  const base = fileName
    .replace(known, "")
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "");
  const plain = base.replaceAll(/[^\w.+~-]+/g, "_").replaceAll(/^[._]+|[._]+$/g, "");
  const name = plain === "" ? "image" : reserved.test(plain + usual) ? `${plain}_` : plain;
  return `${name.slice(0, longestName - usual.length)}${usual}`;
}

/** Whether every initrd finds a file of this path. */
export function isSafePath(path: string): boolean {
  return /^[\w.+~/-]+$/.test(path);
}

/** The path on isos, from its root, of a name that a user gives: `debian/12.iso`. Throws `usage` where it cannot be one. */
export function pathOfName(name: string, kind: FileKind): string {
  const { known, usual } = endings[kind];
  const parts = name.split("/").filter((part) => part !== "");
  const last = parts.pop() ?? "";
  const path = [...parts, known.test(last) ? last : `${last}${usual}`];
  const isTaken = reserved.test(path.at(-1) ?? "");
  const bad = isTaken ? "the menu has a file of that name" : path.map(whyBadName).find((why) => why !== undefined);
  if (last !== "" && bad === undefined) return `/${path.join("/")}`;
  throw new Failure("usage", `cannot use the name "${printableName(name)}" on a key: ${bad ?? "it is empty"}`);
}

function whyBadName(name: string): string | undefined {
  const character = impossible.exec(name)?.[0];
  if (character !== undefined) return `${JSON.stringify(character)} cannot be in one`;
  if (/^\.|[. ]$/.test(name)) return "it begins with a dot, or ends in a dot or a space";
  if (name.length > longestName) return `it has more than ${longestName} characters`;
  return name.isWellFormed() ? undefined : "it is not valid Unicode";
}
