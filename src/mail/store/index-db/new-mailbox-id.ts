import { randomBytes } from "node:crypto";

/** For a mailbox whose files tell none (RFC 8474), in the form of Dovecot's GUIDs. */
export function newMailboxId(): string {
  return randomBytes(16).toString("hex");
}
