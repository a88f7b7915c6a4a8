import { BadCommand, parseSequenceSet } from "../grammar/index.ts";
import type { DateOf, SearchKey } from "./search-key.ts";
import type { TokenReader } from "./token-reader.ts";

/** NOT, OR and parentheses within each other; clients write long lists as OR in OR in OR. */
const deepest = 1000;

const all: SearchKey = { kind: "all" };
const none: SearchKey = { kind: "none" };
const flag = (name: string): SearchKey => ({ kind: "flag", flag: name });
const not = (key: SearchKey): SearchKey => ({ kind: "not", key });

/** Keys that are one word (RFC 9051 §6.4.4; RECENT, NEW and OLD of RFC 3501). */
const words: ReadonlyMap<string, SearchKey> = new Map([
  ["ALL", all],
  ["ANSWERED", flag("\\answered")],
  ["DELETED", flag("\\deleted")],
  ["DRAFT", flag("\\draft")],
  ["FLAGGED", flag("\\flagged")],
  ["SEEN", flag("\\seen")],
  ["UNANSWERED", not(flag("\\answered"))],
  ["UNDELETED", not(flag("\\deleted"))],
  ["UNDRAFT", not(flag("\\draft"))],
  ["UNFLAGGED", not(flag("\\flagged"))],
  ["UNSEEN", not(flag("\\seen"))],
  ["RECENT", none],
  ["NEW", none],
  ["OLD", all],
  // RFC 8514: every mailbox here keeps them.
  ["SAVEDATESUPPORTED", all],
]);

interface Context {
  readonly reader: TokenReader;
  readonly charset: string | undefined;
  readonly depth: number;
}

/** Keys that something follows. */
const readers: ReadonlyMap<string, (context: Context) => SearchKey> = new Map<string, (context: Context) => SearchKey>([
  ["NOT", (context) => not(readKey(deeper(context)))],
  ["OR", (context) => ({ kind: "or", keys: [readKey(deeper(context)), readKey(deeper(context))] })],
  ["KEYWORD", ({ reader }) => flag(reader.atom("a keyword").toLowerCase())],
  ["UNKEYWORD", ({ reader }) => not(flag(reader.atom("a keyword").toLowerCase()))],
  ["LARGER", ({ reader }) => ({ kind: "size", is: "larger", bytes: reader.number("a size") })],
  ["SMALLER", ({ reader }) => ({ kind: "size", is: "smaller", bytes: reader.number("a size") })],
  ["OLDER", ({ reader }) => ({ kind: "age", is: "older", seconds: readSeconds(reader) })],
  ["YOUNGER", ({ reader }) => ({ kind: "age", is: "younger", seconds: readSeconds(reader) })],
  [
    "UID",
    ({ reader }) => ({ kind: "uids", set: parseSequenceSet(reader.atom("a set of UIDs"), reader.limits.ranges) }),
  ],
  ["MODSEQ", ({ reader }) => readModSeq(reader)],
  ["EMAILID", ({ reader }) => ({ kind: "emailid", id: reader.atom("an object ID") })],
  // No message has one here (RFC 8474 §5.2).
  ["THREADID", ({ reader }) => (reader.atom("an object ID"), none)],
  ["BODY", ({ reader, charset }) => ({ kind: "text", query: { in: "body", text: reader.text("a text", charset) } })],
  ["TEXT", ({ reader, charset }) => ({ kind: "text", query: { in: "text", text: reader.text("a text", charset) } })],
  ["HEADER", (context) => readHeader(context.reader.text("the name of a field"), context)],
  ...["BCC", "CC", "FROM", "SUBJECT", "TO"].map((name) => {
    return [name, (context: Context) => readHeader(name.toLowerCase(), context)] as const;
  }),
  ...(["BEFORE", "ON", "SINCE"] as const).flatMap((is) => {
    const dates: readonly (readonly [prefix: string, of: DateOf])[] = [
      ["", "received"],
      ["SENT", "sent"],
      ["SAVED", "saved"],
    ];
    return dates.map(([prefix, of]) => {
      const read = ({ reader }: Context): SearchKey => {
        return { kind: "date", of, is: lowerCase(is), day: readDay(reader) };
      };
      return [`${prefix}${is}`, read] as const;
    });
  }),
]);

function lowerCase(is: "BEFORE" | "ON" | "SINCE"): "before" | "on" | "since" {
  if (is === "ON") return "on";
  return is === "BEFORE" ? "before" : "since";
}

/** All keys to the end, which have to hold together. */
export function readKeys(reader: TokenReader, charset: string | undefined): SearchKey {
  return readAll({ reader, charset, depth: 0 });
}

function readAll(context: Context): SearchKey {
  const keys: SearchKey[] = [];
  do keys.push(readKey(context));
  while (!context.reader.isAtEnd);
  return keys.length === 1 ? (keys[0] ?? all) : { kind: "and", keys };
}

function readKey(context: Context): SearchKey {
  const { reader } = context;
  if (reader.next?.kind === "list") return readAll({ ...deeper(context), reader: reader.list("a search") });
  const word = reader.atom("what to search for");
  const name = word.toUpperCase();
  const known = words.get(name);
  if (known !== undefined) return known;
  const read = readers.get(name);
  if (read !== undefined) return read(context);
  if (!/^[\d*$]/.test(word)) throw new BadCommand(`there is no search key "${word.slice(0, 24)}"`);
  const set = parseSequenceSet(word, reader.limits.ranges);
  return set === "$" ? { kind: "saved" } : { kind: "numbers", ranges: set };
}

function deeper(context: Context): Context {
  if (context.depth === deepest) throw new BadCommand("too many searches within each other");
  return { ...context, depth: context.depth + 1 };
}

function readHeader(name: string, { reader, charset }: Context): SearchKey {
  return { kind: "text", query: { in: "header", name, text: reader.text("a text", charset) } };
}

function readSeconds(reader: TokenReader): number {
  const seconds = reader.number("an interval in seconds");
  // RFC 5032 §2.
  if (seconds === 0) throw new BadCommand("an interval is a second at least");
  return seconds;
}

/** `MODSEQ "/flags/\\draft" all 620162338`: here one number counts for all flags, which RFC 7162 §3.1.5 allows. */
function readModSeq(reader: TokenReader): SearchKey {
  if (reader.next?.kind === "string") {
    reader.take("an entry");
    const whose = reader.atom("priv, shared or all").toLowerCase();
    if (!["priv", "shared", "all"].includes(whose))
      throw new BadCommand("priv, shared or all is needed after an entry");
  }
  return { kind: "modseq", least: reader.number("a mod-sequence") };
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** `1-Feb-1994`, quoted or not, as days since 1970. */
function readDay(reader: TokenReader): number {
  const text = reader.text("a date");
  const [, day, name = "", year] = /^(\d{1,2})-([a-z]{3})-(\d{4})$/i.exec(text) ?? [];
  const month = months.indexOf(name.toLowerCase());
  const ms = Date.UTC(Number(year), month, Number(day));
  if (month === -1 || new Date(ms).getUTCDate() !== Number(day)) {
    throw new BadCommand(`"${text.slice(0, 24)}" is no date such as 1-Feb-1994`);
  }
  return ms / dayMs;
}

export const dayMs = 86_400_000;
