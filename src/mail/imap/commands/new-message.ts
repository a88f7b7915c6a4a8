import type { NewMessage } from "../../store/index.ts";
import { BadCommand, type Cursor, readDateTime, readFlagList } from "../grammar/index.ts";
import { No } from "../session/index.ts";

/** A message of APPEND or REPLACE: its flags, its date, itself (RFC 9051 §9 append-message). */
export type GivenMessage = Omit<NewMessage, "receivedMs"> & { readonly receivedMs: number | undefined };

/** From the flags on. */
export function readNewMessage(cursor: Cursor): GivenMessage {
  const flags = cursor.next === "(" ? readFlagList(cursor) : undefined;
  if (flags !== undefined) cursor.space();
  const receivedMs = cursor.next === '"' ? readDateTime(cursor) : undefined;
  if (receivedMs !== undefined) cursor.space();
  return { flags: flags ?? [], receivedMs, content: readContent(cursor) };
}

/** A literal, a literal8 (BINARY, RFC 3516 §4.4), or `UTF8 (~{…}` (RFC 6855 §4). */
function readContent(cursor: Cursor): Uint8Array {
  const isUtf8 = cursor.accept("UTF8 (");
  const { bytes, isBinary } = cursor.literal();
  if (isUtf8 && !isBinary) throw new BadCommand("a message after UTF8 has to be a literal8");
  if (isUtf8) cursor.expect(")");
  // RFC 3502 §6.3: a client that thinks better of it sends nothing.
  if (bytes.length === 0) throw new No("A message of no bytes is not added, nor are the others.", "CANNOT");
  if (bytes.includes(0)) throw new No("There are NUL bytes in it, which mail files cannot hold.", "UNKNOWN-CTE");
  return bytes;
}
