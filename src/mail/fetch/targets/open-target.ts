import type { Account } from "../account.ts";
import { MaildirTarget } from "./maildir-target.ts";
import { MboxTarget, type MboxTargetOptions } from "./mbox-target.ts";
import { PipeTarget } from "./pipe-target.ts";
import { SmtpTarget } from "./smtp-target.ts";
import type { FetchTarget } from "./target.ts";

/** Where an account's mail goes to, not yet touched. */
export function openTarget(
  account: Account,
  options: MboxTargetOptions & { readonly env: NodeJS.ProcessEnv },
): FetchTarget {
  const { destination } = account;
  switch (destination.kind) {
    case "mbox":
      return new MboxTarget(destination.path, options);
    case "maildir":
      return new MaildirTarget(destination.path, options);
    case "pipe":
      return new PipeTarget({ command: destination.command, lineEnds: account.lineEnds, env: options.env });
    default:
      return new SmtpTarget({ ...destination, batchLimit: account.batchLimit });
  }
}
