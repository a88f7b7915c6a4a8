import { indexBlockChecksum } from "./checksum.ts";
import type { DirectoryRecord } from "./directory-block.ts";
import { isDotName } from "./directory-block.ts";
import {
  directoryEntry,
  indexCount,
  indexEntry,
  indexEntryBytes,
  indexLevelLimit,
  indexNodeEntriesAt,
  indexRootEntriesAt,
  indexRootInfo,
  indexRootInfoAt,
  indexTail,
  indexTailBytes,
} from "./directory-entry.ts";
import { hashName } from "./directory-hash.ts";
import { hashVersionOf } from "./directory-lookup.ts";
import { hasFeature } from "./features.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag, seedOfInode } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";

/** What the index says of one block of the directory. */
interface Place {
  /** Levels below: 0 for a leaf. */
  readonly level: number;
  /** The hashes that belong there, the last one not. */
  readonly from: number;
  readonly to: number;
}

const hashEnd = 2 ** 32;

/**
 * Checks the index of a directory while its blocks come by in order. Blocks that come before the one that
 * names them are looked at again in the end.
 */
export class IndexCheck {
  readonly #source: ExtSource;
  readonly #directory: ExtInode;
  readonly #error: (why: string) => void;
  readonly #places = new Map<number, Place>();
  /** Lowest and highest hash of the names in each leaf that has come by. */
  readonly #leaves = new Map<number, { readonly lowest: number; readonly highest: number }>();
  /** Index blocks by their form; which of them are, the index tells. */
  readonly #seenNodes = new Map<number, Uint8Array>();
  #hashVersion = 0;
  #canHash = true;

  private constructor(source: ExtSource, directory: ExtInode, onError: (why: string) => void) {
    this.#source = source;
    this.#directory = directory;
    this.#error = onError;
  }

  /** Undefined for a directory without an index. */
  static of(source: ExtSource, directory: ExtInode, onError: (why: string) => void): IndexCheck | undefined {
    if (!hasFlag(directory, "indexedDirectory")) return undefined;
    if (!hasFeature(source.layout.features, "dir_index")) {
      onError("it has an index, and the file system has none");
      return undefined;
    }
    return new IndexCheck(source, directory, onError);
  }

  /** Whether this block is a part of the index and no leaf. */
  takeIndexBlock(logical: number, block: Uint8Array): boolean {
    if (logical === 0) {
      this.#takeRoot(block);
      return true;
    }
    const place = this.#places.get(logical);
    if (place !== undefined && place.level === 0) return false;
    if (!looksLikeNode(block)) return false;
    if (place === undefined) this.#seenNodes.set(logical, block);
    else this.#takeNode(block, indexNodeEntriesAt, place, logical);
    return true;
  }

  takeLeaf(logical: number, records: readonly DirectoryRecord[]): void {
    if (!this.#canHash) return;
    let lowest = hashEnd;
    let highest = -1;
    for (const { name } of records) {
      if (isDotName(name)) continue;
      const hash = hashName(name, this.#hashVersion, this.#source.layout.record.hashSeed)?.major;
      if (hash === undefined) return;
      lowest = Math.min(lowest, hash);
      highest = Math.max(highest, hash);
    }
    this.#leaves.set(logical, { lowest, highest });
  }

  /** Told how many blocks there were. */
  finish(blockCount: number): void {
    for (const [logical, block] of this.#seenNodes) {
      const place = this.#places.get(logical);
      if (place !== undefined && place.level > 0) this.#takeNode(block, indexNodeEntriesAt, place, logical);
    }
    for (const [logical, place] of this.#places) {
      if (logical >= blockCount) this.#error(`its index names block ${logical} of ${blockCount}`);
      const leaf = this.#leaves.get(logical);
      if (leaf === undefined || place.level > 0 || leaf.highest < 0) continue;
      if (leaf.lowest < (place.from & ~1) >>> 0 || leaf.highest > place.to) {
        this.#error(`the names in its block ${logical} do not belong there by its index`);
      }
    }
    for (let logical = 1; logical < blockCount; logical++) {
      if (!this.#places.has(logical)) this.#error(`its index does not name block ${logical}`);
    }
  }

  #takeRoot(block: Uint8Array): void {
    const root = indexRootInfo.decode(block, indexRootInfoAt);
    const isLarge = hasFeature(this.#source.layout.features, "large_dir");
    const levelLimit = isLarge ? indexLevelLimit.largeDirectory : indexLevelLimit.plain;
    if (root.reserved !== 0 || root.infoLength !== indexRootInfo.sizeBytes || root.indirectLevels > levelLimit) {
      this.#error("the root of its index is broken");
      return;
    }
    this.#hashVersion = hashVersionOf(this.#source, root.hashVersion);
    const isFolded = hasFlag(this.#directory, "caseFolded");
    this.#canHash = !isFolded && hashName(new Uint8Array(1), this.#hashVersion, [0, 0, 0, 0]) !== undefined;
    if (!this.#canHash && !isFolded) this.#error(`its index uses the unknown hash ${root.hashVersion}`);
    this.#takeNode(block, indexRootEntriesAt, { level: root.indirectLevels + 1, from: 0, to: hashEnd }, 0);
  }

  #takeNode(block: Uint8Array, entriesAt: number, place: Place, logical: number): void {
    const { count, limit } = indexCount.decode(block, entriesAt);
    const tailBytes = this.#source.layout.hasChecksums ? indexTailBytes : 0;
    if (
      limit !== Math.floor((block.length - entriesAt - tailBytes) / indexEntryBytes) ||
      count === 0 ||
      count > limit
    ) {
      this.#error(`block ${logical} of its index has ${count} entries of ${limit}`);
      return;
    }
    this.#checkChecksum(block, entriesAt, { count, limit }, logical);
    const hashOf = (n: number) =>
      n === 0 ? place.from : indexEntry.get(block, "hash", entriesAt + n * indexEntryBytes);
    for (let n = 0; n < count; n++) {
      const child = indexEntry.get(block, "block", entriesAt + n * indexEntryBytes) & 0x0fffffff;
      const from = hashOf(n);
      const to = n + 1 < count ? hashOf(n + 1) : place.to;
      if (from > to || from < place.from) this.#error(`block ${logical} of its index is out of order`);
      if (this.#places.has(child) || child === 0) this.#error(`its index names block ${child} twice`);
      else this.#places.set(child, { level: place.level - 1, from, to });
    }
  }

  #checkChecksum(
    block: Uint8Array,
    entriesAt: number,
    { count, limit }: { readonly count: number; readonly limit: number },
    logical: number,
  ): void {
    if (!this.#source.layout.hasChecksums) return;
    const seed = seedOfInode(this.#source.layout, this.#directory);
    const stored = indexTail.get(block, "checksum", entriesAt + limit * indexEntryBytes);
    if (indexBlockChecksum(block, entriesAt, count, limit, seed) !== stored) {
      this.#error(`the checksum of block ${logical} of its index is wrong`);
    }
  }
}

/** An inner block of an index hides behind one empty entry over the whole block. */
function looksLikeNode(block: Uint8Array): boolean {
  const { inode, recordLength, nameLength } = directoryEntry.decode(block);
  return (
    inode === 0 && nameLength === 0 && (recordLength === block.length || recordLength === 65535 || recordLength === 0)
  );
}
