/** So many inodes have one record in the tree of inodes. */
export const chunkInodes = 64;
/** A bit of the mask of holes stands for so many inodes. */
const inodesPerHole = 4;

/** A record of the tree of inodes. */
export interface InodeChunk {
  /** The number of the first inode, over the whole file system. */
  readonly start: number;
  /** One bit for each inode that is free, or not there. */
  readonly freeLow: number;
  readonly freeHigh: number;
  /** One bit for each four inodes that are not there. */
  readonly holes: number;
}

/** Decodes a record of which the first inode is `firstId` and what comes before it in the file system. */
export function decodeChunk(view: DataView, at: number, shape: { base: number; isSparse: boolean }): InodeChunk {
  return {
    start: shape.base + view.getUint32(at),
    freeLow: view.getUint32(at + 12),
    freeHigh: view.getUint32(at + 8),
    holes: shape.isSparse ? view.getUint16(at + 4) : 0,
  };
}

/** How many inodes a record says that it has, and how many of them are free. */
export function claimedCounts(view: DataView, at: number, isSparse: boolean): { count: number; free: number } {
  if (!isSparse) return { count: chunkInodes, free: view.getUint32(at + 4) };
  return { count: view.getUint8(at + 6), free: view.getUint8(at + 7) };
}

export function isHole({ holes }: InodeChunk, n: number): boolean {
  return ((holes >>> Math.floor(n / inodesPerHole)) & 1) !== 0;
}

export function isInUse(chunk: InodeChunk, n: number): boolean {
  const bit = n < 32 ? chunk.freeLow >>> n : chunk.freeHigh >>> (n - 32);
  return (bit & 1) === 0 && !isHole(chunk, n);
}

/** How many inodes of a chunk there are, and how many of those are free. */
export function countedIn(chunk: InodeChunk): { count: number; free: number } {
  let [count, used] = [0, 0];
  for (let n = 0; n < chunkInodes; n++) {
    if (!isHole(chunk, n)) count++;
    if (isInUse(chunk, n)) used++;
  }
  return { count, free: count - used };
}

/** All chunks of a file system, by ascending number. */
export class InodeChunks {
  readonly #starts: number[] = [];
  readonly #freeLow: number[] = [];
  readonly #freeHigh: number[] = [];
  readonly #holes: number[] = [];

  get length(): number {
    return this.#starts.length;
  }

  add({ start, freeLow, freeHigh, holes }: InodeChunk): void {
    this.#starts.push(start);
    this.#freeLow.push(freeLow);
    this.#freeHigh.push(freeHigh);
    this.#holes.push(holes);
  }

  at(n: number): InodeChunk {
    return {
      start: this.#starts[n] ?? 0,
      freeLow: this.#freeLow[n] ?? 0,
      freeHigh: this.#freeHigh[n] ?? 0,
      holes: this.#holes[n] ?? 0,
    };
  }

  /** The position of an inode among all, or -1 where no chunk has it. */
  positionOf(id: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) + chunkInodes <= id) low = middle + 1;
      else high = middle;
    }
    const start = this.#starts[low];
    return start !== undefined && id >= start ? low * chunkInodes + (id - start) : -1;
  }

  idAt(position: number): number {
    return (this.#starts[Math.floor(position / chunkInodes)] ?? 0) + (position % chunkInodes);
  }
}
