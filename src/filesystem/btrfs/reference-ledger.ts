import type { Problem } from "../file-system.ts";
import { groupFlags, type Chunk, type ChunkMap } from "./chunk-map.ts";

/** How many stretches are told apart; of file systems up to 4 GiB each sector is one. */
const bucketLimit = 2 ** 20;

/**
 * Compares what refers to extents with how many references the tree of extents says they have, in memory that does not grow
 * with them: for each stretch of addresses, the difference, and a sum of hashes of place and length.
 */
export class ReferenceLedger {
  readonly #chunks: ChunkMap;
  /** Where the addresses of each chunk begin when all are laid end to end. */
  readonly #starts = new Map<Chunk, number>();
  readonly #bucketBytes: number;
  readonly #counts: Int32Array;
  readonly #hashes: Int32Array;

  constructor(chunks: ChunkMap, sectorBytes: number) {
    this.#chunks = chunks;
    let totalBytes = 0;
    for (const chunk of chunks.chunks) {
      this.#starts.set(chunk, totalBytes);
      totalBytes += chunk.lengthBytes;
    }
    this.#bucketBytes = sectorBytes;
    while (totalBytes / this.#bucketBytes > bucketLimit) this.#bucketBytes *= 2;
    const count = Math.ceil(totalBytes / this.#bucketBytes);
    this.#counts = new Int32Array(count);
    this.#hashes = new Int32Array(count);
  }

  /** Something refers to an extent; false where that is in no chunk. */
  refer(logical: number, lengthBytes: number): boolean {
    return this.#add(logical, lengthBytes, 1);
  }

  /** The tree of extents has so many references to one. */
  expect(logical: number, lengthBytes: number, references: number): void {
    this.#add(logical, lengthBytes, -references);
  }

  /** What does not come out even. */
  *differences(): Generator<Problem> {
    for (const [n, count] of this.#counts.entries()) {
      if (count === 0 && this.#hashes[n] === 0) continue;
      const what = this.#nameOf(n);
      if (count > 0) {
        yield { severity: "error", message: `${what} has ${count} references that the tree of extents does not know` };
      } else if (count < 0) {
        yield { severity: "warning", message: `${what} is kept by ${-count} references that are not there` };
      } else {
        yield { severity: "error", message: `${what} is referred to in other places or lengths than it was given out` };
      }
    }
  }

  #add(logical: number, lengthBytes: number, references: number): boolean {
    const chunk = this.#chunks.at(logical);
    if (chunk === undefined) return false;
    const n = Math.floor(((this.#starts.get(chunk) ?? 0) + logical - chunk.logical) / this.#bucketBytes);
    const hash = hashOf(logical, lengthBytes);
    this.#counts[n] = (this.#counts[n] as number) + references;
    this.#hashes[n] = (this.#hashes[n] as number) + Math.imul(hash, references);
    return true;
  }

  #nameOf(n: number): string {
    const at = n * this.#bucketBytes;
    const chunk = this.#chunks.chunks.findLast((one) => (this.#starts.get(one) ?? 0) <= at);
    if (chunk === undefined) return "an extent";
    const kind = (chunk.flags & groupFlags.data) === 0n ? "the node" : "the extent";
    return `${kind} at ${chunk.logical + at - (this.#starts.get(chunk) ?? 0)}`;
  }
}

function hashOf(logical: number, lengthBytes: number): number {
  const low = Math.imul(logical >>> 0, 0x9e3779b1);
  const high = Math.imul(Math.floor(logical / 2 ** 32), 0x85ebca6b);
  const mixed = low ^ high ^ Math.imul(lengthBytes >>> 0, 0xc2b2ae35);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) | 1;
}
