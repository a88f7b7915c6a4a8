import type { CreateDiskRequest } from "../../src/disk/index.ts";

/** What tests ask for when they make a disk, but for its place, its size, and what they are about. */
export const plainDisk = {
  table: "mbr",
  layout: "aligned",
  partitions: [],
  from: [],
  force: false,
  preallocate: false,
  nowMs: 1_700_000_000_000,
} as const satisfies Partial<CreateDiskRequest>;
