import {
  at,
  distanceStates,
  firstDirectSlot,
  fullDistances,
  lengthAt,
  literalAt,
  longestMatch,
  positionMask,
  shortestMatch,
  slotOf,
} from "./model.ts";

/** Prices count in 64ths of a bit. */
const unitsPerBit = 64;

const priceOfProbability = Float64Array.from(
  { length: 2049 },
  (_, p) => -Math.log2(Math.max(p, 0.5) / 2048) * unitsPerBit,
);
const positionStates = positionMask + 1;

/** What a bit costs by the probability at `index`. */
export function bitPrice(model: Uint16Array, index: number, bit: number): number {
  const probability = model[index] ?? 0;
  return priceOfProbability[bit === 0 ? probability : 2048 - probability] ?? 0;
}

function treePrice(model: Uint16Array, base: number, bits: number, symbol: number): number {
  let price = 0;
  let node = 1;
  for (let n = bits - 1; n >= 0; n--) {
    const bit = (symbol >> n) & 1;
    price += bitPrice(model, base + node, bit);
    node = (node << 1) | bit;
  }
  return price;
}

function reverseTreePrice(model: Uint16Array, base: number, bits: number, symbol: number): number {
  let price = 0;
  let node = 1;
  for (let n = 0; n < bits; n++) {
    const bit = (symbol >> n) & 1;
    price += bitPrice(model, base + node, bit);
    node = (node << 1) | bit;
  }
  return price;
}

/** A literal; `matched` is the byte at the last distance where one is, else -1. */
export function literalPrice(model: Uint16Array, byteBefore: number, byte: number, matched: number): number {
  const base = literalAt(byteBefore);
  if (matched < 0) return treePrice(model, base, 8, byte);
  let price = 0;
  let offset = 0x100;
  let expected = matched;
  let symbol = byte | 0x100;
  while (symbol < 0x10000) {
    expected <<= 1;
    price += bitPrice(model, base + offset + (expected & offset) + (symbol >> 8), (symbol >> 7) & 1);
    symbol <<= 1;
    offset &= ~(expected ^ symbol);
  }
  return price;
}

/** What lengths and distances cost as the model stands when `update` is called. */
export class Prices {
  readonly #matchLengths = new Float64Array(positionStates * (longestMatch + 1));
  readonly #repLengths = new Float64Array(positionStates * (longestMatch + 1));
  readonly #slots = new Float64Array(distanceStates * 64);
  readonly #nearDistances = new Float64Array(distanceStates * fullDistances);
  readonly #align = new Float64Array(16);

  update(model: Uint16Array): void {
    fillLengths(model, at.matchLength, this.#matchLengths);
    fillLengths(model, at.repLength, this.#repLengths);
    for (let n = 0; n < 16; n++) this.#align[n] = reverseTreePrice(model, at.align, 4, n);
    for (let state = 0; state < distanceStates; state++) this.#updateDistances(model, state);
  }

  matchLength(position: number, length: number): number {
    return this.#matchLengths[(position & positionMask) * (longestMatch + 1) + length] ?? 0;
  }

  repLength(position: number, length: number): number {
    return this.#repLengths[(position & positionMask) * (longestMatch + 1) + length] ?? 0;
  }

  distance(distance: number, length: number): number {
    const state = Math.min(length - shortestMatch, distanceStates - 1);
    if (distance < fullDistances) return this.#nearDistances[state * fullDistances + distance] ?? 0;
    return (this.#slots[state * 64 + slotOf(distance)] ?? 0) + (this.#align[distance & 15] ?? 0);
  }

  #updateDistances(model: Uint16Array, state: number): void {
    for (let slot = 0; slot < 64; slot++) {
      const direct = slot < firstDirectSlot ? 0 : (slot >> 1) - 1 - 4;
      this.#slots[state * 64 + slot] = treePrice(model, at.slot + state * 64, 6, slot) + direct * unitsPerBit;
    }
    for (let distance = 0; distance < fullDistances; distance++) {
      const slot = slotOf(distance);
      const bits = slot < 4 ? 0 : (slot >> 1) - 1;
      const base = slot < 4 ? distance : (2 | (slot & 1)) << bits;
      const price = reverseTreePrice(model, at.special + base - slot - 1, bits, distance - base);
      this.#nearDistances[state * fullDistances + distance] = (this.#slots[state * 64 + slot] ?? 0) + price;
    }
  }
}

function fillLengths(model: Uint16Array, coder: number, into: Float64Array): void {
  const notLow = bitPrice(model, coder + lengthAt.choice, 1);
  for (let position = 0; position < positionStates; position++) {
    for (let length = shortestMatch; length <= longestMatch; length++) {
      const symbol = length - shortestMatch;
      let price: number;
      if (symbol < 8) {
        price =
          bitPrice(model, coder + lengthAt.choice, 0) +
          treePrice(model, coder + lengthAt.low + position * 8, 3, symbol);
      } else if (symbol < 16) {
        const choice = notLow + bitPrice(model, coder + lengthAt.choice2, 0);
        price = choice + treePrice(model, coder + lengthAt.mid + position * 8, 3, symbol - 8);
      } else {
        const choice = notLow + bitPrice(model, coder + lengthAt.choice2, 1);
        price = choice + treePrice(model, coder + lengthAt.high, 8, symbol - 16);
      }
      into[position * (longestMatch + 1) + length] = price;
    }
  }
}
