import type { Stanza } from "../control/index.ts";

/** The order in which dpkg writes the fields of its status file; others follow as they came. */
const statusOrder =
  "Package Essential Protected Status Priority Section Installed-Size Origin Maintainer Bugs Architecture Multi-Arch Source Version Config-Version Replaces Provides Depends Pre-Depends Recommends Suggests Breaks Conflicts Enhances Conffiles Description Triggers-Pending Triggers-Awaited".split(
    " ",
  );

/** A stanza as dpkg writes it, with an empty line after it. */
export function formatStatus(fields: Stanza): string {
  const known = statusOrder.filter((name) => fields.has(name));
  const others = [...fields.keys()].filter((name) => !statusOrder.includes(name));
  const lines = [...known, ...others].map((name) => {
    const value = fields.get(name) ?? "";
    return value.startsWith("\n") ? `${name}:${value}\n` : `${name}: ${value}\n`;
  });
  return `${lines.join("")}\n`;
}

/** The names in a field of dependencies: groups of alternatives, without versions and architectures. */
export function dependencyNames(field: string | undefined): string[][] {
  return (field ?? "")
    .split(",")
    .map((group) =>
      group
        .split("|")
        .map((one) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(one)?.[1] ?? "")
        .filter((name) => name !== ""),
    )
    .filter((group) => group.length > 0);
}
