import { Xxhash32 } from "../bytes/index.ts";

/** LZ4 frame format 1.6.2 and block format 2022-07. */
const frameMagic = 0x184d2204;
/** Version 1; blocks that need no other; with the length and a checksum of the content. */
const frameFlags = 0x40 | 0x20 | 0x08 | 0x04;
/** Blocks of up to 4 MiB. */
const blockDescriptor = 0x70;
const blockBytes = 4 * 1024 * 1024;
const storedFlag = 0x80000000;

const smallestMatch = 4;
const farthest = 65_535;
/** The format leaves the last bytes to literals, so that decoders may copy more than there is. */
const lastLiterals = 5;
const lastMatchStart = 12;
const hashBits = 15;
/** Where nothing repeats, steps become longer: one byte more after so many tries. */
const skipShift = 6;

/** Bytes as one LZ4 frame, complete in itself. The same bytes give the same frame. */
export function encodeLz4Frame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blockCount = Math.ceil(bytes.length / blockBytes);
  const frame = Buffer.alloc(bytes.length + 4 * blockCount + 23);
  frame.writeUInt32LE(frameMagic, 0);
  frame[4] = frameFlags;
  frame[5] = blockDescriptor;
  frame.writeBigUInt64LE(BigInt(bytes.length), 6);
  frame[14] = (hashOf(frame.subarray(4, 14)) >>> 8) & 0xff;
  let end = 15;
  const encoder = new BlockEncoder();
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    const place = frame.subarray(end + 4, end + 4 + block.length);
    const packedBytes = encoder.encode(block, place);
    if (packedBytes === undefined) place.set(block);
    frame.writeUInt32LE(packedBytes ?? (block.length | storedFlag) >>> 0, end);
    end += 4 + (packedBytes ?? block.length);
  }
  frame.writeUInt32LE(0, end);
  frame.writeUInt32LE(hashOf(bytes), end + 4);
  return new Uint8Array(frame.buffer, frame.byteOffset, end + 8);
}

function hashOf(bytes: Uint8Array): number {
  const hash = new Xxhash32();
  hash.update(bytes);
  return hash.digest();
}

/** Takes at each place the last match that four bytes lead to, if there is one. */
class BlockEncoder {
  readonly #heads = new Int32Array(1 << hashBits);

  /** The length of the block in `into`; undefined where it does not become smaller than what it is made of. */
  encode(from: Uint8Array, into: Uint8Array): number | undefined {
    const heads = this.#heads.fill(-1);
    const writer = new SequenceWriter(from, into);
    const matchEnd = from.length - lastLiterals;
    let tries = 1 << skipShift;
    for (let at = 0; at <= from.length - lastMatchStart;) {
      const four = fourAt(from, at);
      const hash = Math.imul(four, 0x9e3779b1) >>> (32 - hashBits);
      const candidate = heads[hash] ?? -1;
      heads[hash] = at;
      if (candidate < 0 || at - candidate > farthest || fourAt(from, candidate) !== four) {
        at += tries++ >> skipShift;
        continue;
      }
      let length = smallestMatch;
      while (at + length < matchEnd && from[candidate + length] === from[at + length]) length++;
      if (!writer.write(at, { distance: at - candidate, length })) return undefined;
      at += length;
      tries = 1 << skipShift;
    }
    return writer.finish();
  }
}

function fourAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

class SequenceWriter {
  readonly #from: Uint8Array;
  readonly #into: Uint8Array;
  /** Where the literals begin that are still to be written. */
  #pending = 0;
  #end = 0;

  constructor(from: Uint8Array, into: Uint8Array) {
    this.#from = from;
    this.#into = into;
  }

  /** The literals up to `at`, and a match there. False where there is no room. */
  write(at: number, match: { readonly distance: number; readonly length: number }): boolean {
    const literals = at - this.#pending;
    if (!this.#hasRoom(literals, match.length)) return false;
    const rest = match.length - smallestMatch;
    this.#literals(literals, Math.min(rest, 15));
    this.#into[this.#end++] = match.distance & 0xff;
    this.#into[this.#end++] = match.distance >>> 8;
    this.#length(rest);
    this.#pending = at + match.length;
    return true;
  }

  finish(): number | undefined {
    const literals = this.#from.length - this.#pending;
    if (!this.#hasRoom(literals, 0)) return undefined;
    this.#literals(literals, 0);
    return this.#end;
  }

  #hasRoom(literals: number, matchLength: number): boolean {
    return this.#end + literals + (literals + matchLength) / 255 + 8 < this.#into.length;
  }

  #literals(count: number, nibble: number): void {
    this.#into[this.#end++] = (Math.min(count, 15) << 4) | nibble;
    this.#length(count);
    const [from, into, start, end] = [this.#from, this.#into, this.#pending, this.#end];
    if (count > 64) into.set(from.subarray(start, start + count), end);
    else for (let n = 0; n < count; n++) into[end + n] = from[start + n] as number;
    this.#end += count;
  }

  /** What a nibble of 15 leaves untold. */
  #length(value: number): void {
    if (value < 15) return;
    let rest = value - 15;
    for (; rest >= 255; rest -= 255) this.#into[this.#end++] = 255;
    this.#into[this.#end++] = rest;
  }
}
