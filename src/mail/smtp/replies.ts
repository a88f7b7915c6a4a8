import { Failure, isSystemError } from "../../base/index.ts";

/** An answer to a peer: a code, and an enhanced one with words (RFC 3463). */
export class Reply extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, text: string) {
    super(text);
    this.name = "ReplyError";
    this.responseCode = responseCode;
  }

  get isForNow(): boolean {
    return this.responseCode < 500;
  }
}

/** What a failed delivery means for who sends: try again later, or give up. */
export function replyTo(error: unknown): Reply {
  if (error instanceof Reply) return error;
  const cause = error instanceof Failure ? error.cause : error;
  if (isSystemError(cause, "ENOSPC", "EDQUOT", "EFBIG")) return new Reply(452, "4.3.1 No space left, try again later");
  if (error instanceof Failure && error.code === "no-space") return new Reply(552, "5.2.2 Mailbox is full");
  if (error instanceof Failure && error.code === "not-found") return new Reply(451, "4.2.1 Mailbox is not there now");
  return new Reply(451, "4.3.0 Cannot deliver now, try again later");
}
