import { longestMatch, shortestMatch } from "./model.ts";

const hashBits = 16;
const searchDepth = 96;

/**
 * Finds, position by position, the matches in the dictionary behind it: binary trees of the positions that share
 * their first bytes, sorted by what follows them, as 7-Zip has them.
 */
export class MatchFinder {
  /** What the last `find` found: lengths that increase, each with the nearest distance (0 is the byte before). */
  readonly lengths = new Uint16Array(longestMatch + 1);
  readonly distances = new Uint32Array(longestMatch + 1);
  count = 0;

  readonly #data: Uint8Array;
  readonly #dictionaryBytes: number;
  readonly #lastOfTwo = new Int32Array(1 << 16).fill(-1);
  readonly #lastOfThree = new Int32Array(1 << hashBits).fill(-1);
  readonly #roots = new Int32Array(1 << hashBits).fill(-1);
  /** Two children for each position of the dictionary: what sorts before it, and after it. */
  readonly #children: Int32Array;
  #position = 0;

  constructor(data: Uint8Array, dictionaryBytes: number) {
    this.#data = data;
    this.#dictionaryBytes = dictionaryBytes;
    this.#children = new Int32Array(2 * dictionaryBytes).fill(-1);
  }

  /** Goes to the next position, after finding the matches of this one. */
  find(): void {
    const at = this.#position++;
    this.count = 0;
    const limit = Math.min(longestMatch, this.#data.length - at);
    if (limit < 4) {
      if (limit >= shortestMatch) this.#findShort(at, limit);
      return;
    }
    const longest = this.#findShort(at, limit);
    this.#walkTree(at, limit, longest);
  }

  skip(count: number): void {
    for (let n = 0; n < count; n++) this.find();
  }

  /** Matches of two and three bytes; gives the length of the longest. */
  #findShort(at: number, limit: number): number {
    const data = this.#data;
    const two = byteAt(data, at) | (byteAt(data, at + 1) << 8);
    let longest = this.#take(at, this.#lastOfTwo[two] ?? -1, limit, 1);
    this.#lastOfTwo[two] = at;
    if (limit < 3) return longest;
    const three = Math.imul(two | (byteAt(data, at + 2) << 16), 0x9e3779b1) >>> (32 - hashBits);
    longest = this.#take(at, this.#lastOfThree[three] ?? -1, limit, longest);
    this.#lastOfThree[three] = at;
    return longest;
  }

  /** Notes the match at `candidate` where it is longer than what there was. */
  #take(at: number, candidate: number, limit: number, longest: number): number {
    if (candidate < 0 || at - candidate > this.#dictionaryBytes) return longest;
    let length = 0;
    while (length < limit && this.#data[candidate + length] === this.#data[at + length]) length++;
    if (length <= longest) return longest;
    this.#note(length, at - candidate - 1);
    return length;
  }

  #note(length: number, distance: number): void {
    this.lengths[this.count] = length;
    this.distances[this.count++] = distance;
  }

  /** Makes this position the root of its tree, and notes the longer matches met on the way down. */
  #walkTree(at: number, limit: number, longestBefore: number): void {
    const data = this.#data;
    const children = this.#children;
    const size = this.#dictionaryBytes;
    const hash = hashOfFour(data, at);
    let candidate = this.#roots[hash] ?? -1;
    this.#roots[hash] = at;
    let longest = Math.max(longestBefore, 3);
    let before = 2 * (at % size);
    let after = before + 1;
    let beforeLength = 0;
    let afterLength = 0;
    for (let depth = 0; ; depth++) {
      if (candidate < 0 || at - candidate >= size || depth === searchDepth) {
        children[before] = -1;
        children[after] = -1;
        return;
      }
      const pair = 2 * (candidate % size);
      let length = Math.min(beforeLength, afterLength);
      while (length < limit && data[candidate + length] === data[at + length]) length++;
      if (length > longest) {
        longest = length;
        this.#note(length, at - candidate - 1);
      }
      if (length === limit) {
        children[before] = children[pair] ?? -1;
        children[after] = children[pair + 1] ?? -1;
        return;
      }
      if (byteAt(data, candidate + length) < byteAt(data, at + length)) {
        children[before] = candidate;
        before = pair + 1;
        candidate = children[before] ?? -1;
        beforeLength = length;
      } else {
        children[after] = candidate;
        after = pair;
        candidate = children[after] ?? -1;
        afterLength = length;
      }
    }
  }
}

function byteAt(data: Uint8Array, at: number): number {
  return data[at] ?? 0;
}

function hashOfFour(data: Uint8Array, at: number): number {
  const four =
    byteAt(data, at) | (byteAt(data, at + 1) << 8) | (byteAt(data, at + 2) << 16) | (byteAt(data, at + 3) << 24);
  return Math.imul(four, 0x9e3779b1) >>> (32 - hashBits);
}
