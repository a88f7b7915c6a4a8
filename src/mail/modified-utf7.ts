/** A mailbox name as IMAP4rev1, folders of a Maildir and files of mbox have it (RFC 3501 §5.1.3): `Entwürfe` is `Entw&APw-rfe`. */
export function encodeModifiedUtf7(name: string): string {
  return name.replaceAll(/&|[^ -~]+/g, (run) => {
    if (run === "&") return "&-";
    const encoded = Buffer.from(run, "utf16le").swap16().toString("base64");
    return `&${encoded.replaceAll("/", ",").replace(/=+$/, "")}-`;
  });
}

/** Undefined for what no encoder makes: two encodings of one name would be two mailboxes. */
export function decodeModifiedUtf7(text: string): string | undefined {
  const name = text.replaceAll(/&([A-Za-z0-9+,]*)-/g, (_, encoded: string) => {
    if (encoded === "") return "&";
    const bytes = Buffer.from(encoded.replaceAll(",", "/"), "base64");
    return bytes.length % 2 === 1 ? "\uD800" : bytes.swap16().toString("utf16le");
  });
  return name.isWellFormed() && encodeModifiedUtf7(name) === text ? name : undefined;
}
