/**
 * On which line of a TOML text each key is, by its path: `job.1.target`. A parser of TOML tells places only of what it
 * cannot read; this tells where what it has read was written. Keys inside of inline tables are not among them.
 */
export function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table = "";
  let open: string | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (open !== undefined) {
      if (line.includes(open)) open = undefined;
      continue;
    }
    const header = /^\s*(\[\[?)\s*([^[\]]+?)\s*\]/.exec(line);
    const key = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$/.exec(line);
    if (header !== null) {
      const name = plainKey(header[2] ?? "");
      table = header[1] === "[[" ? `${name}.${counts.get(name) ?? 0}` : name;
      if (header[1] === "[[") counts.set(name, (counts.get(name) ?? 0) + 1);
      lines.set(table, index + 1);
    } else if (key !== null) {
      const path = table === "" ? plainKey(key[1] ?? "") : `${table}.${plainKey(key[1] ?? "")}`;
      if (!lines.has(path)) lines.set(path, index + 1);
      open = ['"""', "'''"].find((quotes) => (key[2] ?? "").split(quotes).length % 2 === 0);
    }
  }
  return lines;
}

function plainKey(text: string): string {
  return text
    .split(".")
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2"))
    .join(".");
}
