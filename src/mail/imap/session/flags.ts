import { systemFlags } from "../../message-record.ts";
import type { OpenMailbox } from "../../store/index.ts";

/** RFC 9051 §7.3.5: the flags that messages here may have. */
export function flagsText({ keywords }: OpenMailbox): string {
  return `* FLAGS (${[...systemFlags, ...keywords].join(" ")})\r\n`;
}

/** RFC 9051 §7.1: those that a client may set for good. */
export function permanentFlagsText({ keywords, isReadOnly, canAddKeywords }: OpenMailbox): string {
  const flags = isReadOnly ? [] : [...systemFlags, ...keywords, ...(canAddKeywords ? ["\\*"] : [])];
  return `* OK [PERMANENTFLAGS (${flags.join(" ")})] ${isReadOnly ? "Read-only." : "Kept for good."}\r\n`;
}
