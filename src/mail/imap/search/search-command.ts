import { BadCommand } from "../grammar/index.ts";
import { defineCommand, ok, type Session, whenSelected } from "../session/index.ts";
import { search } from "./evaluate.ts";
import { readSearch, viewOf, wordsOf } from "./read-search.ts";
import { tellResult } from "./result.ts";
import { readReturnOptions, returnAll, type ReturnOptions } from "./return-options.ts";
import { hasModSeq, type SearchKey } from "./search-key.ts";

interface Searching {
  readonly hasCharset: boolean;
  readonly key: SearchKey;
  readonly options: ReturnOptions | undefined;
}

/** RFC 9051 §6.4.4, with RFC 4731, 5032, 5182, 7162, 8474, 8514 and 9394. */
export const searchCommand = defineCommand<Searching>({
  name: "SEARCH",
  hasUidForm: true,
  states: whenSelected,
  announces: "all-but-expunges",
  parse(cursor) {
    const reader = wordsOf(cursor);
    const options = readReturnOptions(reader);
    const charset = reader.accept("CHARSET") ? reader.text("a charset") : undefined;
    return { options, key: readSearch(reader, charset), hasCharset: charset !== undefined };
  },
  async run(session, { key, options, hasCharset, isByUid }) {
    // RFC 6855 §3: all strings are UTF-8 then.
    if (hasCharset && session.enabled.has("UTF8=ACCEPT")) throw new BadCommand("CHARSET is not for UTF8=ACCEPT");
    const withModSeq = hasModSeq(key);
    if (withModSeq) session.useModSeqs();
    const found = await searchOrForget(session, key, options);
    // IMAP4rev2 knows only the long answer (RFC 9051 §6.4.4).
    const asked = options ?? (session.enabled.has("IMAP4rev2") ? returnAll : undefined);
    tellResult(session, found, { name: "SEARCH", isByUid, withModSeq, options: asked });
    return ok("Searched.");
  },
});

/** Where a search that is to be saved fails, what was saved before is forgotten (RFC 5182 §2.1). */
export async function searchOrForget(
  session: Session,
  key: SearchKey,
  options: ReturnOptions | undefined,
): ReturnType<typeof search> {
  try {
    return await search(viewOf(session), key);
  } catch (error) {
    if (options?.save === true) session.selected.saved = [];
    throw error;
  }
}
