/**
 * A set of small numbers, one bit each, least significant bit first: the on-disk form of block and inode
 * bitmaps (ext, NTFS, partclone).
 */
export class Bitmap {
  readonly bytes: Uint8Array;
  readonly length: number;

  /** Over `bytes` where given (shared, not copied), else all clear. */
  constructor(length: number, bytes: Uint8Array = new Uint8Array(Math.ceil(length / 8))) {
    if (bytes.length * 8 < length) throw new RangeError(`${bytes.length} bytes cannot hold ${length} bits`);
    this.length = length;
    this.bytes = bytes;
  }

  has(n: number): boolean {
    return ((this.bytes[n >>> 3] as number) & (1 << (n & 7))) !== 0;
  }

  set(n: number): void {
    this.bytes[n >>> 3] = (this.bytes[n >>> 3] as number) | (1 << (n & 7));
  }

  clear(n: number): void {
    this.bytes[n >>> 3] = (this.bytes[n >>> 3] as number) & ~(1 << (n & 7));
  }

  setRange(start: number, count: number): void {
    this.#fillRange(start, start + count, true);
  }

  clearRange(start: number, count: number): void {
    this.#fillRange(start, start + count, false);
  }

  /** How many bits are set in `[start, end)`. */
  countSet(start = 0, end = this.length): number {
    let count = 0;
    let n = start;
    const { buffer, byteOffset } = this.bytes;
    for (; n < end && (((byteOffset << 3) + n) & 31) !== 0; n++) if (this.has(n)) count++;
    if (n >= end) return count;
    const words = new Uint32Array(buffer, byteOffset + (n >>> 3), (end - n) >>> 5);
    for (const word of words) {
      // Sums within pairs, fours and bytes of bits, side by side, then over the four bytes.
      let sum = word - ((word >>> 1) & 0x55555555);
      sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
      sum = (sum + (sum >>> 4)) & 0x0f0f0f0f;
      count += Math.imul(sum, 0x01010101) >>> 24;
    }
    for (n += words.length * 32; n < end; n++) if (this.has(n)) count++;
    return count;
  }

  /** The first clear bit in `[start, end)`, or -1. */
  nextClear(start: number, end = this.length): number {
    let n = start;
    while (n < end) {
      if ((n & 7) === 0 && this.bytes[n >>> 3] === 0xff) n += 8;
      else if (this.has(n)) n++;
      else return n;
    }
    return -1;
  }

  /** The first set bit in `[start, end)`, or -1. */
  nextSet(start: number, end = this.length): number {
    let n = start;
    while (n < end) {
      if ((n & 7) === 0 && this.bytes[n >>> 3] === 0) n += 8;
      else if (!this.has(n)) n++;
      else return n;
    }
    return -1;
  }

  #fillRange(start: number, end: number, value: boolean): void {
    const change = value ? (n: number) => this.set(n) : (n: number) => this.clear(n);
    let n = start;
    for (; n < end && (n & 7) !== 0; n++) change(n);
    const wholeEnd = n + ((end - n) & ~7);
    if (wholeEnd > n) {
      this.bytes.fill(value ? 0xff : 0, n >>> 3, wholeEnd >>> 3);
      n = wholeEnd;
    }
    for (; n < end; n++) change(n);
  }
}
