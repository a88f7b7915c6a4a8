import { RangeDecoder } from "./lzma-range.ts";

/**
 * LZMA without a container (the LZMA SDK's specification): literals, matches, and repeats of the last four
 * distances, into one buffer that is also the dictionary.
 */

const stateCount = 12;
const positionStateLimit = 16;
const literalContextBytes = 0x300;
const lengthToPositionStates = 4;
const minimumMatch = 2;
const alignBits = 4;
const initialProbability = 1024;

/** Where each group of probabilities starts in the one array that holds them all. */
const isMatchAt = 0;
const isRepeatAt = isMatchAt + stateCount * positionStateLimit;
const isRepeat0At = isRepeatAt + stateCount;
const isRepeat1At = isRepeat0At + stateCount;
const isRepeat2At = isRepeat1At + stateCount;
const isRepeat0LongAt = isRepeat2At + stateCount;
const distanceSlotAt = isRepeat0LongAt + stateCount * positionStateLimit;
const distanceSpecialAt = distanceSlotAt + lengthToPositionStates * 64;
const distanceAlignAt = distanceSpecialAt + 128;
const matchLengthAt = distanceAlignAt + (1 << alignBits);
const lengthCoderSize = 2 + positionStateLimit * 8 * 2 + 256;
const repeatLengthAt = matchLengthAt + lengthCoderSize;
const literalAt = repeatLengthAt + lengthCoderSize;

export interface LzmaProperties {
  readonly literalContextBits: number;
  readonly literalPositionBits: number;
  readonly positionBits: number;
}

/** The three settings in one byte; undefined where there are none such (LZMA2 allows lc + lp ≤ 4). */
export function decodeLzmaProperties(byte: number): LzmaProperties | undefined {
  if (byte > 4 * 45 + 4 * 9 + 8) return undefined;
  const literalContextBits = byte % 9;
  const literalPositionBits = Math.floor(byte / 9) % 5;
  if (literalContextBits + literalPositionBits > 4) return undefined;
  return { literalContextBits, literalPositionBits, positionBits: Math.floor(byte / 45) };
}

export class LzmaDecoder {
  readonly #range = new RangeDecoder();
  #probabilities = new Uint16Array(0);
  #literalContextBits = 0;
  #literalPositionMask = 0;
  #positionMask = 0;
  #state = 0;
  /** The last four distances, less one. */
  #distance0 = 0;
  #distance1 = 0;
  #distance2 = 0;
  #distance3 = 0;

  setProperties(properties: LzmaProperties): void {
    const contexts = 1 << (properties.literalContextBits + properties.literalPositionBits);
    this.#probabilities = new Uint16Array(literalAt + literalContextBytes * contexts);
    this.#literalContextBits = properties.literalContextBits;
    this.#literalPositionMask = (1 << properties.literalPositionBits) - 1;
    this.#positionMask = (1 << properties.positionBits) - 1;
    this.resetState();
  }

  get hasProperties(): boolean {
    return this.#probabilities.length > 0;
  }

  resetState(): void {
    this.#probabilities.fill(initialProbability);
    this.#state = 0;
    this.#distance0 = 0;
    this.#distance1 = 0;
    this.#distance2 = 0;
    this.#distance3 = 0;
  }

  /**
   * Decodes `input` from `inputAt` to `inputEnd` into `output` from `outputAt` to `outputEnd`, exactly; false
   * where the bytes are not right. `position` counts the output since the dictionary began: further back there is nothing.
   */
  decode(
    input: { readonly bytes: Uint8Array; readonly at: number; readonly end: number },
    output: { readonly bytes: Uint8Array; readonly at: number; readonly end: number; readonly position: number },
  ): boolean {
    const range = this.#range;
    if (!range.start(input.bytes, input.at)) return false;
    const { bytes, end } = output;
    const shift = output.position - output.at;
    for (let at = output.at; at < end;) {
      if (range.at > input.end) return false;
      const positionState = (at + shift) & this.#positionMask;
      if (range.bit(this.#probabilities, isMatchAt + this.#state * positionStateLimit + positionState) === 0) {
        bytes[at] = this.#literal(bytes, at, at + shift);
        at++;
        continue;
      }
      const length = this.#matchLength(positionState);
      const distance = this.#distance0 + 1;
      if (distance > at + shift || distance > at || length > end - at) return false;
      copyMatch(bytes, at, distance, length);
      at += length;
    }
    return range.isAtEnd(input.end);
  }

  #literal(bytes: Uint8Array, at: number, position: number): number {
    const before = position > 0 ? (bytes[at - 1] as number) : 0;
    const low = (position & this.#literalPositionMask) << this.#literalContextBits;
    const base = literalAt + literalContextBytes * (low + (before >>> (8 - this.#literalContextBits)));
    const state = this.#state;
    if (state < 7) {
      this.#state = state < 4 ? 0 : state - 3;
      return this.#range.tree(this.#probabilities, base, 8) & 0xff;
    }
    this.#state = state < 10 ? state - 3 : state - 6;
    return this.#range.matchedLiteral(this.#probabilities, base, bytes[at - this.#distance0 - 1] ?? 0);
  }

  /** The length of a match; its distance is then the first of the last four. */
  #matchLength(positionState: number): number {
    const probabilities = this.#probabilities;
    const range = this.#range;
    const state = this.#state;
    if (range.bit(probabilities, isRepeatAt + state) === 0) {
      const length = this.#length(matchLengthAt, positionState);
      this.#distance3 = this.#distance2;
      this.#distance2 = this.#distance1;
      this.#distance1 = this.#distance0;
      this.#distance0 = this.#distance(length);
      this.#state = state < 7 ? 7 : 10;
      return length;
    }
    if (range.bit(probabilities, isRepeat0At + state) === 0) {
      if (range.bit(probabilities, isRepeat0LongAt + state * positionStateLimit + positionState) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      this.#repeatOlder(state);
    }
    this.#state = state < 7 ? 8 : 11;
    return this.#length(repeatLengthAt, positionState);
  }

  /** Brings the second, third or fourth of the last distances to the front. */
  #repeatOlder(state: number): void {
    let distance = this.#distance1;
    if (this.#range.bit(this.#probabilities, isRepeat1At + state) === 1) {
      distance = this.#distance2;
      if (this.#range.bit(this.#probabilities, isRepeat2At + state) === 1) {
        distance = this.#distance3;
        this.#distance3 = this.#distance2;
      }
      this.#distance2 = this.#distance1;
    }
    this.#distance1 = this.#distance0;
    this.#distance0 = distance;
  }

  #length(base: number, positionState: number): number {
    const range = this.#range;
    const probabilities = this.#probabilities;
    if (range.bit(probabilities, base) === 0) {
      return minimumMatch + range.tree(probabilities, base + 2 + positionState * 8, 3) - 8;
    }
    if (range.bit(probabilities, base + 1) === 0) {
      const middle = base + 2 + positionStateLimit * 8;
      return minimumMatch + 8 + range.tree(probabilities, middle + positionState * 8, 3) - 8;
    }
    return minimumMatch + 16 + range.tree(probabilities, base + 2 + positionStateLimit * 16, 8) - 256;
  }

  #distance(length: number): number {
    const range = this.#range;
    const probabilities = this.#probabilities;
    const group = Math.min(length - minimumMatch, lengthToPositionStates - 1);
    const slot = range.tree(probabilities, distanceSlotAt + group * 64, 6) - 64;
    if (slot < 4) return slot;
    const bitCount = (slot >>> 1) - 1;
    const start = ((2 | (slot & 1)) << bitCount) >>> 0;
    if (slot < 14) return start + range.reverseTree(probabilities, distanceSpecialAt + start - slot, bitCount);
    const middle = range.direct(bitCount - alignBits) * (1 << alignBits);
    return start + middle + range.reverseTree(probabilities, distanceAlignAt, alignBits);
  }
}

function copyMatch(bytes: Uint8Array, at: number, distance: number, length: number): void {
  if (distance >= length && length > 32) {
    bytes.copyWithin(at, at - distance, at - distance + length);
    return;
  }
  for (let n = at, end = at + length; n < end; n++) bytes[n] = bytes[n - distance] as number;
}
