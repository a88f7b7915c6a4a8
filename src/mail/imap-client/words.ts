import { Failure } from "../../base/index.ts";
import { encodeModifiedUtf7 } from "../modified-utf7.ts";

/** A quoted string (RFC 9051 §4.3). */
export function quoted(text: string): string {
  if (/[^ -~]/.test(text)) {
    throw new Failure("unsupported", "cannot log in: the server takes only letters of ASCII in names and passwords");
  }
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** A mailbox's name as it is sent. One that is in ASCII is taken as it is written: perhaps in that UTF-7 already. */
export function mailboxWord(name: string): string {
  return quoted(/[^ -~]/.test(name) ? encodeModifiedUtf7(name) : name);
}

/** `1,3:5`, from UIDs in any order. */
export function uidSet(uids: readonly number[]): string {
  const sorted = uids.toSorted((one, other) => one - other);
  const ranges: [from: number, to: number][] = [];
  for (const uid of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && uid <= last[1] + 1) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}:${to}`)).join(",");
}
