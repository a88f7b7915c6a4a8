import { indexBlockChecksum } from "../checksum.ts";
import {
  directoryEntry,
  indexCount,
  indexEntry,
  indexEntryBytes,
  indexNodeEntriesAt,
  indexRootEntriesAt,
  indexRootInfo,
  indexRootInfoAt,
  indexTail,
  indexTailBytes,
} from "../directory-entry.ts";
import { damaged } from "../../damaged.ts";

/** A block of a directory's index: its root or an inner node, looked at or changed in place. */
export class IndexNode {
  readonly bytes: Uint8Array;
  readonly #entriesAt: number;
  readonly #what: string;

  constructor(bytes: Uint8Array, options: { readonly isRoot: boolean; readonly what: string }) {
    this.bytes = bytes;
    this.#entriesAt = options.isRoot ? indexRootEntriesAt : indexNodeEntriesAt;
    this.#what = options.what;
  }

  /** Turns a block of zeros into an inner node without entries. */
  static make(bytes: Uint8Array, options: { readonly hasTail: boolean; readonly what: string }): IndexNode {
    const recordLength = bytes.length >= 65536 ? 65535 : bytes.length;
    directoryEntry.patch(bytes, { inode: 0, recordLength, nameLength: 0, fileType: 0 });
    const room = bytes.length - indexNodeEntriesAt - (options.hasTail ? indexTailBytes : 0);
    indexCount.patch(bytes, { limit: Math.floor(room / indexEntryBytes), count: 0 }, indexNodeEntriesAt);
    return new IndexNode(bytes, { isRoot: false, what: options.what });
  }

  /** Turns a block of zeros that has `.` and `..` into the root of an index with one leaf. */
  static makeRoot(
    bytes: Uint8Array,
    options: { readonly hasTail: boolean; readonly what: string; readonly hashVersion: number; readonly leaf: number },
  ): IndexNode {
    const info = { hashVersion: options.hashVersion, infoLength: indexRootInfo.sizeBytes, indirectLevels: 0 };
    indexRootInfo.patch(bytes, { reserved: 0, ...info, unusedFlags: 0 }, indexRootInfoAt);
    const room = bytes.length - indexRootEntriesAt - (options.hasTail ? indexTailBytes : 0);
    const count = { limit: Math.floor(room / indexEntryBytes), count: 1, block: options.leaf };
    indexCount.patch(bytes, count, indexRootEntriesAt);
    return new IndexNode(bytes, { isRoot: true, what: options.what });
  }

  get count(): number {
    const { count, limit } = indexCount.decode(this.bytes, this.#entriesAt);
    if (count === 0 || count > limit || this.#entriesAt + limit * indexEntryBytes > this.bytes.length) {
      throw damaged(this.#what, "a block of its index is broken");
    }
    return count;
  }

  get limit(): number {
    return indexCount.get(this.bytes, "limit", this.#entriesAt);
  }

  get isFull(): boolean {
    return this.count >= this.limit;
  }

  /** The block of the directory that an entry leads to, in its lower 28 bits. */
  childAt(position: number): number {
    return indexEntry.get(this.bytes, "block", this.#at(position)) & 0x0fffffff;
  }

  /** The hash from which on an entry holds names; that of the first entry is the least by meaning. */
  hashAt(position: number): number {
    return position === 0 ? 0 : indexEntry.get(this.bytes, "hash", this.#at(position));
  }

  /** The last entry whose hash is not above this one. */
  positionOf(hash: number): number {
    let low = 1;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.hashAt(middle) > hash) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  insertAfter(position: number, hash: number, block: number): void {
    const { count } = this;
    const from = this.#at(position + 1);
    this.bytes.copyWithin(from + indexEntryBytes, from, this.#at(count));
    indexEntry.patch(this.bytes, { hash, block }, from);
    this.#setCount(count + 1);
  }

  /** Moves the entries from `position` on into an empty node; gives the hash with which it then begins. */
  moveTo(node: IndexNode, position: number): number {
    const { count } = this;
    const { limit } = node;
    const hash = this.hashAt(position);
    const moved = this.bytes.subarray(this.#at(position), this.#at(count));
    node.bytes.set(moved, node.#entriesAt);
    // Count and limit stand in place of the first entry's hash.
    const head = { limit, count: count - position, block: this.childAt(position) };
    indexCount.patch(node.bytes, head, node.#entriesAt);
    this.bytes.fill(0, this.#at(Math.max(position, 1)), this.#at(count));
    this.#setCount(position);
    return hash;
  }

  /** Lets the root have one entry, which leads to `block`. */
  leadTo(block: number): void {
    indexCount.patch(this.bytes, { count: 1, block }, this.#entriesAt);
  }

  /** Makes the checksum right; only where the file system has them. */
  seal(seed: number): void {
    const { count, limit } = this;
    const checksum = indexBlockChecksum(this.bytes, this.#entriesAt, count, limit, seed);
    indexTail.patch(this.bytes, { checksum }, this.#at(limit));
  }

  #setCount(count: number): void {
    indexCount.patch(this.bytes, { count }, this.#entriesAt);
  }

  #at(position: number): number {
    return this.#entriesAt + position * indexEntryBytes;
  }
}
