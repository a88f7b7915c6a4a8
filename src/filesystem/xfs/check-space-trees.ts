import { damaged } from "../damaged.ts";
import { claimBlocks, conflictText, linearOf, type CheckState } from "./check-state.ts";
import { readFreeList, readFreeSpaceHeader, refuseRoot, type FreeSpaceHeader } from "./group-headers.ts";
import { leavesOf, type GroupTree, type TreeKind } from "./group-tree.ts";
import { bnobt, cntbt, refcountbt, rmapbt } from "./tree-kinds.ts";

/** A file is being rewritten whose new blocks are kept apart: in the tree of references, with this bit. */
const keptApart = 0x80000000;

/** Reads what a group says of its blocks: marks the free ones and those of its own structures. */
export async function checkSpaceTrees(state: CheckState, group: number): Promise<void> {
  const { reader, layout } = state.source;
  claimHeaders(state, group);
  const isSound = await state.report.attempt(async () => {
    const header = await readFreeSpaceHeader(reader, layout.superblock, group);
    await new SpaceTreeCheck(state, group, header).run();
  });
  if (!isSound) state.unknownGroups.add(group);
}

/** The four sectors at the beginning of a group, and what the trees of inodes take. */
function claimHeaders(state: CheckState, group: number): void {
  const { blockBytes, superblock } = state.source.layout;
  const count = Math.ceil((4 * superblock.sectorBytes) / blockBytes);
  claimBlocks(state, linearOf(state, { group, block: 0 }), count, `the header of group ${group}`);
  for (const block of state.inodeTreeBlocks.get(group) ?? []) {
    claimBlocks(state, linearOf(state, { group, block }), 1, `the tree of inodes of group ${group}`);
  }
}

/** What can be told of a set of stretches whatever their order. */
interface Sum {
  readonly count: number;
  readonly blocks: number;
  readonly longest: number;
  readonly mixed: number;
}

class SpaceTreeCheck {
  readonly #state: CheckState;
  readonly #group: number;
  readonly #header: FreeSpaceHeader;
  readonly #what: string;

  constructor(state: CheckState, group: number, header: FreeSpaceHeader) {
    this.#state = state;
    this.#group = group;
    this.#header = header;
    this.#what = `the free space of XFS allocation group ${group}`;
  }

  async run(): Promise<void> {
    const { report, source, totals } = this.#state;
    const { roots, levels, freeBlocks, longest, listCount, treeBlocks } = this.#header;
    const byPlace = await this.#freeStretches(bnobt, roots[0], levels[0]);
    totals.freeBlocks += byPlace.blocks + listCount + treeBlocks;
    if (byPlace.blocks !== freeBlocks || byPlace.longest !== longest) {
      report.error(
        `${this.#what}: ${freeBlocks} blocks, at most ${longest} together, are said to be free, and ${byPlace.blocks} are, at most ${byPlace.longest}`,
      );
    }
    await report.attempt(async () => {
      const bySize = await this.#freeStretches(cntbt, roots[1], levels[1]);
      const isSame = bySize.count === byPlace.count && bySize.mixed === byPlace.mixed;
      if (!isSame) report.error(`${this.#what}: its two trees do not agree`);
    });
    await report.attempt(() => this.#claimList());
    if (source.layout.hasReferenceTree) await report.attempt(() => this.#readReferences());
    if (source.layout.hasOwnerTree) await report.attempt(() => this.#readOwners());
  }

  /** The leaves of a tree, whose blocks it takes. */
  #leaves(kind: TreeKind, root = 0, levels = 0): ReturnType<typeof leavesOf> {
    const { blockCount } = this.#header;
    refuseRoot(`the ${kind.name} of group ${this.#group}`, blockCount, { root, levels });
    const tree: GroupTree = { kind, group: this.#group, blockCount, root, levels };
    return leavesOf(this.#state.source, tree, (block) => this.#claim(block, 1, `the ${kind.name}`));
  }

  #claim(block: number, count: number, what: string): void {
    const start = linearOf(this.#state, { group: this.#group, block });
    claimBlocks(this.#state, start, count, `${what} of group ${this.#group}`);
  }

  #refuseOutside(what: string, start: number, count: number): void {
    if (count > 0 && start + count <= this.#header.blockCount) return;
    throw damaged(this.#what, `${count} blocks from ${start} on ${what}, of ${this.#header.blockCount}`);
  }

  /** Marks what is free, by the tree that is in the order of places, and sums either up. */
  async #freeStretches(kind: TreeKind, root?: number, levels?: number): Promise<Sum> {
    const { blocks, report } = this.#state;
    const sum = { count: 0, blocks: 0, longest: 0, mixed: 0 };
    for await (const leaf of this.#leaves(kind, root, levels)) {
      for (let n = 0; n < leaf.count; n++) {
        const at = leaf.start + n * leaf.recordBytes;
        const [start, count] = [leaf.view.getUint32(at), leaf.view.getUint32(at + 4)];
        this.#refuseOutside("are said to be free", start, count);
        sum.count++;
        sum.blocks += count;
        sum.longest = Math.max(sum.longest, count);
        sum.mixed = (sum.mixed + Math.imul(start ^ 0x9e3779b9, Math.imul(count, 0x85ebca6b) | 1)) >>> 0;
        if (kind !== bnobt) continue;
        const conflict = blocks.markFree(linearOf(this.#state, { group: this.#group, block: start }), count);
        if (conflict !== undefined) report.error(`${this.#what} has ${conflictText(this.#state, conflict)}`);
      }
    }
    return sum;
  }

  async #claimList(): Promise<void> {
    const { reader, layout } = this.#state.source;
    const list = await readFreeList(reader, layout.superblock, this.#header);
    for (const block of list) this.#claim(block, 1, "the free list");
  }

  async #readReferences(): Promise<void> {
    const { referenceRoot, referenceLevels } = this.#header;
    for await (const leaf of this.#leaves(refcountbt, referenceRoot, referenceLevels)) {
      for (let n = 0; n < leaf.count; n++) {
        const at = leaf.start + n * leaf.recordBytes;
        const [word, count] = [leaf.view.getUint32(at), leaf.view.getUint32(at + 4)];
        const isApart = word >= keptApart;
        const start = isApart ? word - keptApart : word;
        this.#refuseOutside("have references", start, count);
        const references = leaf.view.getUint32(at + 8);
        if (isApart ? references !== 1 : references < 2) {
          throw damaged(this.#what, `block ${start} cannot have ${references} references`);
        }
        if (isApart) this.#claim(start, count, "a file being rewritten");
        else
          this.#state.blocks.markShared(linearOf(this.#state, { group: this.#group, block: start }), count, references);
      }
    }
  }

  /** What has an owner is not free. */
  async #readOwners(): Promise<void> {
    const { roots, levels } = this.#header;
    for await (const leaf of this.#leaves(rmapbt, roots[2], levels[2])) {
      for (let n = 0; n < leaf.count; n++) {
        const at = leaf.start + n * leaf.recordBytes;
        const [start, count] = [leaf.view.getUint32(at), leaf.view.getUint32(at + 4)];
        this.#refuseOutside("have an owner", start, count);
        const free = this.#state.blocks.firstFree(linearOf(this.#state, { group: this.#group, block: start }), count);
        if (free >= 0) {
          const text = conflictText(this.#state, { block: free, isFree: true });
          this.#state.report.error(`${this.#what}: an owner has ${text}`);
        }
      }
    }
  }
}
