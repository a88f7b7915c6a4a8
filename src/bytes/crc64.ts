/** CRC-64 of ECMA-182, reflected, as xz has it. A bigint for every byte would be slow: the halves are numbers. */

const polynomialHigh = 0xc96c5795;
const polynomialLow = 0xd7870f42;

/** Table n holds the CRC of each byte with n zero bytes behind it: four bytes go in one step. */
const tables = makeTables();

interface Table {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

function makeTables(): readonly [Table, Table, Table, Table] {
  const empty = (): Table => ({ low: new Int32Array(256), high: new Int32Array(256) });
  const made: readonly [Table, Table, Table, Table] = [empty(), empty(), empty(), empty()];
  for (let byte = 0; byte < 256; byte++) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry === 1) {
        low ^= polynomialLow;
        high ^= polynomialHigh;
      }
    }
    made[0].low[byte] = low;
    made[0].high[byte] = high;
  }
  for (let n = 1; n < 4; n++) lengthen(made[n - 1] as Table, made[n] as Table, made[0]);
  return made;
}

function lengthen(from: Table, to: Table, first: Table): void {
  for (let byte = 0; byte < 256; byte++) {
    const low = from.low[byte] as number;
    const high = from.high[byte] as number;
    to.low[byte] = ((low >>> 8) | (high << 24)) ^ (first.low[low & 0xff] as number);
    to.high[byte] = (high >>> 8) ^ (first.high[low & 0xff] as number);
  }
}

/** The CRC-64 of bytes that come in pieces. */
export class Crc64 {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array): void {
    const [t0, t1, t2, t3] = tables;
    let low = this.#low;
    let high = this.#high;
    let at = 0;
    for (const end = bytes.length - 3; at < end; at += 4) {
      const a = (low ^ (bytes[at] as number)) & 0xff;
      const b = ((low >>> 8) ^ (bytes[at + 1] as number)) & 0xff;
      const c = ((low >>> 16) ^ (bytes[at + 2] as number)) & 0xff;
      const d = (low >>> 24) ^ (bytes[at + 3] as number);
      low = high ^ (t3.low[a] as number) ^ (t2.low[b] as number) ^ (t1.low[c] as number) ^ (t0.low[d] as number);
      high = (t3.high[a] as number) ^ (t2.high[b] as number) ^ (t1.high[c] as number) ^ (t0.high[d] as number);
    }
    for (; at < bytes.length; at++) {
      const byte = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (t0.low[byte] as number);
      high = (high >>> 8) ^ (t0.high[byte] as number);
    }
    this.#low = low;
    this.#high = high;
  }

  digest(): bigint {
    return (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0);
  }
}
