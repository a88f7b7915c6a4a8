import type { MailboxEntry } from "../../store/index.ts";
import { BadCommand, type Cursor, matchesPattern, readMailboxName, readMailboxPattern } from "../grammar/index.ts";
import { defineCommand, ok, type Session, whenLoggedIn } from "../session/index.ts";
import { listEntryText } from "./list-entry.ts";
import { readStatusItems, type StatusItem, statusText } from "./status-items.ts";

interface Listing {
  readonly reference: string;
  readonly patterns: readonly string[];
  /** RFC 5258 §3.1: which mailboxes. */
  readonly select: ReadonlySet<string>;
  /** What is told of them. */
  readonly returns: ReadonlySet<string>;
  /** RFC 5819. */
  readonly status: readonly StatusItem[];
  /** Whether it is LIST as it was before LIST-EXTENDED: `""` asks for the separator then. */
  readonly isBasic: boolean;
}

const selectOptions = ["SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"];
const returnOptions = ["SUBSCRIBED", "CHILDREN", "SPECIAL-USE"];

/** RFC 9051 §6.3.9; LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE (RFC 6154). */
export const list = defineCommand<Listing>({
  name: "LIST",
  states: whenLoggedIn,
  parse(cursor, form) {
    cursor.space();
    const select = cursor.next === "(" ? readSelectOptions(cursor) : undefined;
    if (select !== undefined) cursor.space();
    const reference = readMailboxName(cursor, form);
    cursor.space();
    const several = cursor.next === "(";
    const patterns = several
      ? cursor.list(() => readMailboxPattern(cursor, form), { mayBeEmpty: false })
      : [readMailboxPattern(cursor, form)];
    const returns = new Set<string>();
    const isReturning = cursor.accept(" RETURN ");
    const status = isReturning ? readReturnOptions(cursor, returns) : [];
    return {
      reference,
      patterns,
      returns,
      status,
      select: select ?? new Set(),
      isBasic: select === undefined && !several && !isReturning,
    };
  },
  run(session, listing) {
    if (listing.patterns.length > session.limits.patterns) throw new BadCommand("that is too many patterns");
    if (listing.isBasic && listing.patterns[0] === "") {
      session.write('* LIST (\\Noselect) "/" ""\r\n');
      return ok("Separated by that.");
    }
    for (const { entry, childInfo } of chosen(session.store.list(), listing)) tell(session, listing, entry, childInfo);
    return ok("Those.");
  },
});

interface Chosen {
  readonly entry: MailboxEntry;
  readonly childInfo: boolean;
}

function* chosen(entries: readonly MailboxEntry[], listing: Listing): Iterable<Chosen> {
  const { reference, select } = listing;
  const patterns = listing.patterns.map((pattern) => `${reference}${pattern}`);
  const isSelected = (entry: MailboxEntry): boolean => {
    if (select.has("SPECIAL-USE") && entry.specialUse.length === 0) return false;
    return select.has("SUBSCRIBED") ? entry.isSubscribed : entry.exists || entry.hasChildren;
  };
  const above = select.has("RECURSIVEMATCH") ? levelsAbove(entries.filter(isSelected)) : new Set<string>();
  for (const entry of entries) {
    const childInfo = above.has(entry.name);
    if (!isSelected(entry) && !childInfo) continue;
    if (patterns.some((pattern) => matchesPattern(entry.name, pattern))) yield { entry, childInfo };
  }
}

/** Every name that has one of these somewhere below it. */
function levelsAbove(entries: readonly MailboxEntry[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name } of entries) {
    for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) names.add(name.slice(0, end));
  }
  return names;
}

function tell(session: Session, listing: Listing, entry: MailboxEntry, childInfo: boolean): void {
  const withSubscribed = listing.returns.has("SUBSCRIBED") || listing.select.has("SUBSCRIBED");
  const { isBasic, status } = listing;
  session.write(listEntryText(entry, session.nameForm, { withSubscribed, childInfo, isBasic }));
  if (status.length > 0 && entry.isSelectable) session.write(statusText(session, entry.name, status));
}

function readSelectOptions(cursor: Cursor): ReadonlySet<string> {
  const read = (): string => {
    const name = cursor.atom().toUpperCase();
    if (!selectOptions.includes(name)) throw new BadCommand(`there is no selection ${name}`);
    return name;
  };
  const select = new Set(cursor.list(read, { mayBeEmpty: true }));
  if (select.has("RECURSIVEMATCH") && !select.has("SUBSCRIBED") && !select.has("SPECIAL-USE")) {
    throw new BadCommand("RECURSIVEMATCH needs something that is matched");
  }
  return select;
}

function readReturnOptions(cursor: Cursor, returns: Set<string>): readonly StatusItem[] {
  let status: readonly StatusItem[] = [];
  const read = (): void => {
    const name = cursor.atom().toUpperCase();
    if (name === "STATUS") {
      cursor.space();
      status = readStatusItems(cursor);
    } else if (returnOptions.includes(name)) {
      returns.add(name);
    } else {
      throw new BadCommand(`there is nothing to return of the name ${name}`);
    }
  };
  cursor.list(read, { mayBeEmpty: true });
  return status;
}
