import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import { forkFormats, type Fork } from "./inode.ts";
import { blockPlace, type XfsLayout } from "./layout.ts";
import { groupLength } from "./group-headers.ts";
import type { XfsSource } from "./xfs-source.ts";

/** Blocks of a fork that stand together ("Extent List"). */
export interface ForkRun {
  /** Place in the fork, in blocks. */
  readonly logical: number;
  /** Number of the first block. */
  readonly block: number;
  readonly count: number;
  /** Reserved, and never written: reads as zeros. */
  readonly isUnwritten: boolean;
}

/** Whose fork it is. */
export interface ForkOwner {
  readonly id: number;
  readonly what: string;
}

const extentBytes = 16;
const rootHeadBytes = 4;
const headBytes = 24;
const sealedHeadBytes = 72;
const checksumAt = 64;
const ownerAt = 56;
const keyBytes = 8;
/** Deeper than any tree of the largest file. */
const levelLimit = 9;
const magics = { plain: 0x424d4150, sealed: 0x424d4133 } as const; // "BMAP", "BMA3"

/** Told of each block of a fork's tree. */
export type OnTreeBlock = (block: number) => void;

/** The runs of a fork by ascending place. Throws `damaged` where they contradict themselves. */
export async function* forkRuns(
  source: XfsSource,
  fork: Fork,
  owner: ForkOwner,
  onBlock?: OnTreeBlock,
): AsyncGenerator<ForkRun> {
  const inline = inlineRuns(source.layout, fork, owner);
  if (inline !== undefined) yield* inline;
  else yield* new ForkTree(source, fork, owner, onBlock).runs();
}

/** The runs of a fork whose list stands in the inode; undefined where there is a tree. */
export function inlineRuns(layout: XfsLayout, fork: Fork, { what }: ForkOwner): ForkRun[] | undefined {
  if (fork.format === forkFormats.tree) return undefined;
  if (fork.format !== forkFormats.extents) throw damaged(what, `its format is ${fork.format}, where extents should be`);
  if (fork.extentCount > fork.bytes.length / extentBytes) {
    throw damaged(what, `there is no room for ${fork.extentCount} extents`);
  }
  if (fork.extentCount === 0) return [];
  const order = new RunOrder(layout, what);
  const view = viewOf(fork.bytes);
  return Array.from({ length: fork.extentCount }, (_, n) => order.next(view, n * extentBytes));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes extents one after the other, which have to ascend and to lie in groups. */
class RunOrder {
  readonly #layout: XfsLayout;
  readonly #what: string;
  #end = 0;
  count = 0;

  constructor(layout: XfsLayout, what: string) {
    this.#layout = layout;
    this.#what = what;
  }

  /** A flag, 54 bits of place in the fork, 52 of the block, 21 of the count. */
  next(view: DataView, at: number): ForkRun {
    const [w0, w1] = [view.getUint32(at), view.getUint32(at + 4)];
    const [w2, w3] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    const run = {
      logical: (w0 & 0x7fffffff) * 2 ** 23 + (w1 >>> 9),
      block: (w1 & 0x1ff) * 2 ** 43 + w2 * 2 ** 11 + (w3 >>> 21),
      count: w3 & 0x1fffff,
      isUnwritten: w0 >>> 31 !== 0,
    };
    const place = blockPlace(this.#layout, run.block);
    const limit = place === undefined ? 0 : groupLength(this.#layout.superblock, place.group) - place.block;
    if (run.count === 0 || run.count > limit) {
      throw damaged(this.#what, `it cannot have ${run.count} blocks from block ${run.block} on`);
    }
    if (run.logical < this.#end) throw damaged(this.#what, "its extents are not in order");
    this.#end = run.logical + run.count;
    this.count++;
    return run;
  }
}

class ForkTree {
  readonly #source: XfsSource;
  readonly #fork: Fork;
  readonly #owner: ForkOwner;
  readonly #onBlock: OnTreeBlock | undefined;
  readonly #order: RunOrder;
  #visited = 0;

  constructor(source: XfsSource, fork: Fork, owner: ForkOwner, onBlock: OnTreeBlock | undefined) {
    this.#source = source;
    this.#fork = fork;
    this.#owner = owner;
    this.#onBlock = onBlock;
    this.#order = new RunOrder(source.layout, owner.what);
  }

  async *runs(): AsyncGenerator<ForkRun> {
    const { what } = this.#owner;
    const { bytes, extentCount } = this.#fork;
    const view = viewOf(bytes);
    const capacity = Math.floor((bytes.length - rootHeadBytes) / (2 * keyBytes));
    if (capacity < 1) throw damaged(what, "there is no room for the root of its tree");
    const [level, count] = [view.getUint16(0), view.getUint16(2)];
    if (level === 0 || level > levelLimit || count === 0 || count > capacity) {
      throw damaged(what, `its tree cannot be of level ${level} with ${count} entries`);
    }
    yield* this.#children(view, { start: rootHeadBytes, capacity, count, level });
    if (this.#order.count === extentCount) return;
    throw damaged(what, `its tree has ${this.#order.count} of ${extentCount} extents`);
  }

  async *#children(
    view: DataView,
    node: { readonly start: number; readonly capacity: number; readonly count: number; readonly level: number },
  ): AsyncGenerator<ForkRun> {
    for (let n = 0; n < node.count; n++) {
      const at = node.start + (node.capacity + n) * keyBytes;
      yield* this.#below(view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4), node.level - 1);
    }
  }

  async *#below(block: number, level: number): AsyncGenerator<ForkRun> {
    const { blockBytes, hasChecksums, dataBlocks } = this.#source.layout;
    const { what, id } = this.#owner;
    if (++this.#visited > dataBlocks) throw damaged(what, "its tree leads back into itself");
    const bytes = await this.#source.structures.bytes(this.#source.deviceAt(block, what), blockBytes);
    this.#onBlock?.(block);
    const view = viewOf(bytes);
    const where = `${what}, block ${block} of its tree`;
    if (view.getUint32(0) !== (hasChecksums ? magics.sealed : magics.plain)) {
      throw damaged(where, "there is no block of such a tree");
    }
    if (hasChecksums) {
      if (!isSealed(bytes, checksumAt)) throw damaged(where, "its checksum does not match");
      const found = view.getUint32(ownerAt) * 2 ** 32 + view.getUint32(ownerAt + 4);
      if (found !== id) throw damaged(where, `it belongs to inode ${found}`);
    }
    const start = hasChecksums ? sealedHeadBytes : headBytes;
    const capacity = Math.floor((blockBytes - start) / extentBytes); // keys with pointers are as long
    const [foundLevel, count] = [view.getUint16(4), view.getUint16(6)];
    if (foundLevel !== level || count === 0 || count > capacity) {
      throw damaged(where, `it is of level ${foundLevel} with ${count} entries, where ${level} should be`);
    }
    if (level > 0) yield* this.#children(view, { start, capacity, count, level });
    else for (let n = 0; n < count; n++) yield this.#order.next(view, start + n * extentBytes);
  }
}
