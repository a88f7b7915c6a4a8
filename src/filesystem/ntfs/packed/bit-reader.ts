const unitBits = 16;
const unitBytes = 2;

/**
 * Bits from the highest of 16-bit units on, two of which are always taken ahead, with bytes between them. Behind the end
 * there are zeros.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #bits: number;
  /** How many of the bits taken are more than 16. */
  #extra = unitBits;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#bits = this.u16() * 0x10000 + this.u16();
  }

  /** More was used than there is. */
  get isPastEnd(): boolean {
    return this.#at > this.#bytes.length + 2 * unitBytes;
  }

  peek(count: number): number {
    return count === 0 ? 0 : this.#bits >>> (2 * unitBits - count);
  }

  skip(count: number): void {
    this.#bits = (this.#bits << count) >>> 0;
    this.#extra -= count;
    if (this.#extra >= 0) return;
    this.#bits = (this.#bits | (this.u16() << -this.#extra)) >>> 0;
    this.#extra += unitBits;
  }

  /** At most 16 bits. */
  take(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  /** The symbol of a code in a table of `decodeTable`; undefined for what is no code. */
  symbol(table: Uint16Array, longest: number): number | undefined {
    const entry = table[this.peek(longest)] ?? 0;
    if (entry === 0) return undefined;
    this.skip(entry >>> symbolBits);
    return entry & symbolMask;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  u16(): number {
    return this.byte() + this.byte() * 0x100;
  }

  /** Where the unit begins that follows the one of which something was used; a whole one is passed over. */
  nextUnit(): number {
    return this.#extra > 0 ? this.#at - unitBytes : this.#at;
  }
}

const symbolBits = 9;
const symbolMask = 2 ** symbolBits - 1;

/**
 * For all that `longest` bits can be: the symbol that they begin with, and above it how many of them are its code; 0 where
 * they begin with none. Undefined where the lengths cannot be those of a code.
 */
export function decodeTable(lengths: Uint8Array, longest: number): Uint16Array | undefined {
  const table = new Uint16Array(2 ** longest);
  let next = 0;
  for (let length = 1; length <= longest; length++) {
    const span = 2 ** (longest - length);
    for (let symbol = lengths.indexOf(length); symbol >= 0; symbol = lengths.indexOf(length, symbol + 1)) {
      if (next + span > table.length) return undefined;
      table.fill((length << symbolBits) | symbol, next, next + span);
      next += span;
    }
  }
  return table;
}
