import { systemFlags } from "../../message-record.ts";
import { BadCommand } from "./bad-command.ts";
import type { Cursor } from "./cursor.ts";

/** A system flag that is kept, or a keyword (RFC 9051 §9 flag). `\Recent` cannot be set by a client and is left out. */
function readFlag(cursor: Cursor): string | undefined {
  if (!cursor.accept("\\")) return cursor.atom();
  const name = `\\${cursor.atom()}`.toLowerCase();
  if (name === "\\recent") return undefined;
  const known = systemFlags.find((flag) => flag.toLowerCase() === name);
  if (known === undefined) throw new BadCommand(`there is no system flag ${name}`);
  return known;
}

export function readFlagList(cursor: Cursor): readonly string[] {
  return cursor.list(() => readFlag(cursor), { mayBeEmpty: true }).filter((flag) => flag !== undefined);
}

/** With or without parentheses, as STORE allows. */
export function readFlags(cursor: Cursor): readonly string[] {
  if (cursor.next === "(") return readFlagList(cursor);
  const flags: (string | undefined)[] = [];
  do flags.push(readFlag(cursor));
  while (cursor.accept(" ") && flags.length < cursor.limits.listItems);
  return flags.filter((flag) => flag !== undefined);
}
