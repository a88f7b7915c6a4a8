import type { TreeKind } from "./group-tree.ts";

const noMagic = -1; // there are none without checksums

/** "Free Space B+trees": the same records by place and by size. */
export const bnobt: TreeKind = {
  name: "bnobt",
  magic: 0x41425442, // "ABTB"
  sealedMagic: 0x41423342,
  recordBytes: 8,
  keyBytes: 8,
  isInOrder: (view, before, after) => view.getUint32(before) + view.getUint32(before + 4) <= view.getUint32(after),
};

export const cntbt: TreeKind = {
  name: "cntbt",
  magic: 0x41425443, // "ABTC"
  sealedMagic: 0x41423343,
  recordBytes: 8,
  keyBytes: 8,
  isInOrder(view, before, after) {
    const [count, next] = [view.getUint32(before + 4), view.getUint32(after + 4)];
    return count < next || (count === next && view.getUint32(before) < view.getUint32(after));
  },
};

const chunkInodes = 64;

/** "Inode B+tree": 64 inodes to a record. */
export const inobt: TreeKind = {
  name: "inobt",
  magic: 0x49414254, // "IABT"
  sealedMagic: 0x49414233,
  recordBytes: 16,
  keyBytes: 4,
  isInOrder: (view, before, after) => view.getUint32(before) + chunkInodes <= view.getUint32(after),
};

export const finobt: TreeKind = { ...inobt, name: "finobt", magic: 0x46494254, sealedMagic: 0x46494233 };

/** "Reverse-Mapping B+tree": which owner has which blocks; keys are pairs, the lowest and the highest below. */
export const rmapbt: TreeKind = {
  name: "rmapbt",
  magic: noMagic,
  sealedMagic: 0x524d4233, // "RMB3"
  recordBytes: 24,
  keyBytes: 40,
  isInOrder(view, before, after) {
    for (const at of [0, 8, 12, 16, 20]) {
      // Of the offset only the low 54 bits, the flags of forks and trees in the highest two count.
      const mask = at === 16 ? 0xdfffffff : 0xffffffff;
      const [one, other] = [(view.getUint32(before + at) & mask) >>> 0, (view.getUint32(after + at) & mask) >>> 0];
      if (one !== other) return one < other;
    }
    return false;
  },
};

/** "Reference Count B+tree". */
export const refcountbt: TreeKind = {
  name: "refcountbt",
  magic: noMagic,
  sealedMagic: 0x52334643, // "R3FC"
  recordBytes: 12,
  keyBytes: 4,
  isInOrder: (view, before, after) => view.getUint32(before) + view.getUint32(before + 4) <= view.getUint32(after),
};
