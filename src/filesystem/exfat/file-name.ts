import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";

/** How many UTF-16 units a name may have (§7.6.3). */
const nameLimit = 255;
/** §7.7.3. */
// oxlint-disable-next-line no-control-regex
const impossible = /[\u0000-\u001f"*/:<>?\\|]/;
const strayBytes = /[\udc80-\udcff]/;

/** Throws `failed` for a name that exFAT cannot hold, or that other systems could not open. */
export function refuseBadName(name: string): void {
  const why = whyBadName(name) ?? (/[. ]$/.test(name) ? "it ends in a dot or a space" : undefined);
  if (why === undefined) return;
  throw new Failure("failed", `cannot use the name "${printableName(name)}" on exFAT: ${why}`);
}

/** Why exFAT cannot hold a name; undefined where it can. */
export function whyBadName(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return "it is not one";
  const character = impossible.exec(name)?.[0];
  if (character !== undefined) return `it has ${JSON.stringify(character)} in it`;
  if (strayBytes.test(name) || !name.isWellFormed()) return "it is not valid UTF-8";
  if (name.length > nameLimit) return `it has more than ${nameLimit} characters`;
  return undefined;
}
