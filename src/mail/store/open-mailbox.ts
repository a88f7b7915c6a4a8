import type { MessageRecord } from "../message-record.ts";
import type { MessageStructure, MessageSummary } from "../message/index.ts";
import type { Appended } from "./mail-store.ts";

/** What came to be since the last look. Each list in order of UIDs. */
export interface MailboxChanges {
  readonly appeared: readonly MessageRecord[];
  /** Flags or modSeq are others; not those that appeared. */
  readonly changed: readonly MessageRecord[];
  readonly vanished: readonly number[];
}

export interface FlagChange {
  readonly mode: "set" | "add" | "remove";
  readonly flags: readonly string[];
  /** RFC 7162 UNCHANGEDSINCE: messages changed after it are left as they are. */
  readonly unchangedSince?: number;
}

export interface Flagged {
  readonly changed: readonly MessageRecord[];
  /** UIDs that UNCHANGEDSINCE kept back. */
  readonly modified: readonly number[];
}

/** `sourceUids[i]` became `uids[i]` in the target. */
export interface Copied extends Appended {
  readonly sourceUids: readonly number[];
}

/** A message's bytes as they are on the wire: CRLF. */
export interface MessageContent extends Disposable {
  readonly sizeBytes: number;
  /** The bytes from `from` to before `to`; the whole without them. */
  read(from?: number, to?: number): Uint8Array;
  /** The header with the empty line after it; the body is not read for it where that can be. */
  readHeader(): Uint8Array;
}

/** Words that a message must have; all compared without regard to case, after decoding, as substrings. */
export type TextQuery =
  | { readonly in: "text" | "body"; readonly text: string }
  | { readonly in: "header"; readonly name: string; readonly text: string };

/** One mailbox as one connection sees it: it changes only by what is called here, so that numbers stay what they are. */
export interface OpenMailbox extends Disposable {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly mailboxId: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModSeq: number;
  /** Every keyword in use here. */
  readonly keywords: readonly string[];
  /** Whether new keywords can be made: `\*` in PERMANENTFLAGS. */
  readonly canAddKeywords: boolean;
  /** By ascending UID, as of the last `sync` or own change, which makes another array: one that was given stays. */
  readonly messages: readonly MessageRecord[];

  /** Looks at what others did, and takes it into `messages`. */
  sync(): MailboxChanges;
  /** Calls when something may have changed, until disposed of; may call for nothing. */
  watch(onChange: () => void): Disposable;

  /** Throws `not-found` for a message that another removed meanwhile. */
  content(uid: number): MessageContent;
  /** What headers say; as `structures`, at less cost: bodies are not read for it. */
  summaries(uids: readonly number[]): Iterable<readonly [uid: number, summary: MessageSummary]>;
  /** Parsed once, kept in the index; in the order asked for, those that vanished left out. */
  structures(uids: readonly number[]): Iterable<readonly [uid: number, structure: MessageStructure]>;
  /**
   * The messages among `uids` that match; from the full-text index where there is one. Where thousands of messages have
   * to be read for it, others come in between.
   */
  matching(query: TextQuery, uids: readonly number[]): Promise<ReadonlySet<number>>;

  setFlags(uids: readonly number[], change: FlagChange): Promise<Flagged>;
  copy(uids: readonly number[], target: string): Promise<Copied>;
  /** A message is in the one or the other, whatever happens; both only for a moment. */
  move(uids: readonly number[], target: string): Promise<Copied>;
  /** Removes those with `\Deleted`, of `uids` only where given; the UIDs that went. Taken out of `messages`. */
  expunge(uids?: readonly number[]): Promise<readonly number[]>;
  /** RFC 7162 VANISHED (EARLIER): UIDs expunged after that modSeq; perhaps more than these, never fewer. */
  vanishedSince(modSeq: number): readonly number[];
}
