import { chunkInodes, type InodeChunks } from "./inode-chunks.ts";

/** What the check remembers of every inode in use. */
export class InodeUse {
  readonly #chunks: InodeChunks;
  /** The kind of file as entries of directories have it; 0 for none. */
  readonly #types: Uint8Array;
  readonly #links: Uint32Array;
  readonly #names: Uint32Array;
  /** Which directory each directory says that it is in, and which one has its name. */
  readonly upward = new Map<number, number>();
  readonly namedIn = new Map<number, number>();

  constructor(chunks: InodeChunks) {
    const length = chunks.length * chunkInodes;
    this.#chunks = chunks;
    this.#types = new Uint8Array(length);
    this.#links = new Uint32Array(length);
    this.#names = new Uint32Array(length);
  }

  add(id: number, type: number, links: number): void {
    const n = this.#chunks.positionOf(id);
    this.#types[n] = type;
    this.#links[n] = links;
  }

  /** 0 where the inode is not in use. */
  typeOf(id: number): number {
    const n = this.#chunks.positionOf(id);
    return n < 0 ? 0 : (this.#types[n] ?? 0);
  }

  /** Another name, or what counts as one. */
  addName(id: number): void {
    const n = this.#chunks.positionOf(id);
    if (n >= 0) this.#names[n] = (this.#names[n] ?? 0) + 1;
  }

  /** Every inode in use: how many names it says that it has, and how many it has. */
  *counted(): Generator<{ readonly id: number; readonly links: number; readonly names: number }> {
    for (let n = 0; n < this.#types.length; n++) {
      if (this.#types[n] === 0) continue;
      yield { id: this.#chunks.idAt(n), links: this.#links[n] ?? 0, names: this.#names[n] ?? 0 };
    }
  }
}
