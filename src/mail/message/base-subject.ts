import { decodeWords } from "./encoded-words.ts";

export interface BaseSubject {
  /** In upper case. */
  readonly text: string;
  /** Whether it is an answer or was forwarded: something was taken away that says so. */
  readonly isReply: boolean;
}

/** Beyond this nobody tells two subjects apart. */
const longestSubject = 500;

const trailer = /(?:\(fwd\)|\s)$/i;
const blob = String.raw`\[[^[\]]*\]\s*`;
const refwd = String.raw`(?:re|fwd?)\s*(?:${blob})?:`;
const leader = new RegExp(String.raw`^(?:(?:${blob})*${refwd}|\s)+`, "i");
const oneBlob = new RegExp(String.raw`^${blob}`);
const forwarded = /^\[fwd:(.*)\]$/i;

/** RFC 5256 §2.1: a subject without what answering and forwarding add to it. */
export function baseSubjectOf(subject: string | undefined): BaseSubject {
  // (1) decoded, blanks made one
  let text = decodeWords(subject ?? "")
    .slice(0, longestSubject)
    .replaceAll(/\s+/g, " ");
  let isReply = false;
  for (;;) {
    // (2) "(fwd)" and blanks at the end
    for (let match = trailer.exec(text); match !== null; match = trailer.exec(text)) {
      if (match[0].length > 1) isReply = true;
      text = text.slice(0, match.index);
    }
    // (3) to (5) "Re:", "[list]" at the beginning
    for (;;) {
      const lead = leader.exec(text)?.[0] ?? "";
      if (lead.trim() !== "") isReply = true;
      text = text.slice(lead.length);
      const tag = oneBlob.exec(text)?.[0] ?? "";
      if (tag === "" || tag.length === text.length) break;
      text = text.slice(tag.length);
    }
    // (6) "[Fwd: …]" around it
    const within = forwarded.exec(text);
    if (within === null) return { text: text.toUpperCase(), isReply };
    isReply = true;
    text = within[1] ?? "";
  }
}
