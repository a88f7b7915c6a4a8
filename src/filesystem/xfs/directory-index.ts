import { damaged } from "../damaged.ts";
import { checkHashTree } from "./check-hash-tree.ts";
import { indexStart, type ForkBlocks, type IndexBlock } from "./directory-blocks.ts";
import type { DataBlock } from "./directory-data.ts";
import type { XfsSource } from "./xfs-source.ts";

/** A name's hash, and where its entry is, in units of eight bytes; 0 where there is none any more. */
export interface IndexEntry {
  readonly hash: number;
  readonly address: number;
}

const magics = { node: [0xfebe, 0x3ebe], leaf: [0xd2f1, 0x3df1], leafOfMany: [0xd2ff, 0x3dff] } as const;
const headBytes = [16, 64] as const;
const countAt = [12, 56] as const;
const levelAt = [14, 58] as const;
const entryBytes = 8;
const tailBytes = 8;
const depthLimit = 5;
const none = 0;

/** The index in the only block of a directory. `entriesEnd` is where it begins. */
export function blockIndex({ bytes, view }: DataBlock, entriesEnd: number): IndexPart {
  return { view, start: entriesEnd, count: (bytes.length - tailBytes - entriesEnd) / entryBytes, next: none };
}

/** Entries that stand together, ascending by hash. */
export interface IndexPart {
  readonly view: DataView;
  readonly start: number;
  readonly count: number;
  /** The block with what follows, or 0. */
  readonly next: number;
}

export function entryIn({ view, start }: IndexPart, n: number): IndexEntry {
  const at = start + n * entryBytes;
  return { hash: view.getUint32(at), address: view.getUint32(at + 4) };
}

/** The first entry that is not below a hash. */
export function firstFrom(part: IndexPart, hash: number): number {
  let [low, high] = [0, part.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entryIn(part, middle).hash < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The leaf in which a hash would first stand; for 0 the first leaf. Undefined where all are lower. */
export async function leafFor(source: XfsSource, blocks: ForkBlocks, hash: number): Promise<IndexPart | undefined> {
  const kind = source.layout.hasChecksums ? 1 : 0;
  let number = indexStart(source);
  let level: number | undefined;
  for (let depth = 0; depth <= depthLimit; depth++) {
    const block = await blocks.indexBlock(number, source.layout.directoryBlockBytes);
    if (block.magic !== magics.node[kind]) {
      if (level !== undefined && level !== 1) throw damaged(blocks.what, "its index ends too early");
      return leafIn(block, kind, blocks.what);
    }
    const found = block.view.getUint16(levelAt[kind]);
    if (found === 0 || (level !== undefined && found !== level - 1)) {
      throw damaged(blocks.what, `a node of its index is of level ${found}`);
    }
    level = found;
    const node = { view: block.view, start: headBytes[kind], count: countOf(block, kind, blocks.what), next: none };
    const n = firstFrom(node, hash);
    if (n === node.count) return undefined;
    number = entryIn(node, n).address;
  }
  throw damaged(blocks.what, "its index is too deep");
}

/** The leaf that follows one. */
export async function leafAfter(
  source: XfsSource,
  blocks: ForkBlocks,
  part: IndexPart,
): Promise<IndexPart | undefined> {
  if (part.next === none) return undefined;
  const block = await blocks.indexBlock(part.next, source.layout.directoryBlockBytes);
  return leafIn(block, source.layout.hasChecksums ? 1 : 0, blocks.what);
}

function leafIn(block: IndexBlock, kind: 0 | 1, what: string): IndexPart {
  if (block.magic !== magics.leaf[kind] && block.magic !== magics.leafOfMany[kind]) {
    throw damaged(what, "there is no leaf where its index has one");
  }
  const next = block.magic === magics.leaf[kind] ? none : block.view.getUint32(0);
  return { view: block.view, start: headBytes[kind], count: countOf(block, kind, what), next };
}

function countOf({ bytes, view }: IndexBlock, kind: 0 | 1, what: string): number {
  const count = view.getUint16(countAt[kind]);
  if (headBytes[kind] + count * entryBytes <= bytes.length) return count;
  throw damaged(what, `a block of its index cannot have ${count} entries`);
}

/** Looks at all nodes and leaves of an index. Throws `damaged` where they contradict each other. */
export async function checkDirectoryIndex({ layout }: XfsSource, blocks: ForkBlocks): Promise<void> {
  const kind = layout.hasChecksums ? 1 : 0;
  await checkHashTree({
    blocks,
    root: indexStart({ layout }),
    blockBytes: layout.directoryBlockBytes,
    hasChecksums: layout.hasChecksums,
    leafStart: headBytes[kind],
    isLeaf: (magic) => magic === magics.leaf[kind] || magic === magics.leafOfMany[kind],
  });
}
