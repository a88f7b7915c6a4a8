import type { Section } from "../../message/index.ts";
import { BadCommand } from "./bad-command.ts";
import type { Cursor } from "./cursor.ts";
import { quoted } from "./quote.ts";

/** `<0.2048>`: which bytes of it. */
export interface Partial {
  readonly from: number;
  readonly bytes: number;
}

const partPattern = /[1-9][0-9]{0,9}/y;

/** From `[` to `]`. */
export function readSection(cursor: Cursor): Section {
  cursor.expect("[");
  const path = readPath(cursor);
  const section = readText(cursor, path);
  cursor.expect("]");
  return section;
}

/** From `[` to `]`, part numbers only: BINARY (RFC 3516). */
export function readPartPath(cursor: Cursor): readonly number[] {
  cursor.expect("[");
  const path = readPath(cursor);
  cursor.expect("]");
  return path;
}

export function readPartial(cursor: Cursor): Partial | undefined {
  if (!cursor.accept("<")) return undefined;
  const from = cursor.number64();
  cursor.expect(".");
  const bytes = cursor.number64();
  if (bytes === 0) throw new BadCommand("a part of no bytes is asked for");
  cursor.expect(">");
  return { from, bytes };
}

/** As it is sent back. */
export function sectionText({ part, text, fields = [] }: Section): string {
  const names = fields.map((field) => (/^[!#$&'+\-./0-9:;<=>?@A-Z[\]^_`a-z|~]+$/.test(field) ? field : quoted(field)));
  const list = names.length === 0 ? "" : ` (${names.join(" ")})`;
  return `[${[...part, ...(text === undefined ? [] : [wordOf[text]])].join(".")}${list}]`;
}

const wordOf: Readonly<Record<NonNullable<Section["text"]>, string>> = {
  header: "HEADER",
  fields: "HEADER.FIELDS",
  "fields-not": "HEADER.FIELDS.NOT",
  text: "TEXT",
  mime: "MIME",
};

function readPath(cursor: Cursor): readonly number[] {
  const path: number[] = [];
  for (let part = cursor.take(partPattern); part !== undefined; part = cursor.take(partPattern)) {
    if (path.length === cursor.limits.depth) throw new BadCommand("a part is too deep");
    path.push(Number(part));
    if (!cursor.accept(".")) break;
    if (cursor.next === "]") throw cursor.bad("a part number");
  }
  return path;
}

function readText(cursor: Cursor, part: readonly number[]): Section {
  if (cursor.next === "]") return { part };
  // The longer names first: each begins with the next.
  const some = cursor.accept("HEADER.FIELDS.NOT")
    ? "fields-not"
    : cursor.accept("HEADER.FIELDS")
      ? "fields"
      : undefined;
  if (some !== undefined) {
    cursor.space();
    return { part, text: some, fields: cursor.list(() => cursor.astring(), { mayBeEmpty: false }) };
  }
  if (cursor.accept("HEADER")) return { part, text: "header" };
  if (cursor.accept("TEXT")) return { part, text: "text" };
  if (part.length > 0 && cursor.accept("MIME")) return { part, text: "mime" };
  throw cursor.bad("a section");
}
