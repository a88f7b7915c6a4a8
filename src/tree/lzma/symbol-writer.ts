import {
  afterLiteral,
  afterMatch,
  afterRep,
  afterShortRep,
  at,
  distanceStates,
  firstDirectSlot,
  lengthAt,
  literalAt,
  literalStates,
  newModel,
  positionMask,
  shortestMatch,
  slotOf,
} from "./model.ts";
import { RangeEncoder } from "./range-encoder.ts";

/** A step of an encoding: a literal, a repetition at one of the last four distances, or a match at a new one. */
export interface Step {
  readonly length: number;
  /** -1: a literal. 0 … 3: the last distances. From 4 on: a new distance, plus 4. */
  readonly back: number;
}

export const literalBack = -1;
export const newDistanceBack = 4;

/** Writes steps by the model that both sides keep (LZMA specification, "LZMA decoding"). */
export class SymbolWriter {
  readonly model = newModel();
  state = 0;
  /** The last four distances, the latest first; 0 is the byte before. */
  readonly reps: [number, number, number, number] = [0, 0, 0, 0];

  readonly #data: Uint8Array;
  #coder: RangeEncoder;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#coder = new RangeEncoder(data.length >> 1);
  }

  get position(): number {
    return this.#position;
  }

  write({ length, back }: Step): void {
    const positionState = this.#position & positionMask;
    this.#bit(at.isMatch + this.state * 16 + positionState, back === literalBack ? 0 : 1);
    if (back === literalBack) this.#literal();
    else if (back >= newDistanceBack) this.#match(length, back - newDistanceBack, positionState);
    else this.#repetition(length, back, positionState);
    this.#position += length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#coder.finish();
  }

  /** How many bytes `finish` would give. */
  get sizeBytes(): number {
    return this.#coder.sizeBytes;
  }

  /** As `finish`, and goes on in another stream with what both sides have learnt. */
  finishChunk(): Uint8Array<ArrayBuffer> {
    const chunk = this.#coder.finish();
    this.#coder = new RangeEncoder(chunk.length);
    return chunk;
  }

  #bit(index: number, bit: number): void {
    this.#coder.bit(this.model, index, bit);
  }

  #literal(): void {
    const byte = this.#data[this.#position] ?? 0;
    const base = literalAt(this.#position === 0 ? 0 : (this.#data[this.#position - 1] ?? 0));
    if (this.state < literalStates) {
      this.#tree(base, 8, byte);
    } else {
      let expected = this.#data[this.#position - this.reps[0] - 1] ?? 0;
      let offset = 0x100;
      let symbol = byte | 0x100;
      while (symbol < 0x10000) {
        expected <<= 1;
        this.#bit(base + offset + (expected & offset) + (symbol >> 8), (symbol >> 7) & 1);
        symbol <<= 1;
        offset &= ~(expected ^ symbol);
      }
    }
    this.state = afterLiteral(this.state);
  }

  #repetition(length: number, rep: number, positionState: number): void {
    const { state, reps } = this;
    this.#bit(at.isRep + state, 1);
    this.#bit(at.isRep0 + state, rep === 0 ? 0 : 1);
    if (rep === 0) {
      this.#bit(at.isRep0Long + state * 16 + positionState, length === 1 ? 0 : 1);
    } else {
      this.#bit(at.isRep1 + state, rep === 1 ? 0 : 1);
      if (rep > 1) this.#bit(at.isRep2 + state, rep - 2);
    }
    useRep(reps, rep);
    if (length === 1) {
      this.state = afterShortRep(state);
    } else {
      this.#length(at.repLength, length, positionState);
      this.state = afterRep(state);
    }
  }

  #match(length: number, distance: number, positionState: number): void {
    this.#bit(at.isRep + this.state, 0);
    this.state = afterMatch(this.state);
    this.#length(at.matchLength, length, positionState);
    const slot = slotOf(distance);
    this.#tree(at.slot + Math.min(length - shortestMatch, distanceStates - 1) * 64, 6, slot);
    if (slot >= 4) {
      const bits = (slot >> 1) - 1;
      const base = ((2 | (slot & 1)) << bits) >>> 0;
      if (slot < firstDirectSlot) {
        this.#reverseTree(at.special + base - slot - 1, bits, distance - base);
      } else {
        this.#coder.direct((distance - base) >>> 4, bits - 4);
        this.#reverseTree(at.align, 4, distance & 15);
      }
    }
    useDistance(this.reps, distance);
  }

  #length(coder: number, length: number, positionState: number): void {
    const symbol = length - shortestMatch;
    this.#bit(coder + lengthAt.choice, symbol < 8 ? 0 : 1);
    if (symbol < 8) return this.#tree(coder + lengthAt.low + positionState * 8, 3, symbol);
    this.#bit(coder + lengthAt.choice2, symbol < 16 ? 0 : 1);
    if (symbol < 16) return this.#tree(coder + lengthAt.mid + positionState * 8, 3, symbol - 8);
    return this.#tree(coder + lengthAt.high, 8, symbol - 16);
  }

  #tree(base: number, bits: number, symbol: number): void {
    let node = 1;
    for (let n = bits - 1; n >= 0; n--) {
      const bit = (symbol >> n) & 1;
      this.#bit(base + node, bit);
      node = (node << 1) | bit;
    }
  }

  #reverseTree(base: number, bits: number, symbol: number): void {
    let node = 1;
    for (let n = 0; n < bits; n++) {
      const bit = (symbol >> n) & 1;
      this.#bit(base + node, bit);
      node = (node << 1) | bit;
    }
  }
}

/** Moves one of the last distances to the front. */
export function useRep(reps: [number, number, number, number], rep: number): void {
  const distance = reps[rep] ?? 0;
  for (let n = rep; n > 0; n--) reps[n] = reps[n - 1] ?? 0;
  reps[0] = distance;
}

export function useDistance(reps: [number, number, number, number], distance: number): void {
  useRep(reps, 3);
  reps[0] = distance;
}
