import { digestMessage, plainText, type ContentType } from "./content-fields.ts";
import { contentOf, isContentField } from "./content.ts";
import { envelopeOf, isEnvelopeField } from "./envelope.ts";
import { readHeader, type RawField } from "./header.ts";
import { messageLimits } from "./limits.ts";
import type { Envelope, MessagePart } from "./structure.ts";

function isMessageField(name: string): boolean {
  return isEnvelopeField(name) || isContentField(name);
}

/** A line `--boundary`: it ends a part. */
interface Delimiter {
  /** Before the line end in front of it, which is its own (RFC 2046 §5.1.1). */
  readonly bodyEnd: number;
  readonly lineEnd: number;
  /** How many multiparts are around the one that it is of; -1 for the end of the message. */
  readonly level: number;
  readonly isClosing: boolean;
}

interface ReadPart {
  readonly part: MessagePart;
  /** What ended it. */
  readonly end: Delimiter;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const dash = 0x2d;
const anyDashes = Buffer.from("\n--");

/** Reads the tree of parts, once from front to back: it holds the boundaries of all multiparts around where it is. */
export class PartReader {
  private readonly bytes: Buffer;
  private readonly boundaries: Buffer[] = [];
  /** What a line that may be a delimiter begins with. */
  private needle = anyDashes;
  private partCount = 0;
  /** Lines are counted up to here. */
  private countedTo = 0;
  private lines = 0;
  private openMessages = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** A message from `start` on: the whole, or one in a `message/rfc822`. */
  readMessage(
    start: number,
    depth: number,
  ): ReadPart & { readonly envelope: Envelope; readonly fields: readonly RawField[] } {
    const header = readHeader(this.bytes, start, isMessageField, this.isDelimiter);
    const envelope = envelopeOf(this.bytes, header.fields);
    return { ...this.readBody(start, header.end, header.fields, plainText, depth), envelope, fields: header.fields };
  }

  private readPart(start: number, inDigest: boolean, depth: number): ReadPart {
    const header = readHeader(this.bytes, start, isContentField, this.isDelimiter);
    return this.readBody(start, header.end, header.fields, inDigest ? digestMessage : plainText, depth);
  }

  private readBody(
    start: number,
    bodyOffset: number,
    fields: readonly RawField[],
    ifNotSaid: ContentType,
    depth: number,
  ): ReadPart {
    this.partCount++;
    const said = contentOf(this.bytes, fields, ifNotSaid);
    const isWithin = depth < messageLimits.depth && this.partCount < messageLimits.parts;
    const content = !isWithin && isComposite(said) ? { ...said, ...opaque } : said;
    const boundary = content.type === "multipart" ? boundaryOf(content) : undefined;
    const isMessage = content.type === "message" && isComposite(content);
    const hasLines = content.type === "text" || isMessage;
    if (hasLines) this.startLines(bodyOffset);
    const linesBefore = this.lines;
    let parts: readonly MessagePart[] = [];
    let envelope: Envelope | undefined;
    let end: Delimiter;
    if (boundary !== undefined) {
      ({ parts, end } = this.readParts(bodyOffset, boundary, content.subtype === "digest", depth));
    } else if (isMessage) {
      this.openMessages++;
      const message = this.readMessage(bodyOffset, depth + 1);
      this.openMessages--;
      ({ end, envelope } = message);
      parts = [message.part];
    } else end = this.nextDelimiter(bodyOffset);
    const bodyEnd = Math.max(end.bodyEnd, start);
    const headerEnd = Math.min(bodyOffset, bodyEnd);
    if (hasLines) this.countLines(bodyEnd);
    const part = {
      headerOffset: start,
      headerBytes: headerEnd - start,
      bodyOffset: headerEnd,
      bodyBytes: bodyEnd - headerEnd,
      lines: hasLines ? this.lines - linesBefore : 0,
      ...content,
      parts,
      ...(envelope === undefined ? {} : { envelope }),
    };
    return { part, end };
  }

  private readParts(
    from: number,
    boundary: Buffer,
    inDigest: boolean,
    depth: number,
  ): { readonly parts: readonly MessagePart[]; readonly end: Delimiter } {
    const level = this.boundaries.push(boundary) - 1;
    this.chooseNeedle();
    const parts: MessagePart[] = [];
    let end = this.nextDelimiter(from);
    while (end.level === level && !end.isClosing && this.partCount < messageLimits.parts) {
      const read = this.readPart(end.lineEnd, inDigest, depth + 1);
      parts.push(read.part);
      end = read.end;
    }
    this.boundaries.pop();
    this.chooseNeedle();
    // What follows the last part says nothing, up to the boundary of a multipart around this one.
    return { parts, end: end.level === level ? this.nextDelimiter(end.lineEnd) : end };
  }

  /** The first delimiter from `from` on, where a line begins. */
  private nextDelimiter(from: number): Delimiter {
    if (this.boundaries.length === 0) return this.endOfMessage();
    let at = from;
    if (!this.startsDashed(at)) at = this.nextDashedLine(at);
    while (at !== -1) {
      const level = this.levelAt(at);
      if (level !== -1) return this.delimiterAt(at, level);
      at = this.nextDashedLine(at);
    }
    return this.endOfMessage();
  }

  private endOfMessage(): Delimiter {
    const end = this.bytes.length;
    return { bodyEnd: end, lineEnd: end, level: -1, isClosing: true };
  }

  private nextDashedLine(from: number): number {
    const found = this.bytes.indexOf(this.needle, from);
    return found === -1 ? -1 : found + 1;
  }

  /** Of one multipart alone, its boundary is sought, which goes by leaps. */
  private chooseNeedle(): void {
    const [boundary] = this.boundaries;
    this.needle =
      this.boundaries.length === 1 && boundary !== undefined ? Buffer.concat([anyDashes, boundary]) : anyDashes;
  }

  private startsDashed(at: number): boolean {
    return this.bytes[at] === dash && this.bytes[at + 1] === dash;
  }

  private readonly isDelimiter = (lineStart: number): boolean => this.levelAt(lineStart) !== -1;

  /**
   * Which boundary a line has: the line need only begin with it (RFC 2046 §5.1.1). Where several fit, the longest; of
   * equal ones the innermost.
   */
  private levelAt(lineStart: number): number {
    let found = -1;
    let foundBytes = -1;
    for (let level = this.boundaries.length - 1; level >= 0; level--) {
      const boundary = this.boundaries[level];
      if (boundary === undefined || boundary.length <= foundBytes) continue;
      if (!startsWith(this.bytes, lineStart + 2, boundary)) continue;
      found = level;
      foundBytes = boundary.length;
    }
    return found;
  }

  private delimiterAt(lineStart: number, level: number): Delimiter {
    const { bytes } = this;
    const afterBoundary = lineStart + 2 + (this.boundaries[level]?.length ?? 0);
    const lineFeedAt = bytes.indexOf(lineFeed, afterBoundary);
    let bodyEnd = lineStart;
    if (bytes[bodyEnd - 1] === lineFeed) bodyEnd--;
    if (bytes[bodyEnd - 1] === carriageReturn) bodyEnd--;
    return {
      bodyEnd,
      lineEnd: lineFeedAt === -1 ? bytes.length : lineFeedAt + 1,
      level,
      isClosing: this.startsDashed(afterBoundary),
    };
  }

  /** Begins to count lines at `offset`: what is before is of no interest, unless a message around this is counted. */
  private startLines(offset: number): void {
    if (this.openMessages > 0) this.countLines(offset);
    else this.countedTo = offset;
  }

  private countLines(offset: number): void {
    while (this.countedTo < offset) {
      const found = this.bytes.indexOf(lineFeed, this.countedTo);
      if (found === -1 || found >= offset) break;
      this.lines++;
      this.countedTo = found + 1;
    }
    this.countedTo = Math.max(this.countedTo, offset);
  }
}

/** What is nested too deep, or comes too late, is not looked into. */
const opaque: ContentType = { type: "application", subtype: "octet-stream", parameters: [] };

function isComposite(content: ContentType): boolean {
  if (content.type === "multipart") return true;
  return content.type === "message" && (content.subtype === "rfc822" || content.subtype === "global");
}

function startsWith(bytes: Buffer, at: number, what: Buffer): boolean {
  for (let index = 0; index < what.length; index++) if (bytes[at + index] !== what[index]) return false;
  return true;
}

/** RFC 2046 §5.1.1 allows 70 characters; more are met. */
const longestBoundary = 250;

function boundaryOf(content: ContentType): Buffer | undefined {
  const boundary = content.parameters.find(([name]) => name === "boundary")?.[1];
  if (boundary === undefined || boundary === "" || boundary.length > longestBoundary) return undefined;
  return Buffer.from(boundary, "utf8");
}
