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

const blockBytes = 128;
const digestBytes = 32;
/** Words of 64 bits are kept as two of 32, the low one first. */
const initialWords = new Int32Array(
  initial.flatMap((word) => [Number(word & 0xffffffffn) | 0, Number(word >> 32n) | 0]),
);
/** Of every round, where its words of the message begin. */
const places = Uint8Array.from(orders.flat(), (word) => word * 2);
const roundPlaces = 16;

/** BLAKE2b-256 of `bytes`, without a key. */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  const state = initialWords.slice();
  state[0] = (state[0] as number) ^ 0x01010000 ^ digestBytes;
  const words = { v: new Int32Array(32), message: new Int32Array(32) };
  const { message } = words;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lastAt = Math.max(0, Math.ceil(bytes.length / blockBytes) - 1) * blockBytes;
  for (let at = 0; at < lastAt; at += blockBytes) {
    for (let n = 0; n < 32; n++) message[n] = view.getInt32(at + n * 4, true);
    compress(state, words, at + blockBytes, false);
  }
  const end = new DataView(new ArrayBuffer(blockBytes));
  new Uint8Array(end.buffer).set(bytes.subarray(lastAt));
  for (let n = 0; n < 32; n++) message[n] = end.getInt32(n * 4, true);
  compress(state, words, bytes.length, true);
  const digest = new DataView(new ArrayBuffer(digestBytes));
  for (let n = 0; n < digestBytes / 4; n++) digest.setInt32(n * 4, state[n] as number, true);
  return new Uint8Array(digest.buffer);
}

interface Words {
  readonly v: Int32Array;
  readonly message: Int32Array;
}

function compress(state: Int32Array, words: Words, doneBytes: number, isLast: boolean): void {
  const { v, message } = words;
  v.set(state);
  v.set(initialWords, 16);
  v[24] = (v[24] as number) ^ doneBytes;
  v[25] = (v[25] as number) ^ Math.floor(doneBytes / 2 ** 32);
  if (isLast) {
    v[28] = ~(v[28] as number);
    v[29] = ~(v[29] as number);
  }
  for (let round = 0; round < roundCount; round++) {
    const at = (round % orders.length) * roundPlaces;
    // Columns, then diagonals.
    mix(v, message, at, 0, 8, 16, 24);
    mix(v, message, at + 2, 2, 10, 18, 26);
    mix(v, message, at + 4, 4, 12, 20, 28);
    mix(v, message, at + 6, 6, 14, 22, 30);
    mix(v, message, at + 8, 0, 10, 20, 30);
    mix(v, message, at + 10, 2, 12, 22, 24);
    mix(v, message, at + 12, 4, 14, 16, 26);
    mix(v, message, at + 14, 6, 8, 18, 28);
  }
  for (let n = 0; n < 16; n++) state[n] = (state[n] as number) ^ (v[n] as number) ^ (v[n + 16] as number);
}

/** RFC 7693 §3.1. */
function mix(v: Int32Array, message: Int32Array, place: number, a: number, b: number, c: number, d: number): void {
  const x = places[place] as number;
  const y = places[place + 1] as number;
  add(v, a, v[b] as number, v[b + 1] as number);
  add(v, a, message[x] as number, message[x + 1] as number);
  let low = (v[d] as number) ^ (v[a] as number);
  let high = (v[d + 1] as number) ^ (v[a + 1] as number);
  v[d] = high; // turned by 32
  v[d + 1] = low;
  add(v, c, v[d], v[d + 1] as number);
  low = (v[b] as number) ^ (v[c] as number);
  high = (v[b + 1] as number) ^ (v[c + 1] as number);
  v[b] = (low >>> 24) | (high << 8);
  v[b + 1] = (high >>> 24) | (low << 8);
  add(v, a, v[b], v[b + 1] as number);
  add(v, a, message[y] as number, message[y + 1] as number);
  low = v[d] ^ (v[a] as number);
  high = (v[d + 1] as number) ^ (v[a + 1] as number);
  v[d] = (low >>> 16) | (high << 16);
  v[d + 1] = (high >>> 16) | (low << 16);
  add(v, c, v[d], v[d + 1] as number);
  low = v[b] ^ (v[c] as number);
  high = (v[b + 1] as number) ^ (v[c + 1] as number);
  v[b] = (low << 1) | (high >>> 31); // turned by 63
  v[b + 1] = (high << 1) | (low >>> 31);
}

/** Adds a word of 64 bits, by halves of 32 with sign: those the machine has, and it need not look for larger ones. */
function add(v: Int32Array, to: number, low: number, high: number): void {
  const sum = ((v[to] as number) + low) | 0;
  const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
  v[to] = sum;
  v[to + 1] = ((v[to + 1] as number) + high + carry) | 0;
}
