import type { TreeKind } from "./group-tree.ts";

/** "Free Space B+trees": by place. */
export const bnobt: TreeKind = {
  name: "bnobt",
  magic: 0x41425442, // "ABTB"
  sealedMagic: 0x41423342,
  recordBytes: 8,
  keyBytes: 8,
  isInOrder: (view, before, after) => view.getUint32(before) + view.getUint32(before + 4) <= view.getUint32(after),
};
