/**
 * RFC 5322 address as IMAP gives it (RFC 9051 §7.5.2); a group is a start (host absent) and an end (both absent). What is
 * missing of a broken address is an empty string.
 */
export interface Address {
  readonly name?: string;
  readonly mailbox?: string;
  readonly host?: string;
}

/**
 * Header fields as they are in the message, unfolded, encoded words not decoded. Bytes beyond ASCII are read as UTF-8
 * (RFC 6532), else as windows-1252.
 */
export interface Envelope {
  readonly date?: string;
  readonly subject?: string;
  readonly from: readonly Address[];
  /** As `from` where the message has none, as IMAP wants it; `replyTo` too. */
  readonly sender: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly inReplyTo?: string;
  readonly messageId?: string;
}

/**
 * `[["charset", "utf-8"]]`: in the order of the message, names in lower case. Pieces (RFC 2231) are put together; a value
 * with a charset of its own has a name with `*` and stays encoded: `parameterValue` decodes it.
 */
export type Parameters = readonly (readonly [name: string, value: string])[];

/** One part of a message. Offsets are into the message as it is on the wire. */
export interface MessagePart {
  readonly headerOffset: number;
  readonly headerBytes: number;
  readonly bodyOffset: number;
  readonly bodyBytes: number;
  /** Lines of the body of a text or `message/rfc822`; 0 for others, where nobody asks. */
  readonly lines: number;
  /** In lower case: `text`, `multipart`. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: Parameters;
  readonly id?: string;
  readonly description?: string;
  /** In lower case; `7bit` where none is said. */
  readonly encoding: string;
  readonly md5?: string;
  readonly disposition?: { readonly type: string; readonly parameters: Parameters };
  readonly languages: readonly string[];
  readonly location?: string;
  /** Of a `multipart`: its parts, none where it is broken; of a `message/rfc822`: one, the message within. */
  readonly parts: readonly MessagePart[];
  /** Of a message within a `message/rfc822`. */
  readonly envelope?: Envelope;
}

/** What the header of a message says: all that ENVELOPE, SORT and THREAD ask for. JSON-safe. */
export interface MessageSummary {
  readonly envelope: Envelope;
  /** Sent date (Date:), milliseconds since 1970; absent where there is none that can be read. */
  readonly sentMs?: number;
  /** RFC 5256 base subject, in upper case, for SORT and THREAD. */
  readonly baseSubject: string;
  /** Message-IDs of References, or the first of In-Reply-To, without angles, for THREAD=REFERENCES. */
  readonly references: readonly string[];
}

/** What is kept of a message so that it need not be read again. JSON-safe. */
export interface MessageStructure extends MessageSummary {
  readonly root: MessagePart;
  /** RFC 8970: the first words of the text, at most 200 characters. */
  readonly preview: string;
}
