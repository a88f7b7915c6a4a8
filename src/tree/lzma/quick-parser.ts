import { longestMatch, shortestMatch } from "./model.ts";
import { literalBack, newDistanceBack, type Step, type SymbolWriter } from "./symbol-writer.ts";

const hashBits = 15;
const hashedBytes = 3;
/** So many earlier places with the same three bytes are looked at. */
const searchDepth = 12;
/** A match as long as this is taken without looking for anything better. */
const goodLength = 48;

/** In 16ths of a bit: what a byte costs as a literal, and what stands in front of a match's distance, about. */
const unitsPerBit = 16;
const literalPrice = 6 * unitsPerBit;
const matchPrice = 9 * unitsPerBit;
const repPrice = 6 * unitsPerBit;
/** The next place has to be better by so much for this one to be left to a literal. */
const waitingPrice = 3 * unitsPerBit;

interface Candidate {
  length: number;
  back: number;
  /** What it saves, by the prices above. */
  gain: number;
}

/**
 * Finds steps in one go, by prices that are guessed once and for all: at each place the match that promises to save
 * most, unless the next place promises more. A sixth of the time of `Parser`, for one byte in eighteen more.
 */
export class QuickParser {
  readonly #data: Uint8Array;
  readonly #dictionaryBytes: number;
  /** The last place with each hash, and for each place the one before it. */
  readonly #heads = new Int32Array(1 << hashBits).fill(-1);
  readonly #before: Int32Array;
  #hashedUpTo = 0;
  #here: Candidate = { length: 1, back: literalBack, gain: 0 };
  #next: Candidate = { length: 1, back: literalBack, gain: 0 };
  #isNextKnown = false;

  constructor(data: Uint8Array, dictionaryBytes: number) {
    this.#data = data;
    this.#dictionaryBytes = dictionaryBytes;
    this.#before = new Int32Array(dictionaryBytes).fill(-1);
  }

  /** The step from where the writer stands. */
  nextStep({ position, reps }: SymbolWriter): Step {
    if (this.#isNextKnown) [this.#here, this.#next] = [this.#next, this.#here];
    else this.#find(position, reps, this.#here);
    const { length, back, gain } = this.#here;
    this.#isNextKnown = gain > 0 && length < goodLength && position + 1 < this.#data.length;
    if (this.#isNextKnown) {
      this.#find(position + 1, reps, this.#next);
      if (this.#next.gain > gain + waitingPrice) return { length: 1, back: literalBack };
      this.#isNextKnown = false;
    }
    return { length, back };
  }

  /** What saves most at a place: a literal where nothing does. */
  #find(at: number, reps: readonly number[], into: Candidate): void {
    into.length = 1;
    into.back = literalBack;
    into.gain = 0;
    this.#hashAllBefore(at);
    const limit = Math.min(longestMatch, this.#data.length - at);
    for (let k = 0; k < reps.length; k++) {
      const length = this.#lengthAt(at - (reps[k] ?? 0) - 1, at, limit);
      const gain = length * literalPrice - repPrice - k * unitsPerBit;
      if (length < shortestMatch || gain <= into.gain) continue;
      into.length = length;
      into.back = k;
      into.gain = gain;
    }
    if (limit >= hashedBytes && into.length < goodLength) this.#findMatch(at, limit, into);
  }

  #findMatch(at: number, limit: number, into: Candidate): void {
    const data = this.#data;
    const earliest = Math.max(0, at - this.#dictionaryBytes + 1);
    let longest = hashedBytes - 1;
    let candidate = this.#heads[hashOf(data, at)] ?? -1;
    for (let n = 0; n < searchDepth && candidate >= earliest; n++) {
      if (data[candidate + longest] === data[at + longest]) {
        const length = this.#lengthAt(candidate, at, limit);
        const distance = at - candidate - 1;
        const gain = length * literalPrice - matchPrice - (32 - Math.clz32(distance)) * unitsPerBit;
        if (length > longest && gain > into.gain) {
          into.length = length;
          into.back = newDistanceBack + distance;
          into.gain = gain;
        }
        longest = Math.max(longest, length);
        if (longest >= goodLength || longest === limit) return;
      }
      candidate = this.#before[candidate % this.#dictionaryBytes] ?? -1;
    }
  }

  #hashAllBefore(at: number): void {
    const end = Math.min(at, this.#data.length - hashedBytes + 1);
    for (; this.#hashedUpTo < end; this.#hashedUpTo++) {
      const hash = hashOf(this.#data, this.#hashedUpTo);
      this.#before[this.#hashedUpTo % this.#dictionaryBytes] = this.#heads[hash] ?? -1;
      this.#heads[hash] = this.#hashedUpTo;
    }
  }

  #lengthAt(from: number, at: number, limit: number): number {
    if (from < 0) return 0;
    const data = this.#data;
    let length = 0;
    while (length < limit && data[from + length] === data[at + length]) length++;
    return length;
  }
}

function hashOf(data: Uint8Array, at: number): number {
  const three = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16);
  return Math.imul(three, 0x9e3779b1) >>> (32 - hashBits);
}
