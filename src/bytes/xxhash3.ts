/**
 * XXH3 with 128 bits, seed 0 and the usual secret (doc/xxhash_spec.md, "XXH3 algorithm overview"), for inputs above 240
 * bytes. 64-bit numbers are kept as halves: with big numbers this would take a hundred times as long.
 */

const stripeBytes = 64;
const stripesOfBlock = 16;
/** Shorter inputs are hashed in other ways. */
const shortLimitBytes = 240;
const secretBytes = 192;
const lastStripeSecretAt = secretBytes - stripeBytes - 7;
const mask = 2n ** 64n - 1n;
const [prime64_1, prime64_2] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn];
const prime32_1 = 0x9e3779b1;

const secret = Buffer.from(
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e" +
    "e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f" +
    "1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47" +
    "a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e",
  "hex",
);
const secretWords = Int32Array.from({ length: secretBytes / 4 }, (_, n) => secret.readInt32LE(n * 4));
const lastSecretWords = Int32Array.from({ length: 16 }, (_, n) => secret.readInt32LE(lastStripeSecretAt + n * 4));
const scrambleAt = (secretBytes - stripeBytes) / 4;

/** The eight lanes at the start, low half first: XXH3_INIT_ACC. */
const firstLanes = Int32Array.of(
  0xc2b2ae3d,
  0,
  0x85ebca87,
  0x9e3779b1,
  0x27d4eb4f,
  0xc2b2ae3d,
  0x9e3779f9,
  0x165667b1,
  0xc2b2ae63,
  0x85ebca77,
  0x85ebca77,
  0,
  0x165667c5,
  0x27d4eb2f,
  0x9e3779b1,
  0,
);

/** XXH3-128 of more than 240 bytes that come in pieces. */
export class Xxhash3 {
  readonly #lanes = firstLanes.slice();
  /** The stripe before `#rest`, and from `stripeBytes` on what is still to be hashed: at least one byte, once there was one. */
  readonly #tail = new Uint8Array(2 * stripeBytes);
  #restBytes = 0;
  #stripesInBlock = 0;
  #totalBytes = 0;

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    const taken = Math.min(stripeBytes - this.#restBytes, bytes.length);
    this.#tail.set(bytes.subarray(0, taken), stripeBytes + this.#restBytes);
    this.#restBytes += taken;
    if (taken === bytes.length) return;
    // More follows, so what was waiting is not the last stripe.
    this.#stripes(this.#tail.slice(stripeBytes), 0, 1);
    const count = Math.ceil((bytes.length - taken) / stripeBytes) - 1;
    this.#stripes(bytes, taken, count);
    const end = taken + count * stripeBytes;
    if (count > 0) this.#tail.set(bytes.subarray(end - stripeBytes, end));
    else this.#tail.copyWithin(0, stripeBytes);
    this.#tail.set(bytes.subarray(end), stripeBytes);
    this.#restBytes = bytes.length - end;
  }

  /** Of all so far, low half first, each half as a number. Throws a `RangeError` for 240 bytes and fewer. */
  digest(): { readonly low: bigint; readonly high: bigint } {
    if (this.#totalBytes <= shortLimitBytes)
      throw new RangeError(`${this.#totalBytes} bytes are too few for XXH3 here`);
    const lanes = this.#lanes.slice();
    accumulate(lanes, wordsOf(this.#tail, this.#restBytes, stripeBytes), 0, lastSecretWords, 0);
    const total = BigInt(this.#totalBytes);
    return {
      low: merged(lanes, 11, (total * prime64_1) & mask),
      high: merged(lanes, secretBytes - stripeBytes - 11, ~(total * prime64_2) & mask),
    };
  }

  #stripes(bytes: Uint8Array, start: number, count: number): void {
    if (count === 0) return;
    const words = wordsOf(bytes, start, count * stripeBytes);
    for (let n = 0; n < count; n++) {
      accumulate(this.#lanes, words, n * 16, secretWords, this.#stripesInBlock * 2);
      this.#stripesInBlock++;
      if (this.#stripesInBlock < stripesOfBlock) continue;
      scramble(this.#lanes);
      this.#stripesInBlock = 0;
    }
  }
}

/** A view of whole words, on a copy where they do not begin at one. */
function wordsOf(bytes: Uint8Array, start: number, lengthBytes: number): Int32Array {
  const part = bytes.subarray(start, start + lengthBytes);
  const aligned = part.byteOffset % 4 === 0 ? part : new Uint8Array(part);
  return new Int32Array(aligned.buffer, aligned.byteOffset, lengthBytes / 4);
}

/** XXH3_accumulate_512: each lane gets the product of the halves of its keyed word, its neighbour the word itself. */
function accumulate(lanes: Int32Array, words: Int32Array, at: number, keys: Int32Array, keyAt: number): void {
  for (let n = 0; n < 16; n += 2) {
    const low = words[at + n] as number;
    const high = words[at + n + 1] as number;
    const a = low ^ (keys[keyAt + n] as number);
    const b = high ^ (keys[keyAt + n + 1] as number);
    const aLow = a & 0xffff;
    const aHigh = a >>> 16;
    const bLow = b & 0xffff;
    const bHigh = b >>> 16;
    const lowest = Math.imul(aLow, bLow);
    const cross = Math.imul(aHigh, bLow);
    const crossing = Math.imul(aLow, bHigh);
    const middle = ((lowest >>> 16) + (cross & 0xffff) + (crossing & 0xffff)) | 0;
    const productLow = (middle << 16) | (lowest & 0xffff);
    const productHigh = (Math.imul(aHigh, bHigh) + (cross >>> 16) + (crossing >>> 16) + (middle >>> 16)) | 0;
    const sumLow = ((lanes[n] as number) + productLow) | 0;
    const carry = sumLow >>> 0 < productLow >>> 0 ? 1 : 0;
    lanes[n] = sumLow;
    lanes[n + 1] = ((lanes[n + 1] as number) + productHigh + carry) | 0;
    const other = n ^ 2;
    const otherLow = ((lanes[other] as number) + low) | 0;
    const otherCarry = otherLow >>> 0 < low >>> 0 ? 1 : 0;
    lanes[other] = otherLow;
    lanes[other + 1] = ((lanes[other + 1] as number) + high + otherCarry) | 0;
  }
}

/** XXH3_scrambleAcc: lane ^= lane >> 47, ^= secret, *= PRIME32_1. */
function scramble(lanes: Int32Array): void {
  for (let n = 0; n < 16; n += 2) {
    const laneHigh = lanes[n + 1] as number;
    const low = ((lanes[n] as number) ^ (laneHigh >>> 15) ^ (secretWords[scrambleAt + n] as number)) >>> 0;
    const high = laneHigh ^ (secretWords[scrambleAt + n + 1] as number);
    // 64 × 32 bits: the low half's product in full, of the high half's only what stays below 2⁶⁴.
    const lowest = (low & 0xffff) * prime32_1;
    const upper = (low >>> 16) * prime32_1;
    const sum = lowest + (upper % 0x10000) * 0x10000;
    lanes[n] = sum % 0x100000000;
    lanes[n + 1] = Math.floor(upper / 0x10000) + Math.floor(sum / 0x100000000) + Math.imul(high, prime32_1);
  }
}

/** XXH3_mergeAccs, with its avalanche. */
function merged(lanes: Int32Array, secretAt: number, start: bigint): bigint {
  let hash = start;
  const lane = (n: number): bigint =>
    (BigInt((lanes[2 * n + 1] ?? 0) >>> 0) << 32n) | BigInt((lanes[2 * n] ?? 0) >>> 0);
  for (let n = 0; n < 8; n += 2) {
    const a = lane(n) ^ secret.readBigUInt64LE(secretAt + n * 8);
    const b = lane(n + 1) ^ secret.readBigUInt64LE(secretAt + n * 8 + 8);
    const product = a * b;
    hash = (hash + ((product & mask) ^ (product >> 64n))) & mask;
  }
  hash ^= hash >> 37n;
  hash = (hash * 0x165667919e3779f9n) & mask;
  return hash ^ (hash >> 32n);
}
