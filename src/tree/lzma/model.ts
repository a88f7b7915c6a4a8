import { evenProbability } from "./range-encoder.ts";

/** Literal context bits 3, literal position bits 0, position bits 2: the properties that GRUB's decompressor is built for. */
export const positionMask = 3;
export const shortestMatch = 2;
export const longestMatch = 273;
export const distanceStates = 4;
export const fullDistances = 128;
/** Distance slots from here on have direct bits, and four at the end that are modelled. */
export const firstDirectSlot = 14;

const states = 12;
const positions = 16;
const literalContexts = 8;
const literalSize = 0x300;
const lengthCoderSize = 2 + 2 * positions * 8 + 256;

/** Where each group of probabilities starts (LZMA specification, "probability model"). */
export const at = (() => {
  let end = 0;
  const take = (count: number): number => (end += count) - count;
  return {
    isMatch: take(states * positions),
    isRep: take(states),
    isRep0: take(states),
    isRep1: take(states),
    isRep2: take(states),
    isRep0Long: take(states * positions),
    slot: take(distanceStates * 64),
    special: take(fullDistances - firstDirectSlot),
    align: take(16),
    matchLength: take(lengthCoderSize),
    repLength: take(lengthCoderSize),
    literal: take(literalContexts * literalSize),
    end: take(0),
  };
})();

/** Within a length coder. */
export const lengthAt = { choice: 0, choice2: 1, low: 2, mid: 2 + positions * 8, high: 2 + 2 * positions * 8 };

export function newModel(): Uint16Array {
  return new Uint16Array(at.end).fill(evenProbability);
}

/** The probabilities of a literal: by the high bits of the byte before. */
export function literalAt(byteBefore: number): number {
  return at.literal + (byteBefore >> 5) * literalSize;
}

/** Up to here the last symbol was a literal. */
export const literalStates = 7;

export const afterLiteral = (state: number): number => (state < 4 ? 0 : state < 10 ? state - 3 : state - 6);
export const afterMatch = (state: number): number => (state < literalStates ? 7 : 10);
export const afterRep = (state: number): number => (state < literalStates ? 8 : 11);
export const afterShortRep = (state: number): number => (state < literalStates ? 9 : 11);

/** The slot of a distance, where 0 is the byte before. */
export function slotOf(distance: number): number {
  if (distance < 4) return distance;
  const highest = 31 - Math.clz32(distance);
  return highest * 2 + ((distance >>> (highest - 1)) & 1);
}
