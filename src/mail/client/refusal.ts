import { Failure } from "../../base/index.ts";

/** The server said no to one command, in so many words; the session goes on. */
export class Refusal extends Failure {
  /** A word for programs: `IN-USE`, `AUTH` (RFC 2449 §8, RFC 3206), `ALREADYEXISTS` (RFC 5530). */
  readonly responseCode: string | undefined;

  constructor(message: string, responseCode: string | undefined) {
    super("failed", message);
    this.responseCode = responseCode;
  }
}
