import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";

/** The file of its entries has `.cfg` behind it. */
const longestName = 240;
/** What no FAT, where the entries are kept, can have in a name. */
// oxlint-disable-next-line no-control-regex
const impossible = /[\u0000-\u001f"*:<>?\\|\u007f]/;
const ending = /\.iso$/i;

/** ISO files by their names: what the menu lists. */
export function isIsoName(name: string): boolean {
  return ending.test(name);
}

/**
 * The name for an ISO file on a key where the user gives none. Initrds look for their ISO by its path, which comes to
 * them in words that are divided by spaces, and mount the partition with whatever character set they have.
 */
export function safeIsoName(fileName: string): string {
  const base = fileName
    .replace(ending, "")
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "");
  const plain = base.replaceAll(/[^\w.+~-]+/g, "_").replaceAll(/^[._]+|_+$/g, "");
  return `${(plain === "" ? "image" : plain).slice(0, longestName - ".iso".length)}.iso`;
}

/** Whether every initrd finds a file of this path. */
export function isSafePath(path: string): boolean {
  return /^[\w.+~/-]+$/.test(path);
}

/** The path on isos, from its root, of a name that a user gives: `debian/12.iso`. Throws `usage` where it cannot be one. */
export function pathOfName(name: string): string {
  const parts = name.split("/").filter((part) => part !== "");
  const last = parts.pop() ?? "";
  const path = [...parts, isIsoName(last) ? last : `${last}.iso`];
  const bad = path.map(whyBadName).find((why) => why !== undefined);
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
