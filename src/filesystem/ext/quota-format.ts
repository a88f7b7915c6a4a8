import { Struct, u16, u32, u64 } from "../../bytes/index.ts";

/**
 * Linux's quota files, version 1 of "v2" (linux/quota.h, fs/quota/quotaio_v2.h and quota_tree.h name the fields): blocks of
 * 1 KiB, of which the first has this head, the second is the root of a tree of four levels by the bytes of the id, from
 * the highest down, and the last level leads to blocks of entries.
 */
export const quotaHead = new Struct("ext quota head", 32, {
  magic: [0, u32],
  version: [4, u32],
  blockCount: [20, u32],
  /** The first of the blocks that are not in use. */
  freeBlock: [24, u32],
  /** The first of the blocks of entries that have room. */
  freeEntry: [28, u32],
});

/** Before the entries of a block; its neighbours in the list that it is on. */
export const quotaLeaf = new Struct("ext quota leaf", 16, {
  nextFree: [0, u32],
  previousFree: [4, u32],
  entryCount: [8, u16],
});

export const quotaEntry = new Struct("ext quota entry", 72, {
  id: [0, u32],
  inodes: [24, u64],
  spaceBytes: [48, u64],
  /** 1 in an entry that would be all zeros, which is one that is not in use. */
  inodeTime: [64, u64],
});

export const quotaBlockBytes = 1024;
export const quotaRootBlock = 1;
export const quotaTreeLevels = 4;
export const quotaVersion = 1;
export const quotaMagic = { user: 0xd9c01f11, group: 0xd9c01927 } as const;
export const quotaEntriesInLeaf = Math.floor((quotaBlockBytes - quotaLeaf.sizeBytes) / quotaEntry.sizeBytes);
