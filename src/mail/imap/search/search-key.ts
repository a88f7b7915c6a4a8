import type { TextQuery } from "../../store/index.ts";
import type { Range, SequenceSet } from "../grammar/index.ts";

/** What SEARCH looks for (RFC 9051 §6.4.4 and its extensions), read and decoded. */
export type SearchKey =
  | { readonly kind: "all" }
  /** Holds for none: `RECENT`, since which messages are new to all clients is not kept. */
  | { readonly kind: "none" }
  | { readonly kind: "and"; readonly keys: readonly SearchKey[] }
  | { readonly kind: "or"; readonly keys: readonly SearchKey[] }
  | { readonly kind: "not"; readonly key: SearchKey }
  | { readonly kind: "numbers"; readonly ranges: readonly Range[] }
  | { readonly kind: "uids"; readonly set: SequenceSet }
  /** `$`, the saved result (RFC 5182). */
  | { readonly kind: "saved" }
  /** In lower case. */
  | { readonly kind: "flag"; readonly flag: string }
  | { readonly kind: "date"; readonly of: DateOf; readonly is: "before" | "on" | "since"; readonly day: number }
  /** RFC 5032. */
  | { readonly kind: "age"; readonly is: "older" | "younger"; readonly seconds: number }
  | { readonly kind: "size"; readonly is: "larger" | "smaller"; readonly bytes: number }
  /** RFC 7162 §3.1.5. */
  | { readonly kind: "modseq"; readonly least: number }
  /** RFC 8474 §5.4. */
  | { readonly kind: "emailid"; readonly id: string }
  | { readonly kind: "text"; readonly query: TextQuery };

/** Which date: INTERNALDATE, that of the header, when it came into this mailbox (RFC 8514). Days count from 1970. */
export type DateOf = "received" | "sent" | "saved";

/** What a key costs: from flags, that are at hand, to bodies, that have to be read. */
export function costOf(key: SearchKey): number {
  switch (key.kind) {
    case "and":
    case "or":
      return Math.max(0, ...key.keys.map(costOf));
    case "not":
      return costOf(key.key);
    case "date":
      return key.of === "sent" ? 1 : 0;
    case "text":
      return key.query.in === "header" ? 2 : 3;
    default:
      return 0;
  }
}

/** Whether it has to do with modSeqs: then these are told with the result. */
export function hasModSeq(key: SearchKey): boolean {
  if (key.kind === "and" || key.kind === "or") return key.keys.some(hasModSeq);
  return key.kind === "not" ? hasModSeq(key.key) : key.kind === "modseq";
}
