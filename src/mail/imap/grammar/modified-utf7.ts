import { BadCommand } from "./bad-command.ts";

/** A mailbox name for a client of IMAP4rev1 (RFC 3501 §5.1.3): `Entwürfe` is `Entw&APw-rfe`. */
export function encodeModifiedUtf7(name: string): string {
  return name.replaceAll(/&|[^ -~]+/g, (run) => {
    if (run === "&") return "&-";
    const bytes = Buffer.from(run, "utf16le").swap16();
    return `&${bytes.toString("base64").replaceAll("/", ",").replace(/=+$/, "")}-`;
  });
}

/** Throws `BadCommand` for what no encoder makes: two encodings of one name would be two mailboxes. */
export function decodeModifiedUtf7(text: string): string {
  const name = text.replaceAll(/&([A-Za-z0-9+,]*)(-?)/g, (_, encoded: string, end: string) => {
    if (end === "") throw notEncoded();
    if (encoded === "") return "&";
    const bytes = Buffer.from(encoded.replaceAll(",", "/"), "base64");
    if (bytes.length % 2 === 1) throw notEncoded();
    return bytes.swap16().toString("utf16le");
  });
  if (!name.isWellFormed() || encodeModifiedUtf7(name) !== text) throw notEncoded();
  return name;
}

function notEncoded(): BadCommand {
  return new BadCommand("a mailbox name is not in modified UTF-7");
}
