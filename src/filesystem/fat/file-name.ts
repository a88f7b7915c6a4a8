import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { longNameLimit } from "./long-name.ts";

/** What two names have in common that FAT takes for one: each character in upper case. */
export function foldedName(name: string): string {
  return name.toUpperCase();
}

// oxlint-disable-next-line no-control-regex
const impossible = /[\u0000-\u001f"*/:<>?\\|\u007f]/;
const strayBytes = /[\udc80-\udcff]/;

/** Throws `failed` for a name that FAT cannot hold. */
export function refuseBadName(name: string): void {
  const why = whyBadName(name);
  if (why === undefined) return;
  throw new Failure("failed", `cannot use the name "${printableName(name)}" on FAT: ${why}`);
}

function whyBadName(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return "it is not one";
  const character = impossible.exec(name)?.[0];
  if (character !== undefined) return `it has ${JSON.stringify(character)} in it`;
  if (strayBytes.test(name) || !name.isWellFormed()) return "it is not valid UTF-8";
  if (/[. ]$/.test(name)) return "it ends in a dot or a space";
  if (name.length > longNameLimit) return `it has more than ${longNameLimit} characters`;
  return undefined;
}
