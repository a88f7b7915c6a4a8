import { defineCommand, ok, whenSelected } from "../session/index.ts";
import { readSearch, wordsOf } from "./read-search.ts";
import { tellResult } from "./result.ts";
import { readReturnOptions, type ReturnOptions } from "./return-options.ts";
import { searchOrForget } from "./search-command.ts";
import { hasModSeq, type SearchKey } from "./search-key.ts";
import { readSortKeys, sorted, type SortKey } from "./sort.ts";

interface Sorting {
  readonly keys: readonly SortKey[];
  readonly search: SearchKey;
  readonly options: ReturnOptions | undefined;
}

/** RFC 5256 §3, with RETURN of RFC 5267 §3 (ESORT). */
export const sortCommand = defineCommand<Sorting>({
  name: "SORT",
  hasUidForm: true,
  states: whenSelected,
  announces: "all-but-expunges",
  parse(cursor) {
    const reader = wordsOf(cursor);
    const options = readReturnOptions(reader);
    const keys = readSortKeys(reader);
    const charset = reader.text("a charset");
    return { options, keys, search: readSearch(reader, charset) };
  },
  async run(session, { keys, search, options, isByUid }) {
    const withModSeq = hasModSeq(search);
    if (withModSeq) session.useModSeqs();
    const found = await searchOrForget(session, search, options);
    const inOrder = sorted(session.selected.mailbox, found, keys);
    tellResult(session, inOrder, { name: "SORT", isByUid, withModSeq, options });
    return ok("Sorted.");
  },
});
