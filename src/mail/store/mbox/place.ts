import type { Extent } from "./plan-rewrite.ts";

/** Where a message is, as the index keeps it: the offset, and the lengths of what follows. */
export function encodePlace({ offset, headerOffset, bodyOffset, bodyEnd, endOffset, headerSum }: Extent): string {
  return [
    offset,
    headerOffset - offset,
    bodyOffset - headerOffset,
    bodyEnd - bodyOffset,
    endOffset - bodyEnd,
    headerSum,
  ].join(" ");
}

export function decodePlace(place: string): Extent {
  const [offset = 0, line = 0, header = 0, body = 0, separator = 0, headerSum = 0] = place.split(" ").map(Number);
  const headerOffset = offset + line;
  const bodyOffset = headerOffset + header;
  const bodyEnd = bodyOffset + body;
  return { offset, headerOffset, bodyOffset, bodyEnd, endOffset: bodyEnd + separator, headerSum };
}
