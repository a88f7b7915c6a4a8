import { Failure } from "../../base/index.ts";

/** The other end was not reached or did not answer: trying again may help. */
export class ConnectionLost extends Failure {
  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super("failed", message, options);
  }
}
