/**
 * The hashes by which directory indexes order names (Linux kernel documentation, filesystems/ext4/directory.rst,
 * "Hash Tree Directories"): half MD4 (RFC 1320 with two of its words), TEA and the old one, each for signed or
 * unsigned characters.
 */

export const hashVersion = {
  legacy: 0,
  halfMd4: 1,
  tea: 2,
  legacyUnsigned: 3,
  halfMd4Unsigned: 4,
  teaUnsigned: 5,
  sipHash: 6,
} as const;

export interface NameHash {
  /** Even: the lowest bit marks a collision that goes on in the next block. */
  readonly major: number;
  readonly minor: number;
}

const endOfDirectory = 0x7fffffff;
const initialState = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

/** The hash of a name, undefined for a version that is not known (SipHash needs an encryption key). */
export function hashName(name: Uint8Array, version: number, seed: readonly number[]): NameHash | undefined {
  const state = Uint32Array.from(seed.some((word) => word !== 0) ? seed : initialState);
  switch (version) {
    case hashVersion.legacy:
    case hashVersion.legacyUnsigned:
      return finish(legacyHash(name, version === hashVersion.legacy), 0);
    case hashVersion.halfMd4:
    case hashVersion.halfMd4Unsigned: {
      for (let at = 0; at < name.length; at += 32) {
        halfMd4(state, packName(name, at, 8, version === hashVersion.halfMd4));
      }
      return finish(state[1] ?? 0, state[2] ?? 0);
    }
    case hashVersion.tea:
    case hashVersion.teaUnsigned: {
      for (let at = 0; at < name.length; at += 16) tea(state, packName(name, at, 4, version === hashVersion.tea));
      return finish(state[0] ?? 0, state[1] ?? 0);
    }
    default:
      return undefined;
  }
}

function finish(hash: number, minor: number): NameHash {
  const even = (hash & ~1) >>> 0;
  return { major: even === (endOfDirectory << 1) >>> 0 ? ((endOfDirectory - 1) << 1) >>> 0 : even, minor: minor >>> 0 };
}

function characterAt(name: Uint8Array, at: number, isSigned: boolean): number {
  const value = name[at] ?? 0;
  return isSigned && value > 127 ? value - 256 : value;
}

/** Up to `wordCount` words of four characters from `at` on, padded with the length of what is left of the name. */
function packName(name: Uint8Array, at: number, wordCount: number, isSigned: boolean): Uint32Array {
  const rest = name.length - at;
  const pad = ((rest & 0xff) | ((rest & 0xff) << 8)) >>> 0;
  const padding = (pad | (pad << 16)) >>> 0;
  const words = new Uint32Array(wordCount).fill(padding);
  const length = Math.min(rest, wordCount * 4);
  let value = padding;
  for (let n = 0; n < length; n++) {
    value = (characterAt(name, at + n, isSigned) + (value << 8)) >>> 0;
    if (n % 4 === 3) {
      words[n >> 2] = value;
      value = padding;
    }
  }
  if (length % 4 !== 0) words[length >> 2] = value;
  return words;
}

function legacyHash(name: Uint8Array, isSigned: boolean): number {
  let hash0 = 0x12a3fe2d;
  let hash1 = 0x37abe8f9;
  for (let at = 0; at < name.length; at++) {
    let hash = (hash1 + (hash0 ^ Math.imul(characterAt(name, at, isSigned), 7152373))) >>> 0;
    if ((hash & 0x80000000) !== 0) hash -= 0x7fffffff;
    hash1 = hash0;
    hash0 = hash >>> 0;
  }
  return hash0 << 1;
}

const md4Shifts = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;
const md4Order = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [1, 3, 5, 7, 0, 2, 4, 6],
  [3, 7, 2, 6, 1, 5, 0, 4],
] as const;
const md4Constants = [0, 0x5a827999, 0x6ed9eba1] as const;

/** The three rounds of MD4 with half of its input words, in place. */
function halfMd4(state: Uint32Array, words: Uint32Array): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  for (let round = 0; round < 3; round++) {
    const shifts = md4Shifts[round] ?? md4Shifts[0];
    const order = md4Order[round] ?? md4Order[0];
    for (let step = 0; step < 8; step++) {
      const mixed = round === 0 ? d ^ (b & (c ^ d)) : round === 1 ? ((b & c) + ((b ^ c) & d)) | 0 : b ^ c ^ d;
      const sum = (a + mixed + (words[order[step] ?? 0] ?? 0) + (md4Constants[round] ?? 0)) | 0;
      const shift = shifts[step % 4] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (sum << shift) | (sum >>> (32 - shift));
    }
  }
  state[0] = ((state[0] ?? 0) + a) | 0;
  state[1] = ((state[1] ?? 0) + b) | 0;
  state[2] = ((state[2] ?? 0) + c) | 0;
  state[3] = ((state[3] ?? 0) + d) | 0;
}

const teaDelta = 0x9e3779b9;

/** 16 rounds of the Tiny Encryption Algorithm keyed with the name, in place. */
function tea(state: Uint32Array, key: Uint32Array): void {
  let b0 = state[0] ?? 0;
  let b1 = state[1] ?? 0;
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = key;
  let sum = 0;
  for (let round = 0; round < 16; round++) {
    sum = (sum + teaDelta) | 0;
    b0 = (b0 + ((((b1 << 4) + k0) | 0) ^ ((b1 + sum) | 0) ^ (((b1 >>> 5) + k1) | 0))) | 0;
    b1 = (b1 + ((((b0 << 4) + k2) | 0) ^ ((b0 + sum) | 0) ^ (((b0 >>> 5) + k3) | 0))) | 0;
  }
  state[0] = ((state[0] ?? 0) + b0) | 0;
  state[1] = ((state[1] ?? 0) + b1) | 0;
}
