import { Failure } from "../base/index.ts";
import type { ChunkCursor } from "./chunk-cursor.ts";

/** The archives of ar(1), as far as Debian packages use them (deb(5)): short names, no symbol table. */

export const arMagic = "!<arch>\n";
const headerBytes = 60;
const sizeAt = 48;
const sizeEnd = 58;

export interface ArMember {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Takes the magic at the front; false where this is no such archive. */
export async function takeArMagic(cursor: ChunkCursor): Promise<boolean> {
  if (!(await cursor.ensure(arMagic.length))) return false;
  cursor.at += arMagic.length;
  return cursor.buffer.toString("latin1", cursor.at - arMagic.length, cursor.at) === arMagic;
}

/** Takes the header of the next member: its content is then before the cursor. Undefined at the end. */
export async function takeArMember(cursor: ChunkCursor): Promise<ArMember | undefined> {
  if (!(await cursor.ensure(headerBytes))) {
    if (cursor.available === 0) return undefined;
    throw new Failure("damaged", "it ends within a header");
  }
  const header = cursor.buffer.toString("latin1", cursor.at, cursor.at + headerBytes);
  const size = header.slice(sizeAt, sizeEnd).trim();
  if (!header.endsWith("`\n") || !/^\d+$/.test(size)) throw new Failure("damaged", "a header is broken");
  cursor.at += headerBytes;
  return { name: header.slice(0, 16).trim().replace(/\/$/, ""), sizeBytes: Number(size) };
}

/** The content of a member, piece by piece; each is valid until the next is asked for. */
export async function* arContent(cursor: ChunkCursor, member: ArMember): AsyncGenerator<Uint8Array, void, void> {
  for (let left = member.sizeBytes; left > 0;) {
    const bytes = await cursor.some(left);
    if (bytes.length === 0) throw new Failure("damaged", `it ends within "${member.name}"`);
    left -= bytes.length;
    yield bytes;
  }
}

/** Passes the content of a member by; it is filled up to an even length. */
export async function skipArContent(cursor: ChunkCursor, member: ArMember): Promise<void> {
  if (!(await cursor.skip(member.sizeBytes))) throw new Failure("damaged", `it ends within "${member.name}"`);
  await cursor.skip(member.sizeBytes % 2);
}
