import { Bitmap } from "../../bytes/index.ts";
import { Failure } from "../../base/index.ts";
import { damaged } from "../damaged.ts";
import { isSum } from "./checksums.ts";
import { mapInChunk } from "./chunk-map.ts";
import { ids, itemTypes } from "./key.ts";
import type { BtrfsSource } from "./source.ts";
import { findAtMost, findTree, leavesOf, type Tree } from "./tree.ts";

/** The checksums of some sectors of data, of which some may be missing. */
export interface DataSums {
  readonly logical: number;
  readonly sums: Uint8Array;
  readonly known: Bitmap;
}

/** Reads data by logical address, and tries other copies where a checksum does not match. */
export class DataReader {
  readonly #source: BtrfsSource;
  #sumTree: Tree | undefined | "unread" = "unread";

  constructor(source: BtrfsSource) {
    this.#source = source;
  }

  /** Fills `into`, whole sectors, from an address on. Throws `damaged`, about `what`, where no copy is sound. */
  async read(logical: number, into: Uint8Array, what: string): Promise<void> {
    const { sectorBytes } = this.#source;
    if (logical % sectorBytes !== 0 || into.length % sectorBytes !== 0) {
      throw damaged(what, "its data does not begin or end with a sector");
    }
    const sums = await this.sums(logical, into.length);
    for (let done = 0; done < into.length;) {
      const chunk = this.#source.chunks.at(logical + done);
      if (chunk === undefined) throw damaged(what, `its data at ${logical + done} is in no chunk`);
      const mapped = mapInChunk(chunk, logical + done - chunk.logical);
      const lengthBytes = Math.min(mapped.lengthBytes, into.length - done);
      const copies = this.#source.copiesOf(logical + done, lengthBytes);
      await this.#readPiece(copies, into.subarray(done, done + lengthBytes), { sums, at: logical + done, what });
      done += lengthBytes;
    }
  }

  /** The checksums of a stretch of data. */
  async sums(logical: number, lengthBytes: number): Promise<DataSums> {
    const { sectorBytes, checksum } = this.#source;
    const count = Math.ceil(lengthBytes / sectorBytes);
    const found = { logical, sums: new Uint8Array(count * checksum.sizeBytes), known: new Bitmap(count) };
    if (this.#sumTree === "unread") this.#sumTree = await findTree(this.#source, ids.csumTree);
    const tree = this.#sumTree;
    if (tree === undefined) return found;
    const from = { id: ids.checksums, type: itemTypes.extentCsum, offset: logical };
    const first = await findAtMost(this.#source, tree, from);
    const isBefore =
      first !== undefined && first.leaf.id(first.n) === from.id && first.leaf.type(first.n) === from.type;
    const start = isBefore ? { ...from, offset: first.leaf.offset(first.n) } : from;
    const to = { ...from, offset: logical + lengthBytes - 1 };
    for await (const { leaf, start: n0, end } of leavesOf(this.#source, tree, start, to)) {
      for (let n = n0; n < end; n++) this.#take(found, leaf.offset(n), leaf.data(n));
    }
    return found;
  }

  #take({ logical, sums, known }: DataSums, itemLogical: number, data: Uint8Array): void {
    const { sectorBytes, checksum } = this.#source;
    const shift = (itemLogical - logical) / sectorBytes;
    if (!Number.isInteger(shift)) return;
    const count = Math.floor(data.length / checksum.sizeBytes);
    for (let n = Math.max(0, -shift); n < count && n + shift < known.length; n++) {
      const at = n * checksum.sizeBytes;
      sums.set(data.subarray(at, at + checksum.sizeBytes), (n + shift) * checksum.sizeBytes);
      known.set(n + shift);
    }
  }

  async #readPiece(copies: readonly number[], into: Uint8Array, about: DataAt): Promise<void> {
    const { reader, sectorBytes } = this.#source;
    let why = "none of its copies is on this device";
    let bad = everySector(into.length, sectorBytes);
    for (const [n, at] of copies.entries()) {
      try {
        if (n > 0) bad = await this.#mend(at, into, bad, about);
        else {
          await reader.read(at, into);
          bad = this.#badSectors(into, about);
        }
        if (bad.length === 0) return;
        why = `the checksum of its data at ${about.at + (bad[0] ?? 0)} does not match`;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        why = error.message;
      }
    }
    throw damaged(about.what, why);
  }

  /** Reads sectors that were bad from another copy; gives those that still are. */
  async #mend(at: number, into: Uint8Array, bad: readonly number[], about: DataAt): Promise<number[]> {
    const { reader, sectorBytes } = this.#source;
    const still: number[] = [];
    for (const offset of bad) {
      const sector = into.subarray(offset, offset + sectorBytes);
      await reader.read(at + offset, sector);
      if (this.#badSectors(sector, { ...about, at: about.at + offset }).length > 0) still.push(offset);
    }
    return still;
  }

  #badSectors(bytes: Uint8Array, { sums, at }: DataAt): number[] {
    const { sectorBytes, checksum } = this.#source;
    const bad: number[] = [];
    for (let offset = 0; offset < bytes.length; offset += sectorBytes) {
      const n = (at + offset - sums.logical) / sectorBytes;
      if (!sums.known.has(n)) continue; // of a file without checksums
      const sum = checksum.of(bytes.subarray(offset, offset + sectorBytes));
      if (!isSum(sums.sums, n * checksum.sizeBytes, sum)) bad.push(offset);
    }
    return bad;
  }
}

interface DataAt {
  readonly sums: DataSums;
  readonly at: number;
  readonly what: string;
}

function everySector(lengthBytes: number, sectorBytes: number): number[] {
  return Array.from({ length: Math.ceil(lengthBytes / sectorBytes) }, (_, n) => n * sectorBytes);
}
