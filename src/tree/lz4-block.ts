import { Failure } from "../base/index.ts";

const smallestMatch = 4;

/**
 * Unpacks a block (LZ4 block format 2022-07) to `at` in `into`, and returns where its content ends. Matches may reach
 * back to the start of `into`. Throws `damaged` where they reach further, or the content does not fit.
 */
export function decodeLz4Block(from: Uint8Array, into: Uint8Array, at: number): number {
  let source = 0;
  let target = at;
  const longLength = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255;) {
      if (source >= from.length) throw wrong();
      more = from[source++] as number;
      length += more;
    }
    return length;
  };
  while (source < from.length) {
    const token = from[source++] as number;
    const literals = longLength(token >>> 4);
    if (source + literals > from.length || target + literals > into.length) throw wrong();
    if (literals > 32) into.set(from.subarray(source, source + literals), target);
    else for (let n = 0; n < literals; n++) into[target + n] = from[source + n] as number;
    source += literals;
    target += literals;
    if (source === from.length) return target; // the last sequence has no match
    if (source + 2 > from.length) throw wrong();
    const distance = (from[source] as number) | ((from[source + 1] as number) << 8);
    source += 2;
    const length = longLength(token & 15) + smallestMatch;
    if (distance === 0 || distance > target || target + length > into.length) throw wrong();
    if (length > 32 && distance >= length) into.copyWithin(target, target - distance, target - distance + length);
    else for (let n = 0; n < length; n++) into[target + n] = into[target - distance + n] as number; // may overlap itself
    target += length;
  }
  return target;
}

function wrong(): Failure {
  return new Failure("damaged", "an LZ4 block contradicts itself");
}
