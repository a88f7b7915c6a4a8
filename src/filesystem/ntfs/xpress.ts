import { damaged } from "../damaged.ts";

/** A chunk begins with the lengths of the codes of so many symbols, four bits each ([MS-XCA] §2.2). */
const symbolCount = 512;
const lengthsBytes = symbolCount / 2;
const longestCode = 15;
const literalCount = 256;
const leastMatch = 3;

/** Unpacks one chunk of XPRESS with Huffman codes, which fills `into`. Throws `damaged` for what it cannot be. */
export function unpackXpress(packed: Uint8Array, into: Uint8Array, what: string): void {
  if (packed.length < lengthsBytes) throw damaged(what, "a compressed chunk is too short");
  const codes = decodeCodes(packed, what);
  const bits = new BitReader(packed, lengthsBytes);
  for (let done = 0; done < into.length;) {
    const entry = codes[bits.peek(longestCode)] ?? 0;
    const codeBits = entry >>> 9;
    if (codeBits === 0 || bits.isPastEnd) throw damaged(what, "a compressed chunk makes no sense");
    bits.skip(codeBits);
    const symbol = entry & (symbolCount - 1);
    if (symbol < literalCount) {
      into[done++] = symbol;
      continue;
    }
    const length = matchLength(symbol & 0xf, bits) + leastMatch;
    const offsetBits = (symbol - literalCount) >>> 4;
    const distance = (1 << offsetBits) | bits.peek(offsetBits);
    bits.skip(offsetBits);
    if (distance > done || done + length > into.length) throw damaged(what, "a compressed chunk makes no sense");
    // Byte by byte: what is repeated may reach into what comes of it.
    for (let n = 0; n < length; n++, done++) into[done] = into[done - distance] ?? 0;
  }
}

function matchLength(nibble: number, bits: BitReader): number {
  if (nibble < 0xf) return nibble;
  const more = bits.byte();
  return more < 0xff ? more + 0xf : bits.u16();
}

/** For all that 15 bits can be: the symbol that they begin with, and above it how many of them are its code. */
function decodeCodes(packed: Uint8Array, what: string): Uint16Array {
  const codes = new Uint16Array(2 ** longestCode);
  let next = 0;
  for (let length = 1; length <= longestCode; length++) {
    const span = 2 ** (longestCode - length);
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      if ((((packed[symbol >>> 1] ?? 0) >>> ((symbol & 1) * 4)) & 0xf) !== length) continue;
      if (next + span > codes.length) throw damaged(what, "the codes of a compressed chunk make no sense");
      codes.fill((length << 9) | symbol, next, next + span);
      next += span;
    }
  }
  return codes;
}

/** Bits from the highest of 16-bit units on, two of which are always taken ahead, with bytes between them. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #bits: number;
  /** How many of the bits taken are more than 16. */
  #extra = 16;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#bits = this.u16() * 0x10000 + this.u16();
  }

  /** Zeros follow the end; more of them than are taken ahead are not used. */
  get isPastEnd(): boolean {
    return this.#at > this.#bytes.length + 4;
  }

  peek(count: number): number {
    return count === 0 ? 0 : this.#bits >>> (32 - count);
  }

  skip(count: number): void {
    this.#bits = (this.#bits << count) >>> 0;
    this.#extra -= count;
    if (this.#extra >= 0) return;
    this.#bits = (this.#bits | (this.u16() << -this.#extra)) >>> 0;
    this.#extra += 16;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  u16(): number {
    return this.byte() + this.byte() * 0x100;
  }
}
