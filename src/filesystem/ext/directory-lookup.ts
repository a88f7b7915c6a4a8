import { fileRuns } from "./block-runs.ts";
import { isDotName, recordsIn } from "./directory-block.ts";
import {
  indexCount,
  indexEntry,
  indexEntryBytes,
  indexLevelLimit,
  indexNodeEntriesAt,
  indexRootEntriesAt,
  indexRootInfo,
  indexRootInfoAt,
} from "./directory-entry.ts";
import { hashName, hashVersion } from "./directory-hash.ts";
import { directoryRecords } from "./directory-reader.ts";
import { nameBytesOf } from "./encrypted-name.ts";
import { hasFeature } from "./features.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";
import { flagUnsignedHash } from "./superblock.ts";

/** The inode of one name in a directory, or undefined. Goes by the index where there is a sound one. */
export async function findInDirectory(
  source: ExtSource,
  directory: ExtInode,
  name: string,
): Promise<number | undefined> {
  const wanted = nameBytesOf(name, hasFlag(directory, "encrypted"));
  if (wanted === undefined || wanted.length === 0 || isDotName(wanted)) return undefined;
  if (isIndexed(source, directory)) {
    const found = await findByIndex(source, directory, wanted);
    if (found !== "no index") return found;
  }
  return hasFlag(directory, "caseFolded")
    ? findFolded(source, directory, name)
    : findLinearly(source, directory, wanted);
}

function isIndexed(source: ExtSource, directory: ExtInode): boolean {
  return (
    hasFeature(source.layout.features, "dir_index") &&
    hasFlag(directory, "indexedDirectory") &&
    !hasFlag(directory, "inlineData") &&
    !hasFlag(directory, "caseFolded") && // the hash of a folded name needs the tables of Unicode
    directory.sizeBytes > source.layout.blockSizeBytes
  );
}

async function findLinearly(source: ExtSource, directory: ExtInode, wanted: Uint8Array): Promise<number | undefined> {
  for await (const records of directoryRecords(source, directory)) {
    const found = records.find((record) => isSame(record.name, wanted));
    if (found !== undefined) return found.inode;
  }
  return undefined;
}

/** A name that is the same but for upper and lower case; one that is wholly the same goes first. */
async function findFolded(source: ExtSource, directory: ExtInode, name: string): Promise<number | undefined> {
  const folded = foldName(name);
  let candidate: number | undefined;
  for await (const records of directoryRecords(source, directory)) {
    for (const record of records) {
      const text = Buffer.from(record.name).toString("utf8");
      if (text === name) return record.inode;
      if (foldName(text) === folded) candidate ??= record.inode;
    }
  }
  return candidate;
}

function foldName(name: string): string {
  return name.normalize("NFD").toLowerCase();
}

function isSame(name: Uint8Array, wanted: Uint8Array): boolean {
  return name.length === wanted.length && Buffer.compare(name, wanted) === 0;
}

interface IndexBlock {
  readonly block: Uint8Array;
  readonly entriesAt: number;
  readonly count: number;
}

/** "no index" where the index is not sound or of a kind that is not known. */
async function findByIndex(
  source: ExtSource,
  directory: ExtInode,
  wanted: Uint8Array,
): Promise<number | undefined | "no index"> {
  const blocks = new LogicalBlocks(source, directory);
  const rootBlock = await blocks.read(0);
  if (rootBlock === undefined) return "no index";
  const root = indexRootInfo.decode(rootBlock, indexRootInfoAt);
  const levelLimit = hasFeature(source.layout.features, "large_dir")
    ? indexLevelLimit.largeDirectory
    : indexLevelLimit.plain;
  if (root.reserved !== 0 || root.infoLength !== 8 || root.indirectLevels > levelLimit) return "no index";
  const hash = hashName(wanted, hashVersionOf(source, root.hashVersion), source.layout.record.hashSeed)?.major;
  if (hash === undefined) return "no index";

  const path: { readonly node: IndexBlock; position: number }[] = [];
  let node = indexBlockOf(rootBlock, indexRootEntriesAt);
  for (let level = 0; ; level++) {
    if (node === undefined) return "no index";
    const position = positionOf(node, hash);
    path.push({ node, position });
    if (level === root.indirectLevels) break;
    const below = await blocks.read(childOf(node, position));
    node = below === undefined ? undefined : indexBlockOf(below, indexNodeEntriesAt);
  }
  return searchLeaves(blocks, path, hash, wanted);
}

/** Names of one hash may go on in the next leaf; its first hash then has its lowest bit set. */
async function searchLeaves(
  blocks: LogicalBlocks,
  path: { node: IndexBlock; position: number }[],
  hash: number,
  wanted: Uint8Array,
): Promise<number | undefined | "no index"> {
  const leafCountLimit = blocks.count;
  for (let looked = 0; looked <= leafCountLimit; looked++) {
    const last = path.at(-1);
    if (last === undefined) return "no index";
    const leaf = await blocks.read(childOf(last.node, last.position));
    if (leaf === undefined) return "no index";
    const found = recordsIn(leaf, 0, blocks.what).find((record) => isSame(record.name, wanted));
    if (found !== undefined) return found.inode;
    const next = await stepToNextLeaf(blocks, path);
    if (next === "no index") return next;
    if (next === undefined || (next & 1) === 0 || (next & ~1) >>> 0 !== hash) return undefined;
  }
  return "no index";
}

/** Moves the path to the next leaf and gives the hash from which on it holds names; undefined after the last. */
async function stepToNextLeaf(
  blocks: LogicalBlocks,
  path: { node: IndexBlock; position: number }[],
): Promise<number | undefined | "no index"> {
  let level = path.length - 1;
  let step = path[level];
  while (step !== undefined && step.position + 1 >= step.node.count) {
    level--;
    step = path[level];
  }
  if (step === undefined) return undefined;
  step.position++;
  const hash = hashAt(step.node, step.position);
  for (let above = step; level + 1 < path.length; level++) {
    const below = await blocks.read(childOf(above.node, above.position));
    const node = below === undefined ? undefined : indexBlockOf(below, indexNodeEntriesAt);
    if (node === undefined) return "no index";
    above = { node, position: 0 };
    path[level + 1] = above;
  }
  return hash;
}

function indexBlockOf(block: Uint8Array, entriesAt: number): IndexBlock | undefined {
  const { count, limit } = indexCount.decode(block, entriesAt);
  if (count === 0 || count > limit || entriesAt + limit * indexEntryBytes > block.length) return undefined;
  return { block, entriesAt, count };
}

function hashAt(node: IndexBlock, position: number): number {
  return indexEntry.get(node.block, "hash", node.entriesAt + position * indexEntryBytes);
}

/** The lower 28 bits of an entry are a block of the directory. */
function childOf(node: IndexBlock, position: number): number {
  return indexEntry.get(node.block, "block", node.entriesAt + position * indexEntryBytes) & 0x0fffffff;
}

/** The last entry whose hash is not above this one; the first entry stands for all below the second. */
function positionOf(node: IndexBlock, hash: number): number {
  let low = 1;
  let high = node.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hashAt(node, middle) > hash) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

/** The version in the index says which hash; the superblock says whether characters are signed. */
export function hashVersionOf(source: ExtSource, version: number): number {
  const isUnsigned = (source.layout.record.flags & flagUnsignedHash) !== 0;
  return version <= hashVersion.tea && isUnsigned ? version + hashVersion.legacyUnsigned : version;
}

/** The blocks of a directory by their number in it. */
class LogicalBlocks {
  readonly what: string;
  readonly count: number;
  readonly #source: ExtSource;
  readonly #directory: ExtInode;

  constructor(source: ExtSource, directory: ExtInode) {
    this.#source = source;
    this.#directory = directory;
    this.what = `directory ${directory.id}`;
    this.count = Math.ceil(directory.sizeBytes / source.layout.blockSizeBytes);
  }

  async read(logical: number): Promise<Uint8Array | undefined> {
    if (logical >= this.count) return undefined;
    for await (const run of fileRuns(this.#source, this.#directory)) {
      if (logical < run.logical) return undefined;
      if (logical >= run.logical + run.count) continue;
      return run.isWritten ? this.#source.block(run.physical + (logical - run.logical), this.what) : undefined;
    }
    return undefined;
  }
}
