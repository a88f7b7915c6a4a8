import * as fs from "node:fs";

const file = "holdfast-special-use";
/** Names that say it, where no mailbox was created for the use. */
const wellKnown: Readonly<Record<string, string>> = {
  "\\Archive": "Archive",
  "\\Drafts": "Drafts",
  "\\Junk": "Junk",
  "\\Sent": "Sent",
  "\\Trash": "Trash",
};

/** From each mailbox's name to what it is for (RFC 6154). */
export function readSpecialUse(root: string): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, string[]>();
  const add = (use: string, name: string): void => {
    uses.set(name, [...(uses.get(name) ?? []), use]);
  };
  const kept = readKept(root);
  for (const [use, name] of kept) add(use, name);
  const taken = new Set(kept.map(([use]) => use.toLowerCase()));
  for (const [use, name] of Object.entries(wellKnown)) if (!taken.has(use.toLowerCase())) add(use, name);
  return uses;
}

/** Keeps what a new mailbox is for; and, for one that has gone or has another name, that. */
export function changeSpecialUse(
  root: string,
  change: (
    kept: readonly (readonly [use: string, name: string])[],
  ) => readonly (readonly [use: string, name: string])[],
): void {
  const before = readKept(root);
  const after = change(before);
  const text = after.map(([use, name]) => `${use}\t${name}\n`).join("");
  if (text === before.map(([use, name]) => `${use}\t${name}\n`).join("")) return;
  const path = `${root}/${file}`;
  fs.writeFileSync(`${path}.part`, text, { mode: 0o600, flush: true });
  fs.renameSync(`${path}.part`, path);
}

function readKept(root: string): (readonly [use: string, name: string])[] {
  const path = `${root}/${file}`;
  if (!fs.existsSync(path)) return [];
  return fs
    .readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line): (readonly [string, string])[] => {
      const [, use = "", name = ""] = /^(\\\w+)\t(.+)$/.exec(line) ?? [];
      return use === "" ? [] : [[use, name]];
    });
}
