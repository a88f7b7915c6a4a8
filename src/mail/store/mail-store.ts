import type { MessageRecord } from "../message-record.ts";
import type { MessageStructure } from "../message/index.ts";
import type { OpenMailbox } from "./open-mailbox.ts";

/** A mailbox in a list. Names are in UTF-8, levels apart by `/`; INBOX is always spelled so. */
export interface MailboxEntry {
  readonly name: string;
  readonly isSubscribed: boolean;
  /** False for a level that only has others below it: `\NonExistent`. */
  readonly exists: boolean;
  readonly isSelectable: boolean;
  readonly hasChildren: boolean;
  /** RFC 6154: `\Sent`, `\Trash` and their like. */
  readonly specialUse: readonly string[];
}

export interface MailboxStatus {
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly uidNext: number;
  readonly uidValidity: number;
  readonly highestModSeq: number;
  /** All messages as they are on the wire. */
  readonly sizeBytes: number;
  /** RFC 8474 MAILBOXID. */
  readonly mailboxId: string;
}

export interface NewMessage {
  /** As it came: lines may end in CRLF or LF. */
  readonly content: Uint8Array;
  readonly flags: readonly string[];
  readonly receivedMs: number;
}

export interface Appended {
  readonly uidValidity: number;
  /** In the order in which the messages were given. */
  readonly uids: readonly number[];
}

export interface Quota {
  readonly usedBytes: number;
  readonly messages: number;
  /** Absent where there is no limit. */
  readonly limitBytes?: number;
  readonly limitMessages?: number;
}

/**
 * The mail of one user. One contract suite (test/mail/store/contract.ts) holds for Maildir and mbox. Others change the
 * same files at the same time: programs that deliver, mutt, Dovecot, other connections in other processes.
 *
 * What only looks is synchronous: it reads memory, the index or the page cache, and runs between `actAs` and its end
 * where the server has each user's files opened as that user. What must be on disk before it may be acknowledged
 * gives a promise.
 *
 * Failures: `not-found` for a mailbox that is not there, `exists` for one that is, `refused` for names and limits that
 * cannot be (INBOX deleted, quota exceeded: code `no-space`), `damaged` for files that cannot be read.
 */
export interface MailStore extends AsyncDisposable {
  /** Every mailbox and every subscribed name, sorted so that INBOX is first and parents come before children. */
  list(): readonly MailboxEntry[];
  status(name: string): MailboxStatus;
  create(name: string, specialUse?: readonly string[]): Promise<void>;
  delete(name: string): Promise<void>;
  /** Those below it follow; INBOX stays and gives its messages away (RFC 9051 §6.3.6). */
  rename(from: string, to: string): Promise<void>;
  subscribe(name: string, isSubscribed: boolean): Promise<void>;
  /** All of them or none; durable once resolved. */
  append(name: string, messages: readonly NewMessage[]): Promise<Appended>;
  open(name: string, options: { readonly isReadOnly: boolean }): OpenMailbox;
  quota(): Quota;
}

export type { MessageRecord, MessageStructure };
