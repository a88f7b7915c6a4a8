import type { Intent } from "../intent.ts";
import type { MboxTargetOptions } from "./mbox-target.ts";
import { recoverMaildir } from "./maildir-target.ts";
import { recoverMbox } from "./recover-mbox.ts";

/** After a run that was cut off: which of the messages that it was about to write are there. */
export function recover(intent: Intent, options: MboxTargetOptions): Promise<readonly string[]> {
  return intent.kind === "mbox" ? recoverMbox(intent, options) : recoverMaildir(intent);
}
