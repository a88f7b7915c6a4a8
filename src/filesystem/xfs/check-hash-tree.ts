import { damaged } from "../damaged.ts";
import type { ForkBlocks, IndexBlock } from "./directory-blocks.ts";

/** The index of a directory, or of attributes: nodes by the highest hash below each entry ("Node Directories"). */
export interface HashTree {
  readonly blocks: ForkBlocks;
  /** Where in the fork it begins. */
  readonly root: number;
  readonly blockBytes: number;
  readonly hasChecksums: boolean;
  /** Where leaves have their entries. */
  readonly leafStart: number;
  readonly isLeaf: (magic: number) => boolean;
}

const nodeMagics = [0xfebe, 0x3ebe] as const;
const nodeStart = [16, 64] as const;
const countAt = [12, 56] as const;
const levelAt = [14, 58] as const;
const entryBytes = 8;
const depthLimit = 5;

/** Looks at all nodes and leaves of an index. Throws `damaged` where they contradict each other. */
export async function checkHashTree(tree: HashTree): Promise<void> {
  await new HashTreeCheck(tree).run();
}

class HashTreeCheck {
  readonly #tree: HashTree;
  readonly #kind: 0 | 1;
  #left: number;
  /** The last leaf, and which one it says is next. */
  #leaf: { readonly number: number; readonly next: number } | undefined;

  constructor(tree: HashTree) {
    this.#tree = tree;
    this.#kind = tree.hasChecksums ? 1 : 0;
    this.#left = tree.blocks.blockCount;
  }

  async run(): Promise<void> {
    await this.#below(this.#tree.root, undefined);
    if (this.#leaf !== undefined && this.#leaf.next !== 0) throw this.#wrong("its last leaf has another behind it");
  }

  /** Looks at a block and those below it; gives its highest hash. */
  async #below(number: number, level: number | undefined): Promise<number> {
    if (this.#left-- <= 0) throw this.#wrong("its index leads back into itself");
    const block = await this.#tree.blocks.indexBlock(number, this.#tree.blockBytes);
    if (this.#tree.isLeaf(block.magic)) {
      if (level !== undefined && level !== 0) throw this.#wrong("its index ends too early");
      return this.#passLeaf(number, block);
    }
    const found = block.view.getUint16(levelAt[this.#kind]);
    const isExpected = level === undefined ? found > 0 && found <= depthLimit : found === level && level > 0;
    if (block.magic !== nodeMagics[this.#kind] || !isExpected)
      throw this.#wrong(`block ${number} is none of its index`);
    const [start, count] = [nodeStart[this.#kind], this.#count(block, nodeStart[this.#kind])];
    if (count === 0) throw this.#wrong("a node of its index is empty");
    let last = 0;
    for (let n = 0; n < count; n++) {
      const hash = block.view.getUint32(start + n * entryBytes);
      const highest = await this.#below(block.view.getUint32(start + n * entryBytes + 4), found - 1);
      if (hash < last || hash !== highest) throw this.#wrong("a node of its index does not match what is below it");
      last = hash;
    }
    return last;
  }

  #passLeaf(number: number, block: IndexBlock): number {
    const { leafStart } = this.#tree;
    const [next, before] = [block.view.getUint32(0), block.view.getUint32(4)];
    const expected = this.#leaf === undefined ? before === 0 : before === this.#leaf.number;
    if (!expected || (this.#leaf !== undefined && this.#leaf.next !== number)) {
      throw this.#wrong("the leaves of its index are not beside each other");
    }
    this.#leaf = { number, next };
    const count = this.#count(block, leafStart);
    let last = 0;
    for (let n = 0; n < count; n++) {
      const hash = block.view.getUint32(leafStart + n * entryBytes);
      if (hash < last) throw this.#wrong("its index is not in order");
      last = hash;
    }
    return last;
  }

  #count({ view, bytes }: IndexBlock, start: number): number {
    const count = view.getUint16(countAt[this.#kind]);
    if (start + count * entryBytes <= bytes.length) return count;
    throw this.#wrong(`a block of its index cannot have ${count} entries`);
  }

  #wrong(why: string): Error {
    return damaged(this.#tree.blocks.what, why);
  }
}
