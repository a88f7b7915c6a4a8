/** One word of a GRUB script that means exactly this text. A quote cannot stand inside quotes. */
export function grubWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A word of a kernel's command line, in which `variables` stand for what the key finds out when it starts. */
export function grubWordWith(text: string, variables: ReadonlyMap<string, string>): string {
  const parts: string[] = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    const found = [...variables.keys()].find((mark) => text.startsWith(mark, at));
    if (found === undefined) {
      plain += text[at++] ?? "";
      continue;
    }
    if (plain !== "") parts.push(grubWord(plain));
    plain = "";
    parts.push(`"$${variables.get(found) ?? ""}"`);
    at += found.length;
  }
  if (plain !== "" || parts.length === 0) parts.push(grubWord(plain));
  return parts.join("");
}

/** How `default` names an entry by its id: `>` leads into a submenu, and is doubled where it is part of the id. */
export function grubChoice(ids: readonly string[]): string {
  return ids.map((id) => id.replaceAll(">", ">>")).join(">");
}
