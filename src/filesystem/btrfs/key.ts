import type { FieldType } from "../../bytes/index.ts";

/**
 * The key of an item. The upper half of 64 bits stands for negative numbers (tree −9, the last offset −1): these come as
 * such, and are in order behind all others. Hashes of 64 bits are rounded, so they are only compared where they stand.
 */
export interface Key {
  readonly id: number;
  readonly type: number;
  readonly offset: number;
}

export const keyBytes = 17;
const typeAt = 8;
const offsetAt = 9;
const upperHalf = 2 ** 31;

/** 64 bits of which the upper half is negative. */
export const wide64: FieldType<number> = {
  sizeBytes: 8,
  decode: readWide,
  encode(view, at, value) {
    view.setBigInt64(at, BigInt(value), true);
  },
};

export function readWide(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return (high < upperHalf ? high : high - 2 ** 32) * 2 ** 32 + view.getUint32(at, true);
}

export function readKey(view: DataView, at: number): Key {
  return { id: readWide(view, at), type: view.getUint8(at + typeAt), offset: readWide(view, at + offsetAt) };
}

/** A key as a field of a record. */
export const keyField: FieldType<Key> = {
  sizeBytes: keyBytes,
  decode: readKey,
  encode(view, at, { id, type, offset }) {
    wide64.encode(view, at, id);
    view.setUint8(at + typeAt, type);
    wide64.encode(view, at + offsetAt, offset);
  },
};

/** Below 0 where the key that stands at a place comes before another one, above 0 where it comes after it. */
export function compareKeyAt(view: DataView, at: number, key: Key): number {
  return (
    compareWideAt(view, at, key.id) ||
    view.getUint8(at + typeAt) - key.type ||
    compareWideAt(view, at + offsetAt, key.offset)
  );
}

function compareWideAt(view: DataView, at: number, value: number): number {
  return view.getUint32(at + 4, true) - (Math.floor(value / 2 ** 32) >>> 0) || view.getUint32(at, true) - (value >>> 0);
}

/** The same of two keys that both stand somewhere. */
export function compareKeys(a: DataView, atA: number, b: DataView, atB: number): number {
  return (
    a.getUint32(atA + 4, true) - b.getUint32(atB + 4, true) ||
    a.getUint32(atA, true) - b.getUint32(atB, true) ||
    a.getUint8(atA + typeAt) - b.getUint8(atB + typeAt) ||
    a.getUint32(atA + offsetAt + 4, true) - b.getUint32(atB + offsetAt + 4, true) ||
    a.getUint32(atA + offsetAt, true) - b.getUint32(atB + offsetAt, true)
  );
}

export function keyText({ id, type, offset }: Key): string {
  return `(${id} ${type} ${offset})`;
}

/** Types of items (linux/btrfs_tree.h). */
export const itemTypes = {
  inode: 1,
  inodeRef: 12,
  inodeExtref: 13,
  xattr: 24,
  orphan: 48,
  dirItem: 84,
  dirIndex: 96,
  extentData: 108,
  extentCsum: 128,
  rootItem: 132,
  rootBackref: 144,
  rootRef: 156,
  extent: 168,
  metadata: 169,
  treeBlockRef: 176,
  extentDataRef: 178,
  sharedBlockRef: 182,
  sharedDataRef: 184,
  blockGroup: 192,
  freeSpaceInfo: 198,
  freeSpaceExtent: 199,
  freeSpaceBitmap: 200,
  deviceExtent: 204,
  device: 216,
  chunk: 228,
} as const;

/** Trees, and other things that have ids like them. */
export const ids = {
  rootTree: 1,
  extentTree: 2,
  chunkTree: 3,
  deviceTree: 4,
  topLevel: 5,
  rootTreeDirectory: 6,
  csumTree: 7,
  freeSpaceTree: 10,
  blockGroupTree: 11,
  logTree: -6,
  relocationTree: -8,
  dataRelocationTree: -9,
  checksums: -10,
  firstChunks: 256,
  firstFile: 256,
  lastFile: -256,
} as const;

/** The last offset of a key, and the last type. */
export const last = { offset: -1, type: 255 } as const;
