import { Failure } from "../base/index.ts";
import type { ChunkCursor } from "./chunk-cursor.ts";

/** What a header of a cpio archive says of one file. */
export interface CpioHeader {
  /** As in the archive, without `/` or `./` in front; anything else may stand in it, `..` too. */
  readonly path: string;
  /** Type and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly sizeBytes: number;
}

/** A file of which a caller may ask for the content before the next one comes. */
export interface CpioFile extends CpioHeader {
  /** All of it. Throws `damaged` where it is cut off. The caller looks at `sizeBytes` first. */
  content(): Promise<Buffer>;
}

/** "newc" and "crc": Linux, Documentation/driver-api/early-userspace/buffer-format.rst. */
const magicPattern = /^07070[12]$/;
const headerBytes = 110;
const fieldsAt = 6;
const fieldDigits = 8;
const [modeField, sizeField, nameField] = [1, 6, 11];
/** As in Linux: PATH_MAX with the NUL. */
const nameLimitBytes = 4096;
const lastName = "TRAILER!!!";
const alignment = 4;

/** Whether a cpio archive that this reads begins here. */
export function isCpioMagic(bytes: Uint8Array): boolean {
  return magicPattern.test(Buffer.from(bytes.subarray(0, fieldsAt)).toString("latin1"));
}

/**
 * The files of one cpio archive, which begins at the cursor and is left behind its last header. Nothing is kept: names
 * come as the stream does. Throws `damaged` where the archive is cut off or contradicts itself.
 */
export async function* readCpio(cursor: ChunkCursor): AsyncGenerator<CpioFile, void, void> {
  const start = cursor.position;
  for (;;) {
    if (!(await cursor.ensure(headerBytes))) throw cutOff();
    const header = cursor.buffer.toString("latin1", cursor.at, cursor.at + headerBytes);
    if (!magicPattern.test(header.slice(0, fieldsAt))) throw new Failure("damaged", "a cpio header is missing");
    const sizeBytes = fieldOf(header, sizeField);
    const nameBytes = fieldOf(header, nameField);
    if (nameBytes === 0 || nameBytes > nameLimitBytes) throw new Failure("damaged", "a cpio name is too long");
    if (!(await cursor.ensure(headerBytes + nameBytes))) throw cutOff();
    const nameAt = cursor.at + headerBytes;
    const name = cursor.buffer.toString("utf8", nameAt, nameAt + nameBytes).split("\0", 1)[0] ?? "";
    cursor.at += headerBytes + nameBytes;
    await skipPadding(cursor, start);
    if (name === lastName) return;
    const end = cursor.position + sizeBytes;
    yield {
      path: name.replace(/^(?:\.?\/)+/, ""),
      mode: fieldOf(header, modeField),
      sizeBytes,
      content: () => contentOf(cursor, sizeBytes),
    };
    if (!(await cursor.skip(end - cursor.position))) throw cutOff();
    await skipPadding(cursor, start);
  }
}

async function contentOf(cursor: ChunkCursor, sizeBytes: number): Promise<Buffer> {
  if (!(await cursor.ensure(sizeBytes))) throw cutOff();
  const content = Buffer.from(cursor.buffer.subarray(cursor.at, cursor.at + sizeBytes));
  cursor.at += sizeBytes;
  return content;
}

/** Headers and contents begin at multiples of four from the start of the archive. */
async function skipPadding(cursor: ChunkCursor, start: number): Promise<void> {
  const over = (cursor.position - start) % alignment;
  if (over !== 0) await cursor.skip(alignment - over); // cut off there, it lacks nothing yet
}

function fieldOf(header: string, index: number): number {
  const digits = header.slice(fieldsAt + index * fieldDigits, fieldsAt + (index + 1) * fieldDigits);
  if (!/^[\da-fA-F]{8}$/.test(digits)) throw new Failure("damaged", "a cpio header has a number that is none");
  return Number.parseInt(digits, 16);
}

function cutOff(): Failure {
  return new Failure("damaged", "its cpio archive ends too soon");
}
