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

/** XXH64 of `bytes`. For single records: big numbers make it slow. */
export function xxhash64(bytes: Uint8Array, seed = 0n): bigint {
  const hash = new Xxhash64(seed);
  hash.update(bytes);
  return hash.digest();
}

/** XXH64 of bytes that come in pieces: some 20 MB a second. */
export class Xxhash64 {
  readonly #seed: bigint;
  #lanes: readonly bigint[];
  readonly #rest = new Uint8Array(stripeBytes);
  #restBytes = 0;
  #totalBytes = 0;

  constructor(seed = 0n) {
    this.#seed = seed;
    this.#lanes = [seed + prime1 + prime2, seed + prime2, seed, seed - prime1].map((lane) => lane & mask);
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
    let hash = isShort ? (this.#seed + prime5) & mask : merged(this.#lanes);
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
    let [a = 0n, b = 0n, c = 0n, d = 0n] = this.#lanes;
    for (let at = start; at < end; at += stripeBytes) {
      a = round(a, view.getBigUint64(at, true));
      b = round(b, view.getBigUint64(at + 8, true));
      c = round(c, view.getBigUint64(at + 16, true));
      d = round(d, view.getBigUint64(at + 24, true));
    }
    this.#lanes = [a, b, c, d];
  }
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
