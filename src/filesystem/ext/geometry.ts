import { Failure } from "../../base/index.ts";
import type { ExtProfile } from "./profile.ts";

/** Where everything of a file system stands, before anything is in it. All places are block numbers. */
export interface ExtGeometry {
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly groupCount: number;
  readonly inodesPerGroup: number;
  readonly inodeCount: number;
  readonly inodeTableBlocks: number;
  readonly descriptorSizeBytes: number;
  readonly descriptorBlocks: number;
  readonly reservedGdtBlocks: number;
  readonly groupsPerFlex: number;
  readonly journalBlocks: number;
  /** One a group. */
  readonly blockBitmaps: Float64Array;
  readonly inodeBitmaps: Float64Array;
  readonly inodeTables: Float64Array;
  /** Blocks that are free before anything is put in, the journal's included. */
  readonly freeBlocks: number;
}

const growFactor = 1024;
const groupsPerFlexDefault = 16;
/** A last group with fewer blocks to spare than this is not worth having. */
const lastGroupMinimumBlocks = 50;
const smallestBlocks = 64;

/** Plans a file system of at most `sizeBytes`. Throws a `no-space` failure where its own structures do not fit. */
export function planGeometry(profile: ExtProfile, sizeBytes: number): ExtGeometry {
  const blockSizeBytes = profile.blockSizeBytes;
  const blockCount = Math.floor(sizeBytes / blockSizeBytes);
  if (blockCount < smallestBlocks) throw tooSmall(profile, sizeBytes);
  if (blockCount > 2 ** 32 && !profile.features.has("64bit")) {
    throw new Failure("unsupported", `cannot make ${profile.kind} of ${sizeBytes} bytes: it holds 2^32 blocks`, {
      hint: "use ext4, or larger blocks",
    });
  }
  const geometry = geometryOf(profile, blockCount);
  const rest = (blockCount - geometry.firstDataBlock) % geometry.blocksPerGroup;
  if (rest === 0 || rest >= lastGroupOverhead(profile, geometry) + lastGroupMinimumBlocks) {
    return place(profile, geometry, sizeBytes);
  }
  if (geometry.groupCount === 1) throw tooSmall(profile, sizeBytes);
  return place(profile, geometryOf(profile, blockCount - rest), sizeBytes);
}

type Sizes = Omit<ExtGeometry, "blockBitmaps" | "inodeBitmaps" | "inodeTables" | "freeBlocks">;

function geometryOf(profile: ExtProfile, blockCount: number): Sizes {
  const { blockSizeBytes, features } = profile;
  const firstDataBlock = blockSizeBytes === 1024 ? 1 : 0;
  const blocksPerGroup = blockSizeBytes * 8;
  const groupCount = Math.ceil((blockCount - firstDataBlock) / blocksPerGroup);
  const descriptorSizeBytes = features.has("64bit") ? 64 : 32;
  const descriptorsPerBlock = blockSizeBytes / descriptorSizeBytes;
  const descriptorBlocks = Math.ceil(groupCount / descriptorsPerBlock);

  const inodesPerBlock = blockSizeBytes / profile.inodeSizeBytes;
  const wanted = profile.inodeCount ?? Math.floor((blockCount * blockSizeBytes) / profile.inodeRatioBytes);
  const atLeast = Math.max(16, Math.ceil(Math.min(wanted, 2 ** 32 - 1) / groupCount));
  const step = Math.max(8, inodesPerBlock);
  const limit = Math.min(blocksPerGroup, Math.floor((2 ** 32 - 1) / groupCount)) & ~(step - 1);
  const inodesPerGroup = Math.min(Math.ceil(atLeast / step) * step, limit);

  return {
    blockSizeBytes,
    blockCount,
    firstDataBlock,
    blocksPerGroup,
    groupCount,
    inodesPerGroup,
    inodeCount: inodesPerGroup * groupCount,
    inodeTableBlocks: inodesPerGroup / inodesPerBlock,
    descriptorSizeBytes,
    descriptorBlocks,
    reservedGdtBlocks: reservedGdtBlocks(profile, blockCount, { firstDataBlock, blocksPerGroup, descriptorBlocks }),
    groupsPerFlex: features.has("flex_bg") ? groupsPerFlexDefault : 1,
    journalBlocks: journalBlocks(profile, blockCount),
  };
}

/** Room behind the group descriptors, so that a mounted file system can grow to 1024 times its size. */
function reservedGdtBlocks(
  profile: ExtProfile,
  blockCount: number,
  sizes: { readonly firstDataBlock: number; readonly blocksPerGroup: number; readonly descriptorBlocks: number },
): number {
  if (!profile.features.has("resize_inode") || blockCount > 2 ** 32) return 0;
  const descriptorsPerBlock = profile.blockSizeBytes / (profile.features.has("64bit") ? 64 : 32);
  const mostBlocks = Math.min(blockCount * growFactor, 2 ** 32 - 1);
  const mostGroups = Math.ceil((mostBlocks - sizes.firstDataBlock) / sizes.blocksPerGroup);
  const more = Math.ceil(mostGroups / descriptorsPerBlock) - sizes.descriptorBlocks;
  return Math.max(0, Math.min(more, profile.blockSizeBytes / 4));
}

/** Below the first size a file system is too small for a journal; then `[below blocks, journal blocks]`. */
const journalSteps: readonly (readonly [number, number])[] = [
  [2048, 0],
  [32768, 1024],
  [256 * 1024, 4096],
  [512 * 1024, 8192],
  [4096 * 1024, 16384],
  [8192 * 1024, 32768],
  [16384 * 1024, 65536],
  [32768 * 1024, 131072],
];
const largestJournalBlocks = 262144;
const smallestJournalBlocks = 1024;

function journalBlocks(profile: ExtProfile, blockCount: number): number {
  if (!profile.features.has("has_journal")) return 0;
  if (profile.journalBytes === undefined) {
    return journalSteps.find(([below]) => blockCount < below)?.[1] ?? largestJournalBlocks;
  }
  const blocks = Math.floor(profile.journalBytes / profile.blockSizeBytes);
  if (blocks < smallestJournalBlocks || blocks > blockCount / 2) {
    throw new Failure(
      "usage",
      `cannot make a journal of ${profile.journalBytes} bytes: it has at least ${smallestJournalBlocks} blocks and at most half the file system`,
    );
  }
  return blocks;
}

/** Whether a group begins with a copy of the superblock and of the descriptors. */
export function hasSuperblock(group: number, isSparse: boolean): boolean {
  if (group <= 1 || !isSparse) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

/** Blocks at the start of a group that hold the copies of the superblock and the descriptors. */
export function superblockRunLength(
  geometry: Pick<ExtGeometry, "descriptorBlocks" | "reservedGdtBlocks">,
  group: number,
  isSparse: boolean,
): number {
  return hasSuperblock(group, isSparse) ? 1 + geometry.descriptorBlocks + geometry.reservedGdtBlocks : 0;
}

export function groupStart(geometry: Pick<ExtGeometry, "firstDataBlock" | "blocksPerGroup">, group: number): number {
  return geometry.firstDataBlock + group * geometry.blocksPerGroup;
}

export function groupLength(
  geometry: Pick<ExtGeometry, "firstDataBlock" | "blocksPerGroup" | "blockCount">,
  group: number,
): number {
  return Math.min(geometry.blocksPerGroup, geometry.blockCount - groupStart(geometry, group));
}

function lastGroupOverhead(profile: ExtProfile, sizes: Sizes): number {
  const copies = superblockRunLength(sizes, sizes.groupCount - 1, profile.features.has("sparse_super"));
  return copies + 2 + sizes.inodeTableBlocks;
}

/**
 * Gives the bitmaps and inode tables their places: at the start of each group, or with `flex_bg` those of 16
 * groups together at the start of the first of them, spilling over into the next where they do not fit.
 */
function place(profile: ExtProfile, sizes: Sizes, sizeBytes: number): ExtGeometry {
  const isSparse = profile.features.has("sparse_super");
  const blockBitmaps = new Float64Array(sizes.groupCount);
  const inodeBitmaps = new Float64Array(sizes.groupCount);
  const inodeTables = new Float64Array(sizes.groupCount);
  let overhead = 0;
  for (let first = 0; first < sizes.groupCount; first += sizes.groupsPerFlex) {
    const end = Math.min(first + sizes.groupsPerFlex, sizes.groupCount);
    const places = new FlexPlaces(sizes, isSparse, first, end);
    const parts = [
      [blockBitmaps, 1],
      [inodeBitmaps, 1],
      [inodeTables, sizes.inodeTableBlocks],
    ] as const;
    for (const [where, blocks] of parts) {
      for (let group = first; group < end; group++) {
        const at = places.take(blocks);
        if (at === undefined) throw tooSmall(profile, sizeBytes);
        where[group] = at;
      }
    }
    for (let group = first; group < end; group++) {
      overhead += superblockRunLength(sizes, group, isSparse) + 2 + sizes.inodeTableBlocks;
    }
  }
  const freeBlocks = sizes.blockCount - sizes.firstDataBlock - overhead;
  return { ...sizes, blockBitmaps, inodeBitmaps, inodeTables, freeBlocks };
}

/** Hands out places within the groups `[first, end)`, around the copies of the superblock. */
class FlexPlaces {
  readonly #sizes: Sizes;
  readonly #isSparse: boolean;
  readonly #end: number;
  #group: number;
  #next: number;

  constructor(sizes: Sizes, isSparse: boolean, first: number, end: number) {
    this.#sizes = sizes;
    this.#isSparse = isSparse;
    this.#end = end;
    this.#group = first;
    this.#next = groupStart(sizes, first) + superblockRunLength(sizes, first, isSparse);
  }

  take(blocks: number): number | undefined {
    const { blocksPerGroup, blockCount } = this.#sizes;
    for (;;) {
      const groupEnd = Math.min(groupStart(this.#sizes, this.#group) + blocksPerGroup, blockCount);
      if (this.#next + blocks <= groupEnd || this.#canRunOn(blocks)) {
        const at = this.#next;
        this.#next += blocks;
        while (this.#group + 1 < this.#end && this.#next >= groupStart(this.#sizes, this.#group + 1)) this.#group++;
        return at;
      }
      this.#group++;
      if (this.#group >= this.#end) return undefined;
      this.#next = groupStart(this.#sizes, this.#group) + superblockRunLength(this.#sizes, this.#group, this.#isSparse);
    }
  }

  /** Whether `blocks` blocks may cross into the next groups, where no superblock is in the way. */
  #canRunOn(blocks: number): boolean {
    const last = this.#next + blocks - 1;
    if (last >= this.#sizes.blockCount) return false;
    const lastGroup = Math.floor((last - this.#sizes.firstDataBlock) / this.#sizes.blocksPerGroup);
    if (lastGroup >= this.#end) return false;
    for (let group = this.#group + 1; group <= lastGroup; group++) {
      if (hasSuperblock(group, this.#isSparse)) return false;
    }
    return true;
  }
}

function tooSmall(profile: ExtProfile, sizeBytes: number): Failure {
  return new Failure("no-space", `cannot make ${profile.kind} of ${sizeBytes} bytes: its own structures need more`, {
    hint: "give it more space, smaller blocks or fewer inodes",
  });
}
