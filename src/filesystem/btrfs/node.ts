import { damaged } from "../damaged.ts";
import { compareKeyAt, compareKeys, keyText, readKey, readWide, type Key } from "./key.ts";
import { childPointer, leafItem, nodeHeader } from "./records.ts";

const headerBytes = nodeHeader.sizeBytes;
/** No tree has more levels. */
const levelLimit = 8;

/** Where a node is said to be, and what it is said to be. */
export interface NodePlace {
  readonly logical: number;
  readonly level: number;
  readonly generation: number;
  /** The first key, where that is known. */
  readonly first?: Key;
}

/** A node of a tree whose checksum was right. Items are counted from 0. */
export class TreeNode {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly logical: number;
  readonly generation: number;
  readonly owner: number;
  readonly level: number;
  readonly count: number;
  readonly #itemBytes: number;

  /** Throws `damaged` where the items of the node cannot be what they say, or are not in order. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { logical, generation, owner, level, itemCount } = nodeHeader.decode(bytes);
    this.logical = logical;
    this.generation = generation;
    this.owner = owner;
    this.level = level;
    this.count = itemCount;
    this.#itemBytes = level === 0 ? leafItem.sizeBytes : childPointer.sizeBytes;
    if (level >= levelLimit) throw this.#damaged(`it says to be on level ${level}`);
    if (itemCount > Math.floor((bytes.length - headerBytes) / this.#itemBytes)) {
      throw this.#damaged(`it cannot have ${itemCount} items`);
    }
    if (level > 0 && itemCount === 0) throw this.#damaged("it leads nowhere");
    this.#refuseDisorder();
  }

  key(n: number): Key {
    return readKey(this.view, this.#at(n));
  }

  id(n: number): number {
    return readWide(this.view, this.#at(n));
  }

  type(n: number): number {
    return this.view.getUint8(this.#at(n) + 8);
  }

  offset(n: number): number {
    return readWide(this.view, this.#at(n) + 9);
  }

  /** Below 0 where the key of an item comes before another one. */
  compare(n: number, key: Key): number {
    return compareKeyAt(this.view, this.#at(n), key);
  }

  /** Below 0 where the key of an item comes before one of another node. */
  compareWith(n: number, other: TreeNode, otherN: number): number {
    return compareKeys(this.view, this.#at(n), other.view, other.#at(otherN));
  }

  /** Of a leaf: the data of an item. It is the node's own. */
  data(n: number): Uint8Array {
    const at = this.#at(n);
    const start = headerBytes + this.view.getUint32(at + 17, true);
    return this.bytes.subarray(start, start + this.view.getUint32(at + 21, true));
  }

  /** Of a node above the leaves: where a child is. */
  child(n: number): NodePlace {
    const { key, logical, generation } = childPointer.decode(this.bytes, this.#at(n));
    return { logical, level: this.level - 1, generation, first: key };
  }

  /** The first item whose key is not before this one; `count` where there is none. */
  firstFrom(key: Key): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(n: number): number {
    return headerBytes + n * this.#itemBytes;
  }

  #refuseDisorder(): void {
    // The data of a leaf is laid down from its end on, in the order of the items.
    let end = this.bytes.length - headerBytes;
    for (let n = 0; n < this.count; n++) {
      const at = this.#at(n);
      if (n > 0 && compareKeys(this.view, at - this.#itemBytes, this.view, at) >= 0) {
        throw this.#damaged(`its item ${n}, ${keyText(this.key(n))}, is not behind the one before`);
      }
      if (this.level > 0) continue;
      const dataAt = this.view.getUint32(at + 17, true);
      if (dataAt + this.view.getUint32(at + 21, true) !== end) {
        throw this.#damaged(`the data of its item ${n} is not where it would be`);
      }
      end = dataAt;
    }
    if (this.level === 0 && end < this.count * leafItem.sizeBytes) {
      throw this.#damaged("the data of its items runs into them");
    }
  }

  #damaged(why: string): Error {
    return damaged(`the btrfs node ${this.logical}`, why);
  }
}
