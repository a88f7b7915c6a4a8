import type { Problem } from "../file-system.ts";
import { error } from "./check-report.ts";
import { FreeSpaceTally } from "./free-space-tally.ts";
import { itemTypes } from "./key.ts";
import type { TreeNode } from "./node.ts";
import { extentDataRef, extentFlags, extentItem, treeBlockInfo } from "./records.ts";
import type { ReferenceLedger } from "./reference-ledger.ts";
import type { BtrfsSource } from "./source.ts";
import { leavesOf, type Tree } from "./tree.ts";
import type { Chunk } from "./chunk-map.ts";

/** Of simple quotas: who pays for an extent. It is no reference. */
const ownerReference = 172;
const inlineBytes: Readonly<Record<number, number>> = {
  [ownerReference]: 9,
  [itemTypes.treeBlockRef]: 9,
  [itemTypes.sharedBlockRef]: 9,
  [itemTypes.extentDataRef]: 1 + extentDataRef.sizeBytes,
  [itemTypes.sharedDataRef]: 13,
};

/** An extent, while its references are counted. */
interface Counting {
  readonly logical: number;
  readonly lengthBytes: number;
  readonly references: number;
  counted: number;
}

/** Goes through the tree of extents, tells the ledger of each, and sums up what each chunk gives out. */
export class ExtentCheck {
  readonly usedBytes = new Map<Chunk, number>();
  /** What is free, of chunks that anything is given out of. */
  readonly free = new Map<Chunk, FreeSpaceTally>();
  readonly #source: BtrfsSource;
  readonly #ledger: ReferenceLedger;
  #end = 0;
  #open: Counting | undefined;

  constructor(source: BtrfsSource, ledger: ReferenceLedger) {
    this.#source = source;
    this.#ledger = ledger;
  }

  async *run(tree: Tree): AsyncGenerator<Problem> {
    const everything = { from: { id: 0, type: 0, offset: 0 }, to: { id: -1, type: 255, offset: -1 } };
    for await (const { leaf, start, end } of leavesOf(this.#source, tree, everything.from, everything.to)) {
      for (let n = start; n < end; n++) yield* this.#item(leaf, n);
    }
    yield* this.#close();
    for (const tally of this.free.values()) tally.useNoMore();
  }

  *#item(leaf: TreeNode, n: number): Generator<Problem> {
    const { id, type, offset } = leaf.key(n);
    const data = leaf.data(n);
    if (type === itemTypes.extent || type === itemTypes.metadata) {
      yield* this.#close();
      yield* this.#extent(id, type === itemTypes.extent ? offset : this.#source.nodeBytes, { type, data });
    } else if (type >= itemTypes.treeBlockRef && type <= itemTypes.sharedDataRef) {
      if (this.#open?.logical === id) this.#open.counted += countIn(type, data);
      else yield error(`a reference to the extent ${id} stands where there is none`);
    }
  }

  *#extent(
    logical: number,
    lengthBytes: number,
    { type, data }: { readonly type: number; readonly data: Uint8Array },
  ): Generator<Problem> {
    const chunk = this.#source.chunks.at(logical);
    const isWithin =
      chunk !== undefined && lengthBytes > 0 && logical + lengthBytes <= chunk.logical + chunk.lengthBytes;
    if (!isWithin) {
      yield error(`the extent ${logical} of ${lengthBytes} bytes is not in a chunk`);
      return;
    }
    if (logical < this.#end) yield error(`the extent ${logical} overlaps the one before it`);
    if (lengthBytes % this.#source.sectorBytes !== 0) yield error(`the extent ${logical} does not end with a sector`);
    this.#end = logical + lengthBytes;
    this.#tallyOf(chunk).use(logical, logical + lengthBytes);
    this.usedBytes.set(chunk, (this.usedBytes.get(chunk) ?? 0) + lengthBytes);
    if (data.length < extentItem.sizeBytes) {
      yield error(`the item of the extent ${logical} is cut off`);
      return;
    }
    const { references, flags } = extentItem.decode(data);
    this.#ledger.expect(logical, lengthBytes, references);
    const hasInfo = type === itemTypes.extent && (flags & extentFlags.treeBlock) !== 0n;
    const counted = inlineCount(data, extentItem.sizeBytes + (hasInfo ? treeBlockInfo.sizeBytes : 0));
    if (counted === undefined) yield error(`the references in the item of the extent ${logical} make no sense`);
    else this.#open = { logical, lengthBytes, references, counted };
  }

  #tallyOf(chunk: Chunk): FreeSpaceTally {
    const tally = this.free.get(chunk) ?? new FreeSpaceTally(chunk);
    this.free.set(chunk, tally);
    return tally;
  }

  /** Compares the number of references of the extent that was gone through last with those that are listed. */
  *#close(): Generator<Problem> {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || open.counted === open.references) return;
    yield error(`the extent ${open.logical} has ${open.references} references, ${open.counted} are listed`);
  }
}

function inlineCount(data: Uint8Array, start: number): number | undefined {
  let count = 0;
  for (let at = start; at < data.length;) {
    const type = data[at] as number;
    const sizeBytes = inlineBytes[type];
    if (sizeBytes === undefined || at + sizeBytes > data.length) return undefined;
    if (type !== ownerReference) count += countIn(type, data.subarray(at + 1, at + sizeBytes));
    at += sizeBytes;
  }
  return count;
}

/** How many references there are in one; its count is the last of what tells of one to data. */
function countIn(type: number, data: Uint8Array): number {
  if (type !== itemTypes.extentDataRef && type !== itemTypes.sharedDataRef) return 1;
  if (data.length < 4) return 0;
  return new DataView(data.buffer, data.byteOffset, data.length).getUint32(data.length - 4, true);
}
