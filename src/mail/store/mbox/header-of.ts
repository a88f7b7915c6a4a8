import { flagsIn } from "./identify.ts";
import { formatHeaderBlock, type MailboxBase } from "./metadata.ts";
import type { MboxMessage } from "./scan.ts";

interface HeaderWords {
  readonly uid: number;
  readonly base: MailboxBase;
  readonly flags?: readonly string[] | undefined;
  readonly isFirst: boolean;
}

/** The header of a message that is there, with what is to be said of it now; in the room of the old one where it fits. */
export function headerOf(message: MboxMessage, { uid, base, flags, isFirst }: HeaderWords): Uint8Array {
  const { metadata } = message.header;
  const bodyBytes = message.bodyEnd - message.bodyOffset;
  return formatHeaderBlock(
    message.header,
    {
      ...(uid > 0 && { uid }),
      base: isFirst ? base : undefined,
      flags: flags ?? flagsIn(message, base),
      isOld: flags !== undefined || metadata.status.includes("O"),
      contentLength: metadata.contentLength === bodyBytes ? bodyBytes : undefined,
    },
    message.bodyOffset - message.headerOffset,
  );
}
