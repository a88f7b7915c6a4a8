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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = (seed + prime5) & mask;
  if (bytes.length >= stripeBytes) {
    const lanes = [seed + prime1 + prime2, seed + prime2, seed, seed - prime1].map((lane) => lane & mask);
    for (; at + stripeBytes <= bytes.length; at += stripeBytes) {
      for (const [n, lane] of lanes.entries()) lanes[n] = round(lane, view.getBigUint64(at + n * 8, true));
    }
    hash = merged(lanes);
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8) {
    hash ^= round(0n, view.getBigUint64(at, true));
    hash = (rotated(hash, 27n) * prime1 + prime4) & mask;
  }
  if (at + 4 <= bytes.length) {
    hash ^= (BigInt(view.getUint32(at, true)) * prime1) & mask;
    hash = (rotated(hash, 23n) * prime2 + prime3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash ^= (BigInt(view.getUint8(at)) * prime5) & mask;
    hash = (rotated(hash, 11n) * prime1) & mask;
  }
  return avalanche(hash);
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
