import { Failure } from "../../base/index.ts";

/**
 * The fields of one stanza (deb822(5)) by name as written, in their order. A value has no blanks around its first
 * line; its further lines are as written, each with the blank that it begins with.
 */
export type Stanza = ReadonlyMap<string, string>;

const fieldLine = /^([!-,.-9;-~][!-9;-~]*):[ \t]*(.*)$/;

/** One stanza. `name` says in errors what it is part of. */
export function parseStanza(text: string, name: string): Stanza {
  const fields = new Map<string, string>();
  const known = new Set<string>();
  let last: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("#") || line.trim() === "") continue;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (last === undefined) throw damaged(name, `"${shortened(line)}" continues nothing`);
      fields.set(last, `${fields.get(last) ?? ""}\n${line.trimEnd()}`);
      continue;
    }
    const [, field, value] = fieldLine.exec(line) ?? [];
    if (field === undefined || value === undefined) throw damaged(name, `"${shortened(line)}" is no field`);
    if (known.has(field.toLowerCase())) throw damaged(name, `the field ${field} is there twice`);
    known.add(field.toLowerCase());
    fields.set(field, value.trimEnd());
    last = field;
  }
  return fields;
}

/** All stanzas of a text, which blank lines part. */
export function parseStanzas(text: string, name: string): Stanza[] {
  return text
    .split(/\n(?:[ \t\r]*\n)+/)
    .map((part) => parseStanza(part, name))
    .filter((stanza) => stanza.size > 0);
}

/** A field's value whatever the case of its name, as deb822 has it. */
export function fieldOf(stanza: Stanza, name: string): string | undefined {
  const asWritten = stanza.get(name);
  if (asWritten !== undefined) return asWritten;
  const wanted = name.toLowerCase();
  for (const [field, value] of stanza) if (field.toLowerCase() === wanted) return value;
  return undefined;
}

function damaged(name: string, why: string): Failure {
  return new Failure("damaged", `cannot read "${name}": ${why}`);
}

function shortened(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
