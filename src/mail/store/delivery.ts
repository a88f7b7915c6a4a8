/** A message on its way into somebody's mail, with what its envelope said. */
export interface IncomingMessage {
  /** Lines may end in CRLF or LF. */
  readonly content: Uint8Array;
  /** Envelope sender; empty for bounces. */
  readonly from: string;
  /** Whom it is for, as the protocol said. */
  readonly recipient: string;
  readonly receivedMs: number;
}

/** Where mail goes to: a Maildir, an mbox, LMTP, SMTP, a program. */
export interface DeliveryTarget extends AsyncDisposable {
  /** Resolved only when the message is safe there: synced, or answered for by the other side. */
  deliver(message: IncomingMessage): Promise<void>;
}
