import { damaged } from "../../damaged.ts";
import { BitReader, decodeTable } from "./bit-reader.ts";

/** A chunk begins with the lengths of the codes of so many symbols, four bits each ([MS-XCA] §2.2). */
const symbolCount = 512;
const lengthsBytes = symbolCount / 2;
const longestCode = 15;
const literalCount = 256;
const leastMatch = 3;

/** Unpacks one chunk of XPRESS with Huffman codes, which fills `into`. Throws `damaged` for what it cannot be. */
export function unpackXpress(packed: Uint8Array, into: Uint8Array, what: string): void {
  const makesNoSense = (): Error => damaged(what, "a chunk compressed by XPRESS makes no sense");
  if (packed.length < lengthsBytes) throw makesNoSense();
  const lengths = Uint8Array.from({ length: symbolCount }, (_, n) => ((packed[n >>> 1] ?? 0) >>> ((n & 1) * 4)) & 0xf);
  const table = decodeTable(lengths, longestCode);
  if (table === undefined) throw makesNoSense();
  const bits = new BitReader(packed, lengthsBytes);
  for (let done = 0; done < into.length;) {
    const symbol = bits.symbol(table, longestCode);
    if (symbol === undefined || bits.isPastEnd) throw makesNoSense();
    if (symbol < literalCount) {
      into[done++] = symbol;
      continue;
    }
    const length = matchLength(symbol & 0xf, bits) + leastMatch;
    const offsetBits = (symbol - literalCount) >>> 4;
    const distance = (1 << offsetBits) | bits.take(offsetBits);
    if (distance > done || done + length > into.length) throw makesNoSense();
    // Byte by byte: what is repeated may reach into what comes of it.
    for (let n = 0; n < length; n++, done++) into[done] = into[done - distance] ?? 0;
  }
}

function matchLength(nibble: number, bits: BitReader): number {
  if (nibble < 0xf) return nibble;
  const more = bits.byte();
  return more < 0xff ? more + 0xf : bits.u16();
}
