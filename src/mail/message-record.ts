/** What a mailbox knows of a message without opening it. A plain value, never changed: a change makes another. */
export interface MessageRecord {
  /** RFC 9051 §2.3.1.1. */
  readonly uid: number;
  /** System flags as `\Seen`, keywords as they were first written; sorted, no two equal but for case. */
  readonly flags: readonly string[];
  /** RFC 7162: grows with each change of this message, never above 2⁵³−1. */
  readonly modSeq: number;
  /** INTERNALDATE, milliseconds since 1970. */
  readonly receivedMs: number;
  /** When it came into this mailbox (RFC 8514), milliseconds since 1970. */
  readonly savedMs: number;
  /** RFC822.SIZE: as it is on the wire, lines ending in CRLF. */
  readonly sizeBytes: number;
  /** OBJECTID (RFC 8474): the same for copies of one content in one user's mail. */
  readonly emailId: string;
}

/** The system flags that are kept; `\Recent` is not among them (RFC 9051 dropped it). */
export const systemFlags = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"] as const;
