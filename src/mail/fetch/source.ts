import type { Failure } from "../../base/index.ts";
import type { SpooledMessage } from "./spool.ts";

/** A message on a server. */
export interface RemoteMessage {
  /** What the server calls it, as long as it is there. */
  readonly uid: string;
  /** As the server says. */
  readonly sizeBytes: number;
  /** Somebody has read it: known of IMAP only. */
  readonly isSeen: boolean;
}

export interface Listing {
  /** Changes when the server gives its messages new names (UIDVALIDITY). */
  readonly validity: string;
  readonly messages: readonly RemoteMessage[];
}

export type Fetched =
  | { readonly message: RemoteMessage; readonly spooled: SpooledMessage }
  /** The server would not give this one. */
  | { readonly message: RemoteMessage; readonly failure: Failure };

/** A mailbox on a server, over one connection. */
export interface MailSource extends AsyncDisposable {
  readonly protocol: string;
  /** For the Received line. */
  readonly address: string;
  list(): Promise<Listing>;
  /** In their order, several asked for ahead of those that are taken. */
  fetch(messages: readonly RemoteMessage[], options: SpoolOptions): AsyncGenerator<Fetched>;
  /** Whether what was removed is gone at once; else once `finish` is resolved. */
  readonly deletesAtOnce: boolean;
  /** Asks the server to delete them; resolved with those that it will. */
  remove(messages: readonly RemoteMessage[]): Promise<readonly RemoteMessage[]>;
  /** Has the server know that they were read, where it keeps that; resolved with those of which it does. */
  markSeen(messages: readonly RemoteMessage[]): Promise<readonly RemoteMessage[]>;
  /** Resolves once there may be new messages, or the signal is given. */
  wait(signal: AbortSignal): Promise<void>;
  /** Ends the session, and makes what was asked for final. */
  finish(): Promise<void>;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly stripsReturns: boolean;
}

/** What servers say of sizes is not exact: so much more is taken. */
export function sizeLimitOf({ sizeBytes }: RemoteMessage): number {
  return sizeBytes * 1.25 + 1024 * 1024;
}
