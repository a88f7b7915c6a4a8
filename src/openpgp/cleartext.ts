import { Failure } from "../base/index.ts";
import { decodeArmour } from "./armour.ts";

/** A cleartext-signed message (RFC 9580 §7), taken apart. */
export interface CleartextMessage {
  /** What was signed, lines ended by LF; blanks at the ends of lines are not part of it. */
  readonly text: string;
  /** As signatures hash it: lines parted by CR LF, none after the last. */
  readonly hashed: Uint8Array;
  /** Signature packets. */
  readonly signatures: Uint8Array;
}

const begin = "-----BEGIN PGP SIGNED MESSAGE-----";
const beginSignature = "-----BEGIN PGP SIGNATURE-----";
const endSignature = "-----END PGP SIGNATURE-----";
const hashHeader = /^Hash: [A-Za-z0-9, -]+$/;

/** Whether a file begins as cleartext-signed messages do. */
export function isCleartext(content: Uint8Array): boolean {
  return Buffer.from(content.subarray(0, begin.length)).toString("latin1") === begin;
}

/**
 * Takes the message apart and is strict about it: nothing before, behind or between the parts, for a reader might
 * take it for signed.
 */
export function parseCleartext(content: Uint8Array): CleartextMessage {
  const lines = Buffer.from(content).toString("latin1").split("\n").map(withoutTrailingBlanks);
  if (lines.at(-1) === "") lines.pop();
  if (lines[0] !== begin) throw new Failure("damaged", "it does not begin as a signed message does");
  const blank = lines.indexOf("");
  if (blank < 0 || !lines.slice(1, blank).every((line) => hashHeader.test(line))) {
    throw new Failure("damaged", "its head holds more than the names of hashes");
  }
  const split = lines.indexOf(beginSignature);
  if (split <= blank || lines.indexOf(endSignature) !== lines.length - 1) {
    throw new Failure("damaged", "it is not one text with a signature behind it, and nothing after that");
  }
  const text = lines.slice(blank + 1, split).map(withoutDash);
  return {
    text: `${Buffer.from(text.join("\n"), "latin1").toString("utf8")}\n`,
    hashed: Buffer.from(text.join("\r\n"), "latin1"),
    signatures: decodeArmour(lines.slice(split).join("\n"), "SIGNATURE"),
  };
}

/** RFC 9580 §7.2: blanks, tabs and what is left of a CR LF. */
function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && " \t\r".includes(line.charAt(end - 1))) end--;
  return line.slice(0, end);
}

function withoutDash(line: string): string {
  if (line.startsWith("- ")) return line.slice(2);
  if (line.startsWith("-")) throw new Failure("damaged", "a line of its text begins with a dash that is not escaped");
  return line;
}

/** A text as detached text signatures hash it: every line ended by CR LF, blanks kept. */
export function canonicalText(content: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(content).toString("latin1").replaceAll(/\r?\n/g, "\r\n"), "latin1");
}
