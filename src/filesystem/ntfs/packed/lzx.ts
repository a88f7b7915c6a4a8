import { damaged } from "../../damaged.ts";
import { BitReader, decodeTable } from "./bit-reader.ts";

/*
 * LZX as Windows has it in chunks of 32 KiB that stand alone ([MS-PATCH] §2 describes its kin): blocks, of which each
 * tells the lengths of its codes as differences from those of the block before.
 */

const literalCount = 256;
/** As many slots as a window of 32 KiB needs. */
const slotCount = 30;
const mainCount = literalCount + slotCount * 8;
const lengthCount = 249;
const alignedCount = 8;
const preCount = 20;
const longest = { main: 16, length: 16, pre: 15, aligned: 7 } as const;
const usualBlockBytes = 32_768;
const blockTypes = { verbatim: 1, aligned: 2, plain: 3 } as const;
const leastMatch = 2;
const longLength = 7;

/** Where the distances of a slot begin, less two, and how many bits tell which of them is meant. */
const slots: readonly { readonly base: number; readonly bits: number }[] = slotTable();

function slotTable(): { readonly base: number; readonly bits: number }[] {
  const table: { readonly base: number; readonly bits: number }[] = [];
  for (let slot = 0, base = 0; slot < slotCount; slot++) {
    const bits = slot < 4 ? 0 : (slot >>> 1) - 1;
    table.push({ base: base - 2, bits });
    base += 2 ** bits;
  }
  return table;
}

/** Unpacks one chunk, which fills `into`. Throws `damaged` for what it cannot be. */
export function unpackLzx(packed: Uint8Array, into: Uint8Array, what: string): void {
  new LzxChunk(packed, into, what).unpack();
  undoCallTranslation(into);
}

interface BlockCodes {
  readonly main: Uint16Array;
  readonly length: Uint16Array;
  /** Of the lowest three bits of distances, in blocks that have it. */
  readonly aligned: Uint16Array | undefined;
}

class LzxChunk {
  readonly #packed: Uint8Array;
  readonly #into: Uint8Array;
  readonly #what: string;
  readonly #mainLengths = new Uint8Array(mainCount);
  readonly #lengthLengths = new Uint8Array(lengthCount);
  /** The distances used last. */
  #recent: [number, number, number] = [1, 1, 1];
  #bits: BitReader;
  #done = 0;

  constructor(packed: Uint8Array, into: Uint8Array, what: string) {
    this.#packed = packed;
    this.#into = into;
    this.#what = what;
    this.#bits = new BitReader(packed, 0);
  }

  unpack(): void {
    while (this.#done < this.#into.length) {
      const type = this.#bits.take(3);
      const sizeBytes = this.#bits.take(1) === 1 ? usualBlockBytes : this.#bits.take(16);
      const end = this.#done + sizeBytes;
      if (sizeBytes === 0 || end > this.#into.length || this.#bits.isPastEnd) throw this.#makesNoSense();
      if (type === blockTypes.plain) this.#copyPlain(sizeBytes);
      else if (type === blockTypes.verbatim) this.#unpackBlock(end, this.#readCodes(false));
      else if (type === blockTypes.aligned) this.#unpackBlock(end, this.#readCodes(true));
      else throw this.#makesNoSense();
    }
  }

  #makesNoSense(): Error {
    return damaged(this.#what, "a chunk compressed by LZX makes no sense");
  }

  /** A block as it is, behind the distances used last, from the next whole unit on. */
  #copyPlain(sizeBytes: number): void {
    const at = this.#bits.nextUnit();
    const dataAt = at + 12;
    if (dataAt + sizeBytes > this.#packed.length) throw this.#makesNoSense();
    const view = new DataView(this.#packed.buffer, this.#packed.byteOffset + at, 12);
    this.#recent = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
    this.#into.set(this.#packed.subarray(dataAt, dataAt + sizeBytes), this.#done);
    this.#done += sizeBytes;
    this.#bits = new BitReader(this.#packed, dataAt + sizeBytes + (sizeBytes & 1));
  }

  #readCodes(isAligned: boolean): BlockCodes {
    const aligned = isAligned ? this.#table(this.#plainLengths(alignedCount, 3), longest.aligned) : undefined;
    this.#readLengths(this.#mainLengths.subarray(0, literalCount));
    this.#readLengths(this.#mainLengths.subarray(literalCount));
    this.#readLengths(this.#lengthLengths);
    return {
      main: this.#table(this.#mainLengths, longest.main),
      length: this.#table(this.#lengthLengths, longest.length),
      aligned,
    };
  }

  #plainLengths(count: number, bits: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#bits.take(bits));
  }

  #table(lengths: Uint8Array, longestCode: number): Uint16Array {
    const table = decodeTable(lengths, longestCode);
    if (table !== undefined) return table;
    throw this.#makesNoSense();
  }

  /** Changes lengths by what a code of its own tells of each, or of several at once. */
  #readLengths(lengths: Uint8Array): void {
    const table = this.#table(this.#plainLengths(preCount, 4), longest.pre);
    const change = (n: number, symbol: number): number => ((lengths[n] ?? 0) - symbol + 17) % 17;
    for (let n = 0; n < lengths.length;) {
      const symbol = this.#symbol(table, longest.pre);
      if (symbol < 17) {
        lengths[n] = change(n, symbol);
        n++;
        continue;
      }
      const count =
        symbol === 17 ? 4 + this.#bits.take(4) : symbol === 18 ? 20 + this.#bits.take(5) : 4 + this.#bits.take(1);
      const value = symbol < 19 ? 0 : change(n, this.#symbol(table, longest.pre));
      if (n + count > lengths.length || value < 0) throw this.#makesNoSense();
      lengths.fill(value, n, n + count);
      n += count;
    }
  }

  #symbol(table: Uint16Array, longestCode: number): number {
    const symbol = this.#bits.symbol(table, longestCode);
    if (symbol !== undefined && !this.#bits.isPastEnd) return symbol;
    throw this.#makesNoSense();
  }

  #unpackBlock(end: number, codes: BlockCodes): void {
    const into = this.#into;
    while (this.#done < end) {
      const symbol = this.#symbol(codes.main, longest.main);
      if (symbol < literalCount) {
        into[this.#done++] = symbol;
        continue;
      }
      const short = symbol & longLength;
      const more = short === longLength ? this.#symbol(codes.length, longest.length) : 0;
      const length = short + more + leastMatch;
      const distance = this.#distance((symbol - literalCount) >>> 3, codes.aligned);
      if (distance === 0 || distance > this.#done || this.#done + length > end) throw this.#makesNoSense();
      // Byte by byte: what is repeated may reach into what comes of it.
      for (let n = 0; n < length; n++, this.#done++) into[this.#done] = into[this.#done - distance] ?? 0;
    }
  }

  #distance(slot: number, aligned: Uint16Array | undefined): number {
    const [first, second, third] = this.#recent;
    if (slot === 0) return first;
    if (slot === 1) return this.#remember(second, first, third);
    if (slot === 2) return this.#remember(third, second, first);
    const { base, bits } = slots[slot] ?? { base: 0, bits: 0 };
    const isSplit = aligned !== undefined && bits >= 3;
    const offset = isSplit
      ? this.#bits.take(bits - 3) * 8 + this.#symbol(aligned, longest.aligned)
      : this.#bits.take(bits);
    return this.#remember(base + offset, first, second);
  }

  #remember(...recent: [number, number, number]): number {
    this.#recent = recent;
    return recent[0];
  }
}

const callOpcode = 0xe8;
/** Calls are translated as if the file had this length, whatever it has. */
const translatedBytes = 12_000_000;
const untranslatedTail = 10;

/** Where processors call, the distance became a place, so that calls of one function look alike: this undoes it. */
function undoCallTranslation(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - untranslatedTail;
  for (let at = bytes.indexOf(callOpcode); at >= 0 && at < end; at = bytes.indexOf(callOpcode, at + 5)) {
    const place = view.getInt32(at + 1, true);
    if (place < -at || place >= translatedBytes) continue;
    view.setInt32(at + 1, place >= 0 ? place - at : place + translatedBytes, true);
  }
}
