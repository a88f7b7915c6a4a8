/** xxHash, 64 bits (XXH64): a checksum that btrfs can be made with. After the specification, doc/xxhash_spec.md. */

const primes = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const [prime1, prime2, prime3, prime4, prime5] = primes;
const mask = 2n ** 64n - 1n;
const stripeBytes = 32;

/** XXH64 of `bytes`. */
export function xxhash64(bytes: Uint8Array, seed = 0n): bigint {
  const hash = new Xxhash64(seed);
  hash.update(bytes);
  return hash.digest();
}

/** XXH64 of bytes that come in pieces. Whole stripes are reckoned in halves of 32 bits: big numbers are ten times as slow. */
export class Xxhash64 {
  readonly #seed: bigint;
  /** Four lanes of 64 bits, the low half of each first. */
  readonly #lanes = new Uint32Array(8);
  readonly #rest = new Uint8Array(stripeBytes);
  #restBytes = 0;
  #totalBytes = 0;

  constructor(seed = 0n) {
    this.#seed = seed;
    for (const [n, lane] of [seed + prime1 + prime2, seed + prime2, seed, seed - prime1].entries()) {
      this.#lanes[n * 2] = Number(lane & halfMask);
      this.#lanes[n * 2 + 1] = Number((lane >> 32n) & halfMask);
    }
  }

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(stripeBytes - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < stripeBytes) return;
      this.#stripes(this.#rest, 0, stripeBytes);
    }
    const end = at + Math.floor((bytes.length - at) / stripeBytes) * stripeBytes;
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#restBytes = bytes.length - end;
  }

  /** Of all so far. */
  digest(): bigint {
    const view = new DataView(this.#rest.buffer);
    const isShort = this.#totalBytes < stripeBytes;
    let hash = isShort ? (this.#seed + prime5) & mask : merged(wholeLanes(this.#lanes));
    let at = 0;
    hash = (hash + BigInt(this.#totalBytes)) & mask;
    for (; at + 8 <= this.#restBytes; at += 8) {
      hash ^= round(0n, view.getBigUint64(at, true));
      hash = (rotated(hash, 27n) * prime1 + prime4) & mask;
    }
    if (at + 4 <= this.#restBytes) {
      hash ^= (BigInt(view.getUint32(at, true)) * prime1) & mask;
      hash = (rotated(hash, 23n) * prime2 + prime3) & mask;
      at += 4;
    }
    for (; at < this.#restBytes; at++) {
      hash ^= (BigInt(view.getUint8(at)) * prime5) & mask;
      hash = (rotated(hash, 11n) * prime1) & mask;
    }
    return avalanche(hash);
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const lanes = this.#lanes;
    for (let at = start; at < end; at += stripeBytes) {
      for (let lane = 0; lane < 8; lane += 2) {
        mixIn(lanes, lane, view.getUint32(at + lane * 4, true), view.getUint32(at + lane * 4 + 4, true));
      }
    }
  }
}

const halfMask = 0xffffffffn;
const [high1, low1] = [0x9e3779b1, 0x85ebca87];
const [high2, low2] = [0xc2b2ae3d, 0x27d4eb4f];

/** One round, as `round` does it with big numbers. */
function mixIn(lanes: Uint32Array, lane: number, wordLow: number, wordHigh: number): void {
  // The word times the second prime, added to the lane.
  const sum = (lanes[lane] as number) + (Math.imul(wordLow, low2) >>> 0);
  const low = sum >>> 0;
  const carry = sum > 0xffffffff ? 1 : 0;
  const product = highOf(wordLow, low2) + Math.imul(wordLow, high2) + Math.imul(wordHigh, low2);
  const high = ((lanes[lane + 1] as number) + product + carry) >>> 0;
  // Turned by 31, times the first prime.
  const turnedLow = ((low << 31) | (high >>> 1)) >>> 0;
  const turnedHigh = ((high << 31) | (low >>> 1)) >>> 0;
  lanes[lane] = Math.imul(turnedLow, low1);
  lanes[lane + 1] = highOf(turnedLow, low1) + Math.imul(turnedLow, high1) + Math.imul(turnedHigh, low1);
}

/** The upper half of a product of 32 bits by 32. */
function highOf(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 65_536) + Math.floor(other / 65_536);
}

function wholeLanes(lanes: Uint32Array): bigint[] {
  return [0, 2, 4, 6].map((lane) => (BigInt(lanes[lane + 1] as number) << 32n) | BigInt(lanes[lane] as number));
}

function merged(lanes: readonly bigint[]): bigint {
  const turns = [1n, 7n, 12n, 18n];
  let hash = lanes.reduce((sum, lane, n) => sum + rotated(lane, turns[n] ?? 0n), 0n) & mask;
  for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * prime1 + prime4) & mask;
  return hash;
}

function round(lane: bigint, word: bigint): bigint {
  return (rotated((lane + word * prime2) & mask, 31n) * prime1) & mask;
}

function avalanche(hash: bigint): bigint {
  let mixed = ((hash ^ (hash >> 33n)) * prime2) & mask;
  mixed = ((mixed ^ (mixed >> 29n)) * prime3) & mask;
  return mixed ^ (mixed >> 32n);
}

function rotated(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & mask;
}
