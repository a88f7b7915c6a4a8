import type { Section } from "../../message/index.ts";
import type { Cursor } from "./cursor.ts";
import { type Partial, readPartial, readPartPath, readSection, sectionText } from "./section.ts";

/** What a record or the structure knows; its name is what is sent. */
export type PlainItem =
  | "UID"
  | "FLAGS"
  | "INTERNALDATE"
  | "RFC822.SIZE"
  | "ENVELOPE"
  | "BODY"
  | "BODYSTRUCTURE"
  | "MODSEQ"
  | "EMAILID"
  | "THREADID"
  | "SAVEDATE";

/** One thing to fetch (RFC 9051 §6.4.5 and the extensions). `label` is what stands before it in the answer. */
export type FetchItem =
  | { readonly kind: "plain"; readonly label: PlainItem }
  /** RFC 8970; `isLazy`: only where it costs nothing. */
  | { readonly kind: "preview"; readonly label: "PREVIEW"; readonly isLazy: boolean }
  | {
      readonly kind: "section";
      readonly label: string;
      readonly section: Section;
      readonly partial?: Partial;
      readonly setsSeen: boolean;
    }
  | {
      readonly kind: "binary";
      readonly label: string;
      readonly path: readonly number[];
      readonly partial?: Partial;
      readonly setsSeen: boolean;
    }
  | { readonly kind: "binary-size"; readonly label: string; readonly path: readonly number[] };

const plain = (label: PlainItem): FetchItem => ({ kind: "plain", label });

const fast = [plain("FLAGS"), plain("INTERNALDATE"), plain("RFC822.SIZE")];
const all = [...fast, plain("ENVELOPE")];
const macros: ReadonlyMap<string, readonly FetchItem[]> = new Map([
  ["FAST", fast],
  ["ALL", all],
  ["FULL", [...all, plain("BODY")]],
]);

const named: ReadonlyMap<string, FetchItem> = new Map(
  [
    ...(["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE", "MODSEQ"] as const),
    ...(["EMAILID", "THREADID", "SAVEDATE"] as const),
  ].map((label) => [label, plain(label)]),
);

/** Those of IMAP4rev1 that RFC 9051 dropped: other names for sections. */
const older: ReadonlyMap<string, FetchItem> = new Map([
  ["RFC822", { kind: "section", label: "RFC822", section: { part: [] }, setsSeen: true }],
  [
    "RFC822.HEADER",
    { kind: "section", label: "RFC822.HEADER", section: { part: [], text: "header" }, setsSeen: false },
  ],
  ["RFC822.TEXT", { kind: "section", label: "RFC822.TEXT", section: { part: [], text: "text" }, setsSeen: true }],
]);

const namePattern = /[A-Za-z0-9.]+/y;

/** One item, a macro, or a list of items. */
export function readFetchItems(cursor: Cursor): readonly FetchItem[] {
  if (cursor.next === "(") return cursor.list(() => readFetchItem(cursor), { mayBeEmpty: false });
  for (const [name, items] of macros) if (cursor.accept(name)) return items;
  return [readFetchItem(cursor)];
}

function readFetchItem(cursor: Cursor): FetchItem {
  const name = cursor.take(namePattern)?.toUpperCase() ?? "";
  if (cursor.next === "[") {
    if (name === "BODY" || name === "BODY.PEEK") return readBody(cursor, name === "BODY");
    if (name === "BINARY" || name === "BINARY.PEEK") return readBinary(cursor, name === "BINARY");
    if (name === "BINARY.SIZE") {
      const path = readPartPath(cursor);
      return { kind: "binary-size", label: `BINARY.SIZE[${path.join(".")}]`, path };
    }
  }
  if (name === "PREVIEW") {
    if (!cursor.accept(" (")) return { kind: "preview", label: "PREVIEW", isLazy: false };
    cursor.expect("LAZY)");
    return { kind: "preview", label: "PREVIEW", isLazy: true };
  }
  const item = named.get(name) ?? older.get(name);
  if (item === undefined) throw cursor.bad("something that can be fetched");
  return item;
}

function readBody(cursor: Cursor, setsSeen: boolean): FetchItem {
  const section = readSection(cursor);
  const partial = readPartial(cursor);
  const label = `BODY${sectionText(section)}`;
  if (partial === undefined) return { kind: "section", label, section, setsSeen };
  return { kind: "section", label: `${label}<${partial.from}>`, section, partial, setsSeen };
}

function readBinary(cursor: Cursor, setsSeen: boolean): FetchItem {
  const path = readPartPath(cursor);
  const partial = readPartial(cursor);
  const label = `BINARY[${path.join(".")}]`;
  if (partial === undefined) return { kind: "binary", label, path, setsSeen };
  return { kind: "binary", label: `${label}<${partial.from}>`, path, partial, setsSeen };
}
