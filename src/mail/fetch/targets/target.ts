import type { Failure } from "../../../base/index.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger } from "../intent.ts";

/** A message that stays on the server: it was not taken here. */
export interface Undelivered {
  readonly uid: string;
  readonly failure: Failure;
}

/** Where fetched mail goes. Several messages at once, so that one flush of the disk serves them all. */
export interface FetchTarget extends AsyncDisposable {
  /** Whether lines are to end in LF, as in files. */
  readonly wantsLf: boolean;
  /** Whether the next one writes its own Return-Path. */
  readonly writesReturnPath: boolean;
  /**
   * Resolved when every message is safe, or is among those given back; the ledger knows it by then. Throws where
   * nothing more can be delivered; what was taken until then is in the ledger.
   */
  deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly Undelivered[]>;
}
