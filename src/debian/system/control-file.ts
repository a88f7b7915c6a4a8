/** A stanza of a control file (deb-control(5)): its fields in their order; lines that go on keep their line breaks. */
export type Stanza = ReadonlyMap<string, string>;

/** The first stanza of a text. */
export function parseStanza(text: string): Stanza {
  const fields = new Map<string, string>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line.trim() === "") {
      if (fields.size > 0) break;
      continue;
    }
    if (line.startsWith(" ") || line.startsWith("\t")) {
      fields.set(name, `${fields.get(name) ?? ""}\n${line}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === -1) continue;
    name = line.slice(0, colon);
    fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

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
