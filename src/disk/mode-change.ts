import { Failure } from "../base/index.ts";

/** What becomes of permission bits; `isDirectory` decides what `X` means. */
export type ModeChange = (before: number, isDirectory: boolean) => number;

const whoBits: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const permissionBits: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 };

/** Understands a mode as chmod(1) does: `644`, `u+x,go-w`, `a=rX`. Throws `usage` for anything else. */
export function parseModeChange(text: string): ModeChange {
  if (/^[0-7]{1,4}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    // As GNU's chmod: an octal mode of up to four digits leaves set-id bits of directories that it does not name.
    return (before, isDirectory) => (isDirectory ? mode | (before & 0o6000) : mode);
  }
  const changes = text.split(",").map((clause) => parseClause(clause, text));
  return (before, isDirectory) => changes.reduce((mode, change) => change(mode, isDirectory), before);
}

function parseClause(clause: string, whole: string): ModeChange {
  const match = /^([ugoa]*)((?:[+=-](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
  if (match === null) {
    throw new Failure("usage", `cannot understand the mode "${whole}"`, { hint: "write 644, or u+x,go-w" });
  }
  const [, who = "", actions = ""] = match;
  const mask = (who === "" ? "a" : who).split("").reduce((bits, one) => bits | (whoBits[one] ?? 0), 0);
  const steps = [...actions.matchAll(/([+=-])([ugo]|[rwxXst]*)/g)].map(([, operator = "", permissions = ""]) => ({
    operator,
    permissions,
  }));
  return (before, isDirectory) =>
    steps.reduce((mode, { operator, permissions }) => {
      const bits = bitsOf(permissions, mode, isDirectory) & mask;
      if (operator === "+") return mode | bits;
      if (operator === "-") return mode & ~bits;
      const keptOfDirectory = isDirectory ? mode & 0o6000 & ~bitsNamed(permissions) : 0;
      return (mode & ~mask) | bits | (keptOfDirectory & mask);
    }, before);
}

/** The set-id bits that `s` names: those of a directory stay where they are not named. */
function bitsNamed(permissions: string): number {
  return permissions.includes("s") ? 0o6000 : 0;
}

function bitsOf(permissions: string, mode: number, isDirectory: boolean): number {
  const shift = { u: 6, g: 3, o: 0 }[permissions];
  if (shift !== undefined) return ((mode >>> shift) & 7) * 0o111;
  let bits = 0;
  for (const one of permissions) {
    if (one === "X") bits |= isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
    else bits |= permissionBits[one] ?? 0;
  }
  return bits;
}
