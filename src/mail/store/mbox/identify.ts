import type { IndexedMailbox } from "../index-db/index.ts";
import { flagsOf, type MailboxBase, type Metadata } from "./metadata.ts";
import { decodePlace } from "./place.ts";
import type { Placed } from "./plan-rewrite.ts";
import type { MboxMessage, MboxScanner } from "./scan.ts";

type Held = IndexedMailbox["held"];

/** What is known of a mailbox, before the file is read again. */
export interface Known {
  readonly held: Held;
  readonly uidNext: number;
  /** How large the file was then; 0 where it was another one. */
  readonly sizeBytes: number;
}

export interface SeenMessage {
  readonly message: MboxMessage;
  /** Undefined where none is in its header that counts. */
  readonly uid: number | undefined;
}

export interface Identified {
  /** Read again, in the order of the file. */
  readonly seen: readonly SeenMessage[];
  /** Known, and before those: not read. */
  readonly unread: readonly Placed[];
}

/**
 * Which messages are in the file. Where it has only grown, of what is known only the headers are compared. Else they are
 * read again, and the bodies of messages that are not where they were said to be.
 */
export function identify(
  scanner: MboxScanner,
  known: Known,
  { first, base }: { readonly first: MboxMessage | undefined; readonly base: MailboxBase | undefined },
): Identified {
  if (first === undefined) return { seen: [], unread: [] };
  const unread = unchangedBeginning(scanner, known, base);
  const last = unread?.at(-1);
  const from = last?.extent.endOffset ?? (first.header.metadata.isPseudo ? first.endOffset : first.offset);
  const seen: SeenMessage[] = [];
  let previous = last?.uid ?? 0;
  for (const message of scanner.messages(from, (metadata) => bodyBytesOf(known, metadata))) {
    const uid = uidThatCounts(message, { known, base, previous });
    // UIDs ascend: one that is to get a new one, the greatest, leaves none for those behind it.
    previous = uid ?? Infinity;
    seen.push({ message, uid });
  }
  return { seen, unread: unread ?? [] };
}

/** Undefined where the file is not what it was with something added. */
function unchangedBeginning(
  scanner: MboxScanner,
  known: Known,
  base: MailboxBase | undefined,
): readonly Placed[] | undefined {
  if (known.sizeBytes === 0 || scanner.sizeBytes <= known.sizeBytes || base?.lastUid !== known.uidNext - 1)
    return undefined;
  const placed = placedOf(known.held);
  const last = placed.at(-1);
  if (last === undefined) return undefined;
  const message = scanner.messageAt(last.extent.offset, () => last.extent.bodyEnd - last.extent.bodyOffset);
  if (message === undefined || message.header.metadata.uid !== last.uid) return undefined;
  if (message.bodyOffset !== last.extent.bodyOffset || message.bodyEnd !== last.extent.bodyEnd) return undefined;
  // Dovecot puts off what it has to say of messages until it has something to add.
  if (!placed.every(({ extent }) => scanner.hasHeader(extent))) return undefined;
  return [...placed.slice(0, -1), { uid: last.uid, extent: message }];
}

/** All messages of the index, in the order of the file, which is that of UIDs. */
export function placedOf(held: Held): Placed[] {
  const placed = Array.from(held, ([uid, { place }]) => ({ uid, extent: decodePlace(place) }));
  return placed.sort((a, b) => a.uid - b.uid);
}

function bodyBytesOf({ held }: Known, { uid }: Metadata): number | undefined {
  const place = uid === undefined ? undefined : held.get(uid)?.place;
  if (place === undefined) return undefined;
  const { bodyOffset, bodyEnd } = decodePlace(place);
  return bodyEnd - bodyOffset;
}

/**
 * A sender, or who copied the message from another mailbox, may have put any UID into a header. One counts that is in
 * order, and that the index knows for a body of this length, or that was given after what the index knows.
 */
function uidThatCounts(
  { header, bodyOffset, bodyEnd }: MboxMessage,
  {
    known,
    base,
    previous,
  }: { readonly known: Known; readonly base: MailboxBase | undefined; readonly previous: number },
): number | undefined {
  const { uid } = header.metadata;
  if (uid === undefined || uid <= previous) return undefined;
  const bodyBytes = bodyBytesOf(known, header.metadata);
  if (bodyBytes !== undefined) return bodyBytes === bodyEnd - bodyOffset ? uid : undefined;
  return base !== undefined && uid <= base.lastUid && uid >= known.uidNext ? uid : undefined;
}

/** The flags that the message has, spelled as the mailbox spells them. */
export function flagsIn(message: MboxMessage, base: MailboxBase): readonly string[] {
  return flagsOf(message.header.metadata, base.keywords);
}

interface Numbered {
  readonly uid: number;
  readonly message: MboxMessage;
  readonly isNew: boolean;
}

/** Messages without a UID get those that follow the last one. */
export function numberedFrom(
  seen: readonly SeenMessage[],
  last: number,
): { readonly messages: readonly Numbered[]; readonly lastUid: number } {
  let lastUid = last;
  const messages = seen.map(({ message, uid }) => ({ message, uid: uid ?? ++lastUid, isNew: uid === undefined }));
  return { messages, lastUid };
}
