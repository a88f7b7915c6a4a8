const topValue = 2 ** 24;
const fullRange = 2 ** 32;

/** What a probability starts from: as likely as not, in units of 1/2048. */
export const evenProbability = 1024;

/** The binary range coder of LZMA (LZMA specification, "range coder"): bits with adaptive probabilities to bytes. */
export class RangeEncoder {
  #low = 0;
  #range = 0xffffffff;
  #cache = 0;
  #pendingBytes = 1;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(Math.max(64, expectedBytes));
  }

  /** How many bytes it comes to if it ends here. */
  get sizeBytes(): number {
    return this.#length + this.#pendingBytes + 4;
  }

  /** Codes a bit by the probability at `index`, which learns from it. */
  bit(probabilities: Uint16Array, index: number, bit: number): void {
    const probability = probabilities[index] ?? evenProbability;
    const bound = (this.#range >>> 11) * probability;
    if (bit === 0) {
      this.#range = bound;
      probabilities[index] = probability + ((2048 - probability) >> 5);
    } else {
      this.#low += bound;
      this.#range -= bound;
      probabilities[index] = probability - (probability >> 5);
    }
    this.#normalize();
  }

  /** Codes the low `count` bits of a value, highest first, without any probability. */
  direct(value: number, count: number): void {
    for (let n = count - 1; n >= 0; n--) {
      this.#range >>>= 1;
      if (((value >>> n) & 1) === 1) this.#low += this.#range;
      this.#normalize();
    }
  }

  /** Ends the stream and gives it. */
  finish(): Uint8Array<ArrayBuffer> {
    for (let n = 0; n < 5; n++) this.#shiftLow();
    return this.#bytes.slice(0, this.#length);
  }

  #normalize(): void {
    while (this.#range < topValue) {
      this.#range = (this.#range << 8) >>> 0;
      this.#shiftLow();
    }
  }

  /** Moves the highest byte out; bytes of 0xff wait, since a carry may still run through them. */
  #shiftLow(): void {
    if (this.#low < 0xff000000 || this.#low >= fullRange) {
      const carry = this.#low >= fullRange ? 1 : 0;
      let byte = this.#cache;
      for (; this.#pendingBytes > 0; this.#pendingBytes--) {
        this.#put((byte + carry) & 0xff);
        byte = 0xff;
      }
      this.#cache = (this.#low >>> 24) & 0xff;
    }
    this.#pendingBytes++;
    this.#low = (this.#low & 0x00ffffff) * 256;
  }

  #put(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}
