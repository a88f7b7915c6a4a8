import { Failure } from "../../base/index.ts";

/**
 * LZO1X as a Linux kernel takes it (its documentation, "LZO stream format"), and what btrfs puts around it: a length of all,
 * then for each sector of data a length and a stream. Lengths of 4 bytes do not cross the border of a sector.
 */

const lengthBytes = 4;
/** A run of zeros in a length counts so much for each. */
const zeroCounts = 255;

/** The data of an extent or an inline file; at most `limitBytes`. */
export function unpackLzo(packed: Uint8Array, sectorBytes: number, limitBytes: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const output = new Uint8Array(limitBytes);
  const endAt = packed.length < lengthBytes ? 0 : view.getUint32(0, true);
  if (endAt < lengthBytes || endAt > packed.length) throw broken("its length is wrong");
  let made = 0;
  for (let at = lengthBytes; at < endAt;) {
    const leftInSector = sectorBytes - (at % sectorBytes);
    if (leftInSector < lengthBytes) {
      at += leftInSector;
      continue;
    }
    if (at + lengthBytes > endAt) break; // what is left is padding
    const segmentBytes = view.getUint32(at, true);
    at += lengthBytes;
    if (segmentBytes === 0 || at + segmentBytes > endAt) throw broken("a segment passes its end");
    made = new LzoStream(packed.subarray(at, at + segmentBytes), output, made).run();
    at += segmentBytes;
  }
  return output.subarray(0, made);
}

/** Literals that came before an instruction: three or fewer are counted, more are all the same. */
const manyLiterals = 4;

/** One stream of instructions, each a match with up to three literals behind it, or a run of literals. */
class LzoStream {
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  /** Matches do not reach back before it. */
  readonly #start: number;
  #at = 0;
  #made: number;

  constructor(input: Uint8Array, output: Uint8Array, made: number) {
    this.#input = input;
    this.#output = output;
    this.#start = made;
    this.#made = made;
  }

  /** How much of the output is made at the end of it. */
  run(): number {
    let literals = 0;
    const first = this.#input[0] ?? 0;
    if (first > 17) {
      this.#at = 1;
      this.#copyLiterals(first - 17);
      literals = Math.min(first - 17, manyLiterals);
    }
    for (;;) {
      const code = this.#byte();
      if (code < 16 && literals === 0) {
        this.#copyLiterals(3 + this.#length(code, 15));
        literals = manyLiterals;
        continue;
      }
      const after = this.#match(code, literals);
      if (after < 0) return this.#made;
      this.#copyLiterals(after);
      literals = after;
    }
  }

  /** Copies a match, and gives how many literals follow it; −1 at the end of the stream. */
  #match(code: number, literals: number): number {
    if (code >= 64) {
      const count = code >= 128 ? 5 + ((code >>> 5) & 3) : 3 + ((code >>> 5) & 1);
      return this.#copy(((code >>> 2) & 7) + this.#byte() * 8 + 1, count, code & 3);
    }
    if (code >= 32) {
      const count = 2 + this.#length(code & 31, 31);
      const word = this.#word();
      return this.#copy((word >>> 2) + 1, count, word & 3);
    }
    if (code >= 16) {
      const count = 2 + this.#length(code & 7, 7);
      const word = this.#word();
      const distance = (code & 8) * 2048 + (word >>> 2);
      return distance === 0 ? -1 : this.#copy(distance + 16_384, count, word & 3);
    }
    const distance = (code >>> 2) + this.#byte() * 4;
    if (literals === manyLiterals) return this.#copy(distance + 2049, 3, code & 3);
    return this.#copy(distance + 1, 2, code & 3);
  }

  #copy(distance: number, count: number, after: number): number {
    const from = this.#made - distance;
    if (from < this.#start) throw broken("a match begins before all data");
    if (this.#made + count > this.#output.length) throw broken("it is longer than it can be");
    for (let n = 0; n < count; n++) this.#output[this.#made + n] = this.#output[from + n] as number;
    this.#made += count;
    return after;
  }

  #copyLiterals(count: number): void {
    if (this.#at + count > this.#input.length) throw broken("it ends too soon");
    if (this.#made + count > this.#output.length) throw broken("it is longer than it can be");
    this.#output.set(this.#input.subarray(this.#at, this.#at + count), this.#made);
    this.#at += count;
    this.#made += count;
  }

  /** A length of an instruction, which goes on in bytes behind it where the instruction has none. */
  #length(inCode: number, base: number): number {
    if (inCode !== 0) return inCode;
    let length = base;
    for (;;) {
      const byte = this.#byte();
      if (byte !== 0) return length + byte;
      length += zeroCounts;
    }
  }

  #byte(): number {
    const byte = this.#input[this.#at++];
    if (byte === undefined) throw broken("it ends too soon");
    return byte;
  }

  #word(): number {
    return this.#byte() + this.#byte() * 256;
  }
}

function broken(why: string): Failure {
  return new Failure("damaged", `cannot unpack lzo: ${why}`);
}
