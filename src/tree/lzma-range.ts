/**
 * The range decoder of LZMA (the LZMA SDK's specification, "Range Decoder"): a number between 0 and 1, of which
 * each bit takes away a part as large as the bit is likely. Probabilities are of 11 bits and learn by a 32nd.
 *
 * The loops keep the state in local variables, for speed: this is where nearly all the time goes.
 */
export class RangeDecoder {
  input: Uint8Array = new Uint8Array(0);
  at = 0;
  #range = 0;
  #code = 0;

  /** Starts at five bytes of `input`, the first of which is 0; false where it is not. */
  start(input: Uint8Array, at: number): boolean {
    this.input = input;
    this.at = at + 5;
    this.#range = 0xffffffff;
    const [first = 1, a = 0, b = 0, c = 0, d = 0] = input.subarray(at, at + 5);
    this.#code = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    return first === 0;
  }

  /** True where all that was put in has come out again. */
  isAtEnd(end: number): boolean {
    if (this.#range < 0x1000000) {
      this.#range = (this.#range << 8) >>> 0;
      this.#code = ((this.#code << 8) | (this.input[this.at++] as number)) >>> 0;
    }
    return this.#code === 0 && this.at === end;
  }

  bit(probabilities: Uint16Array, index: number): 0 | 1 {
    let range = this.#range;
    let code = this.#code;
    if (range < 0x1000000) {
      range = (range << 8) >>> 0;
      code = ((code << 8) | (this.input[this.at++] as number)) >>> 0;
    }
    const probability = probabilities[index] as number;
    const bound = Math.imul(range >>> 11, probability) >>> 0;
    if (code < bound) {
      this.#range = bound;
      this.#code = code;
      probabilities[index] = probability + ((2048 - probability) >>> 5);
      return 0;
    }
    this.#range = (range - bound) >>> 0;
    this.#code = (code - bound) >>> 0;
    probabilities[index] = probability - (probability >>> 5);
    return 1;
  }

  /** Bits from the highest down, each with the probability that those before it select: 1 and the bits. */
  tree(probabilities: Uint16Array, base: number, bitCount: number): number {
    const input = this.input;
    let at = this.at;
    let range = this.#range;
    let code = this.#code;
    let symbol = 1;
    for (let n = 0; n < bitCount; n++) {
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (input[at++] as number)) >>> 0;
      }
      const probability = probabilities[base + symbol] as number;
      const bound = Math.imul(range >>> 11, probability) >>> 0;
      if (code < bound) {
        range = bound;
        probabilities[base + symbol] = probability + ((2048 - probability) >>> 5);
        symbol <<= 1;
      } else {
        range = (range - bound) >>> 0;
        code = (code - bound) >>> 0;
        probabilities[base + symbol] = probability - (probability >>> 5);
        symbol = (symbol << 1) | 1;
      }
    }
    this.at = at;
    this.#range = range;
    this.#code = code;
    return symbol;
  }

  /** Bits from the lowest up. */
  reverseTree(probabilities: Uint16Array, base: number, bitCount: number): number {
    let symbol = 1;
    let value = 0;
    for (let n = 0; n < bitCount; n++) {
      const bit = this.bit(probabilities, base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << n;
    }
    return value;
  }

  /** A literal after a match: as long as its bits are those of the byte at the match's distance, that one selects too. */
  matchedLiteral(probabilities: Uint16Array, base: number, matchByte: number): number {
    let offset = 0x100;
    let match = matchByte;
    let symbol = 1;
    while (symbol < 0x100) {
      match <<= 1;
      const bit = this.bit(probabilities, base + offset + (match & offset) + symbol);
      symbol = (symbol << 1) | bit;
      offset &= bit === 1 ? match : ~match;
    }
    return symbol & 0xff;
  }

  /** Bits that are 0 and 1 alike. */
  direct(bitCount: number): number {
    let range = this.#range;
    let code = this.#code;
    let value = 0;
    for (let n = 0; n < bitCount; n++) {
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (this.input[this.at++] as number)) >>> 0;
      }
      range >>>= 1;
      value <<= 1;
      if (code >= range) {
        code = (code - range) >>> 0;
        value |= 1;
      }
    }
    this.#range = range;
    this.#code = code;
    return value >>> 0;
  }
}
