/** BLAKE2b (RFC 7693) with 256 bits, as btrfs can be made with. Node has only the one of 512 bits, which differs in all. */

const initial = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
] as const;

/** RFC 7693 §2.7: which words of a block each of ten rounds takes, in what order. */
const orders = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const;
const roundCount = 12;

/** Which four words of the state each of the eight mixings of a round takes: columns, then diagonals. */
const quarters = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

const blockBytes = 128;
const digestBytes = 32;
const mask = 2n ** 64n - 1n;

/** BLAKE2b-256 of `bytes`, without a key. For single records: big numbers make it slow. */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  const state: bigint[] = [...initial];
  state[0] = initial[0] ^ 0x01010000n ^ BigInt(digestBytes);
  const blockCount = Math.max(1, Math.ceil(bytes.length / blockBytes));
  for (let n = 0; n < blockCount; n++) {
    const block = new Uint8Array(blockBytes);
    block.set(bytes.subarray(n * blockBytes, (n + 1) * blockBytes));
    compress(state, block, { doneBytes: Math.min(bytes.length, (n + 1) * blockBytes), isLast: n === blockCount - 1 });
  }
  const digest = new DataView(new ArrayBuffer(64));
  for (const [n, word] of state.entries()) digest.setBigUint64(n * 8, word, true);
  return new Uint8Array(digest.buffer, 0, digestBytes);
}

function compress(state: bigint[], block: Uint8Array, place: { readonly doneBytes: number; readonly isLast: boolean }) {
  const view = new DataView(block.buffer);
  const message = Array.from({ length: 16 }, (_, n) => view.getBigUint64(n * 8, true));
  const v = [...state, ...initial];
  v[12] = wordAt(v, 12) ^ BigInt(place.doneBytes);
  if (place.isLast) v[14] = wordAt(v, 14) ^ mask;
  for (let round = 0; round < roundCount; round++) {
    const order = orders[round % orders.length] ?? orders[0];
    for (const [n, quarter] of quarters.entries()) {
      mix(v, quarter, wordAt(message, order[n * 2] ?? 0), wordAt(message, order[n * 2 + 1] ?? 0));
    }
  }
  for (let n = 0; n < 8; n++) state[n] = wordAt(state, n) ^ wordAt(v, n) ^ wordAt(v, n + 8);
}

function mix(v: bigint[], [a, b, c, d]: readonly [number, number, number, number], x: bigint, y: bigint): void {
  v[a] = (wordAt(v, a) + wordAt(v, b) + x) & mask;
  v[d] = turnedRight(wordAt(v, d) ^ wordAt(v, a), 32n);
  v[c] = (wordAt(v, c) + wordAt(v, d)) & mask;
  v[b] = turnedRight(wordAt(v, b) ^ wordAt(v, c), 24n);
  v[a] = (wordAt(v, a) + wordAt(v, b) + y) & mask;
  v[d] = turnedRight(wordAt(v, d) ^ wordAt(v, a), 16n);
  v[c] = (wordAt(v, c) + wordAt(v, d)) & mask;
  v[b] = turnedRight(wordAt(v, b) ^ wordAt(v, c), 63n);
}

function wordAt(words: readonly bigint[], n: number): bigint {
  return words[n] ?? 0n;
}

function turnedRight(value: bigint, bits: bigint): bigint {
  return ((value >> bits) | (value << (64n - bits))) & mask;
}
