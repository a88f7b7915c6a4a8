import { Failure } from "../../base/index.ts";
import { derTags, objectIdText, type DerCursor } from "../../bytes/der/index.ts";

/**
 * The serial numbers in the entries of a revocation list, hexadecimal and in upper case. Written by hand and without
 * objects for the parts of an entry: a list may have a hundred thousand. Throws `unsupported` for an entry that says
 * something that must be heeded.
 */
export function readSerials(entries: DerCursor, subject: string): Set<string> {
  const { bytes, position, end } = entries;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const walk = new Walk(buffer, entries);
  const serials = new Set<string>();
  for (let at = position; at < end;) {
    let inside = walk.enter(at, end, derTags.sequence);
    const entryEnd = walk.end;
    let digits = walk.enter(inside, entryEnd, derTags.integer);
    const serialEnd = walk.end;
    while (digits < serialEnd - 1 && buffer[digits] === 0) digits++;
    serials.add(buffer.toString("hex", digits, serialEnd).toUpperCase());
    walk.enter(serialEnd, entryEnd, buffer[serialEnd] ?? 0); // when
    inside = walk.end;
    if (inside < entryEnd) refuseCritical(walk, inside, entryEnd, subject);
    at = entryEnd;
  }
  return serials;
}

function refuseCritical(walk: Walk, at: number, entryEnd: number, subject: string): void {
  let inside = walk.enter(at, entryEnd, derTags.sequence);
  const listEnd = walk.end;
  while (inside < listEnd) {
    const id = walk.enter(inside, listEnd, derTags.sequence);
    const extensionEnd = walk.end;
    const idStart = walk.enter(id, extensionEnd, derTags.objectId);
    const idEnd = walk.end;
    // A TRUE behind the identifier; FALSE is not written in DER.
    if (walk.bytes[idEnd] === derTags.boolean && walk.bytes[idEnd + 2] !== 0) {
      throw listOfPart(subject, objectIdText(walk.bytes.subarray(idStart, idEnd)));
    }
    inside = extensionEnd;
  }
}

/** Finds where values of DER begin and end. */
class Walk {
  readonly bytes: Buffer;
  readonly #cursor: DerCursor;
  /** Of the value entered last. */
  end = 0;

  constructor(bytes: Buffer, cursor: DerCursor) {
    this.bytes = bytes;
    this.#cursor = cursor;
  }

  /** Where the content of the value at a place begins. */
  enter(at: number, limit: number, tag: number): number {
    const { bytes } = this;
    let start = at + 2;
    if (start > limit || bytes[at] !== tag) throw this.#cursor.damage(`there is another kind of value at ${at}`);
    let length = bytes[at + 1] ?? 0;
    if (length >= 0x80) {
      const count = length - 0x80;
      if (count === 0 || count > 4 || start + count > limit) throw this.#cursor.damage(`no length of DER at ${at}`);
      length = bytes.readUIntBE(start, count);
      start += count;
    }
    this.end = start + length;
    if (this.end > limit) throw this.#cursor.damage("it is cut off");
    return start;
  }
}

/** Lists of changes, and those of a part of the certificates, say so by an extension that must be understood. */
export function listOfPart(subject: string, objectId: string): Failure {
  return new Failure(
    "unsupported",
    `cannot use ${subject}: its extension ${objectId} must be heeded, and is not known`,
    {
      hint: "a whole list of one authority is wanted, not one of changes or of a part",
    },
  );
}
