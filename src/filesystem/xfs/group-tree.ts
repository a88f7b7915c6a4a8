import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import type { XfsSource } from "./xfs-source.ts";

/** A kind of tree that stays within an allocation group ("Short Format B+trees"). */
export interface TreeKind {
  /** As the tools of XFS call it. */
  readonly name: string;
  readonly magic: number;
  /** The same where blocks have checksums. */
  readonly sealedMagic: number;
  readonly recordBytes: number;
  readonly keyBytes: number;
  /** Whether a record may stand behind another: their order is what makes a tree end. */
  readonly isInOrder: (view: DataView, before: number, after: number) => boolean;
}

export interface GroupTree {
  readonly kind: TreeKind;
  readonly group: number;
  /** How many blocks the group has. */
  readonly blockCount: number;
  readonly root: number;
  readonly levels: number;
}

/** The records of one leaf. */
export interface Leaf {
  readonly view: DataView;
  readonly count: number;
  /** Where the first stands. */
  readonly start: number;
  readonly recordBytes: number;
}

const headBytes = 16;
const sealedHeadBytes = 56;
const checksumAt = 52;
const pointerBytes = 4;
const none = 0xffffffff;

/** Told of each block of a tree, before those below it. */
export type OnBlock = (block: number) => void;

/** The leaves of a tree from left to right. Throws `damaged` where the tree contradicts itself. */
export async function* leavesOf(source: XfsSource, tree: GroupTree, onBlock?: OnBlock): AsyncGenerator<Leaf> {
  yield* new TreeWalk(source, tree, onBlock).walk();
}

class TreeWalk {
  readonly #source: XfsSource;
  readonly #tree: GroupTree;
  readonly #onBlock: OnBlock | undefined;
  readonly #what: string;
  /** On each level the block that should come next, as the one before it said. */
  readonly #expected: (number | undefined)[] = [];
  readonly #before: (number | undefined)[] = [];
  #visited = 0;
  #lastRecord: DataView | undefined;

  constructor(source: XfsSource, tree: GroupTree, onBlock: OnBlock | undefined) {
    this.#source = source;
    this.#tree = tree;
    this.#onBlock = onBlock;
    this.#what = `the ${tree.kind.name} of XFS allocation group ${tree.group}`;
  }

  async *walk(): AsyncGenerator<Leaf> {
    const { root, levels } = this.#tree;
    yield* this.#below(root, levels - 1);
    for (const right of this.#expected) {
      if (right !== undefined && right !== none) throw damaged(this.#what, `block ${right} is in no node`);
    }
  }

  async *#below(block: number, level: number): AsyncGenerator<Leaf> {
    const { kind } = this.#tree;
    const { view, count, start } = await this.#block(block, level);
    if (level === 0) {
      this.#refuseDisorder(view, start, count);
      yield { view, count, start, recordBytes: kind.recordBytes };
      return;
    }
    const capacity = Math.floor((this.#source.layout.blockBytes - start) / (kind.keyBytes + pointerBytes));
    for (let n = 0; n < count; n++) {
      yield* this.#below(view.getUint32(start + capacity * kind.keyBytes + n * pointerBytes), level - 1);
    }
  }

  async #block(block: number, level: number): Promise<{ view: DataView; count: number; start: number }> {
    const { kind, group, blockCount } = this.#tree;
    const { layout } = this.#source;
    if (block === 0 || block >= blockCount) throw damaged(this.#what, `it names block ${block} of ${blockCount}`);
    if (++this.#visited > blockCount) throw damaged(this.#what, "it leads back into itself");
    this.#onBlock?.(block);
    const bytes = await this.#source.blockOf({ group, block });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [magic, start] = layout.hasChecksums ? [kind.sealedMagic, sealedHeadBytes] : [kind.magic, headBytes];
    const where = `${this.#what}, block ${block}`;
    if (view.getUint32(0) !== magic) throw damaged(where, "there is no block of such a tree");
    if (layout.hasChecksums && !isSealed(bytes, checksumAt)) throw damaged(where, "its checksum does not match");
    const [foundLevel, count] = [view.getUint16(4), view.getUint16(6)];
    if (foundLevel !== level) throw damaged(where, `it is of level ${foundLevel} where ${level} should be`);
    const entryBytes = level === 0 ? kind.recordBytes : kind.keyBytes + pointerBytes;
    const isRoot = level === this.#tree.levels - 1;
    if (count > (layout.blockBytes - start) / entryBytes || (count === 0 && !(isRoot && level === 0))) {
      throw damaged(where, `it cannot have ${count} entries`);
    }
    this.#refuseSiblings(view, { block, level, where });
    return { view, count, start };
  }

  /** Each block of a level names the ones on both sides of it. */
  #refuseSiblings(
    view: DataView,
    { block, level, where }: { readonly block: number; readonly level: number; readonly where: string },
  ): void {
    const [left, right] = [view.getUint32(8), view.getUint32(12)];
    const before = this.#before[level] ?? none;
    const expected = this.#expected[level] ?? block;
    if (left !== before || expected !== block) throw damaged(where, "the blocks beside it are not those that it names");
    this.#before[level] = block;
    this.#expected[level] = right;
  }

  #refuseDisorder(view: DataView, start: number, count: number): void {
    const { recordBytes, isInOrder, name } = this.#tree.kind;
    const pair = new DataView(new ArrayBuffer(2 * recordBytes));
    const copy = (from: DataView, at: number, to: number): void => {
      for (let n = 0; n < recordBytes; n += 4) pair.setUint32(to + n, from.getUint32(at + n));
    };
    if (count === 0) return;
    if (this.#lastRecord !== undefined) {
      copy(this.#lastRecord, 0, 0);
      copy(view, start, recordBytes);
      if (!isInOrder(pair, 0, recordBytes)) throw damaged(this.#what, `its records are not in the order of a ${name}`);
    }
    for (let n = 1; n < count; n++) {
      const at = start + n * recordBytes;
      if (!isInOrder(view, at - recordBytes, at)) {
        throw damaged(this.#what, `its records are not in the order of a ${name}`);
      }
    }
    const last = new DataView(new ArrayBuffer(recordBytes));
    for (let n = 0; n < recordBytes; n += 4) last.setUint32(n, view.getUint32(start + (count - 1) * recordBytes + n));
    this.#lastRecord = last;
  }
}
