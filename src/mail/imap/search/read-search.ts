import { isKnownCharset } from "../../message/index.ts";
import type { Cursor } from "../grammar/index.ts";
import { No, type Session } from "../session/index.ts";
import type { SearchView } from "./evaluate.ts";
import { readKeys } from "./read-key.ts";
import type { SearchKey } from "./search-key.ts";
import { TokenReader } from "./token-reader.ts";

/** All words of a command, from the space after its name on. */
export function wordsOf(cursor: Cursor): TokenReader {
  cursor.space();
  return new TokenReader(cursor.tokens(), cursor.limits);
}

/** The keys to the end, in a charset. */
export function readSearch(reader: TokenReader, charset: string | undefined): SearchKey {
  if (charset !== undefined && !isKnownCharset(charset)) {
    throw new No("This charset is not known here.", "BADCHARSET (UTF-8 US-ASCII)");
  }
  return readKeys(reader, charset);
}

export function viewOf({ selected, now }: Session): SearchView {
  return { mailbox: selected.mailbox, records: selected.records, saved: selected.saved, now };
}
