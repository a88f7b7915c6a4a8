import { Failure } from "../../base/index.ts";
import { objectIdText } from "./write.ts";
import { derTags } from "./read.ts";

/**
 * Reads values of DER one after the other, from a part of some bytes, without copies. Whatever is not as it is asked for
 * ends in a `damaged` failure, whose message begins with what is read.
 */
export class DerCursor {
  readonly bytes: Uint8Array;
  readonly #subject: string;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, subject: string, range = { at: 0, end: bytes.length }) {
    this.bytes = bytes;
    this.#subject = subject;
    this.#at = range.at;
    this.#end = range.end;
  }

  /** Where in the bytes the next value begins. */
  get position(): number {
    return this.#at;
  }

  /** Where in the bytes this part ends. */
  get end(): number {
    return this.#end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The tag of the next value; undefined at the end. */
  get nextTag(): number | undefined {
    return this.isAtEnd ? undefined : this.bytes[this.#at];
  }

  /** A cursor over the content of the next value, which has this tag. */
  enter(tag: number): DerCursor {
    return new DerCursor(this.bytes, this.#subject, this.#next(tag));
  }

  /** The same of what may be left out. */
  enterIf(tag: number): DerCursor | undefined {
    return this.nextTag === tag ? this.enter(tag) : undefined;
  }

  /** The content of the next value, which has this tag. */
  take(tag: number): Uint8Array {
    const { at, end } = this.#next(tag);
    return this.bytes.subarray(at, end);
  }

  takeIf(tag: number): Uint8Array | undefined {
    return this.nextTag === tag ? this.take(tag) : undefined;
  }

  /** The next value with its tag and length. */
  takeWhole(tag = this.nextTag ?? 0): Uint8Array {
    const start = this.#at;
    const { end } = this.#next(tag);
    return this.bytes.subarray(start, end);
  }

  takeObjectId(): string {
    return objectIdText(this.take(derTags.objectId));
  }

  /** Bits that fill bytes. */
  takeBits(): Uint8Array {
    const content = this.take(derTags.bitString);
    if (content[0] !== 0) throw this.damage("bits do not fill their bytes");
    return content.subarray(1);
  }

  /** UTCTime or GeneralizedTime, as RFC 5280 §4.1.2.5 has them: to the second, in UTC. */
  takeTime(): Date {
    const isShort = this.nextTag === derTags.utcTime;
    const digits = Buffer.from(this.take(isShort ? derTags.utcTime : derTags.generalizedTime)).toString("latin1");
    const [, year = "", month, day, hour, minute, second] =
      /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
    const century = isShort ? (Number(year) < 50 ? "20" : "19") : "";
    const time = new Date(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    if (Number.isNaN(time.getTime()) || (year.length === 2) !== isShort) throw this.damage(`"${digits}" is no time`);
    return time;
  }

  /** Throws where something is left. */
  expectEnd(): void {
    if (!this.isAtEnd) throw this.damage("there is more than its end");
  }

  damage(what: string): Failure {
    return new Failure("damaged", `cannot read ${this.#subject}: ${what}`);
  }

  #next(tag: number): { readonly at: number; readonly end: number } {
    const { bytes } = this;
    if (this.#at + 2 > this.#end) throw this.damage("it is cut off");
    if (bytes[this.#at] !== tag) throw this.damage(`there is another kind of value at ${this.#at}`);
    let at = this.#at + 2;
    let length = bytes[this.#at + 1] ?? 0;
    if (length >= 0x80) {
      const count = length - 0x80;
      if (count === 0 || count > 4) throw this.damage(`no length of DER at ${this.#at}`);
      if (at + count > this.#end) throw this.damage("it is cut off");
      length = 0;
      for (const end = at + count; at < end; at++) length = length * 256 + (bytes[at] ?? 0);
    }
    const end = at + length;
    if (end > this.#end) throw this.damage("it is cut off");
    this.#at = end;
    return { at, end };
  }
}
