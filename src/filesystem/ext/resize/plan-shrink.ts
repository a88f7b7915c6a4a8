import { Failure } from "../../../base/index.ts";
import { groupBlockCount, groupStart, leadingMetadataBlocks } from "../backup-groups.ts";
import { hasFeature } from "../features.ts";
import { layoutOf, type ExtLayout } from "../layout.ts";
import { superblock } from "../superblock.ts";
import { movesCopyWithoutJournal } from "./plan-growth.ts";
import { bitmapsOf, type Survey } from "./survey.ts";

/** A file system before and after it shrinks. */
export interface ShrinkPlan {
  readonly before: ExtLayout;
  readonly after: ExtLayout;
  /** The superblock as it will be, but for the counts of what is free and its checksum. */
  readonly superblock: Uint8Array;
  /** Blocks of files that have to be moved. */
  readonly dataBlocks: number;
  readonly movesJournal: boolean;
}

/** Room that is left for the maps of what is moved, which may come to stand in more pieces. */
const spareBlocks = 64;
const sparePart = 50;
/** As much of the journal is moved even where it might stay. */
const headBlocks = 1024;
const lastGroupMinimumBlocks = 50;
const numbers32 = 2 ** 32;

/**
 * Plans how a file system shrinks to `blockCount` blocks, or to what its content needs. Undefined where it is as small
 * already. Throws `no-space` saying what it needs at least.
 */
export async function planShrink(
  bytes: Uint8Array,
  found: Survey,
  blockCount: number | undefined,
): Promise<ShrinkPlan | undefined> {
  const before = found.source.layout;
  const room = new Room(found);
  const least = await room.leastBlockCount();
  if (blockCount !== undefined && blockCount < least.blockCount) {
    const [asked, needed] = [blockCount, least.blockCount].map((blocks) => blocks * before.blockSizeBytes);
    throw new Failure(
      "no-space",
      `cannot shrink the file system to ${asked} bytes: it needs ${needed}${least.because}`,
    );
  }
  const wanted = room.wholeGroups(blockCount ?? least.blockCount);
  if (wanted >= before.blockCount) return undefined;
  const planned = superblockAfter(bytes, before, wanted);
  const { data } = await room.at(wanted);
  const movesJournal = found.journalEnd > wanted;
  return { before, after: layoutOf(planned), superblock: planned, dataBlocks: data, movesJournal };
}

/** How much there is before and after each place at which the file system might end. */
class Room {
  readonly #survey: Survey;
  readonly #layout: ExtLayout;
  /** Free blocks before each group, data blocks in it and behind, the end of the tables of all groups before it. */
  readonly #freeBefore: number[] = [0];
  readonly #dataFrom: number[];
  readonly #tableEnds: number[] = [0];

  constructor(found: Survey) {
    this.#survey = found;
    this.#layout = found.source.layout;
    const { groups, descriptors } = found;
    for (const { free } of groups) this.#freeBefore.push((this.#freeBefore.at(-1) ?? 0) + free);
    this.#dataFrom = Array.from({ length: groups.length + 1 }, () => 0);
    for (let group = groups.length - 1; group >= 0; group--) {
      this.#dataFrom[group] = (this.#dataFrom[group + 1] ?? 0) + (groups[group]?.data ?? 0);
    }
    for (const { blockBitmap, inodeBitmap, inodeTable } of descriptors) {
      const end = Math.max(blockBitmap, inodeBitmap, inodeTable + this.#layout.inodeTableBlocks - 1) + 1;
      this.#tableEnds.push(Math.max(this.#tableEnds.at(-1) ?? 0, end));
    }
  }

  /** The smallest size, and what stands against a smaller one. */
  async leastBlockCount(): Promise<{ readonly blockCount: number; readonly because: string }> {
    const { pinned, groupsForInodes, groups, canMoveInodes } = this.#survey;
    const last = pinned.toSorted((a, b) => a.endBlock - b.endBlock).at(-1);
    const pinnedEnd = last?.endBlock ?? 0;
    for (let count = groupsForInodes; count <= groups.length; count++) {
      const end = this.#endOf(count);
      if (end < pinnedEnd || (this.#tableEnds[count] ?? 0) > end || !this.#isEnough(count)) continue;
      const blockCount = await this.#leastIn(count, pinnedEnd);
      const isPinned = blockCount === pinnedEnd && last !== undefined;
      const hasInodes =
        !canMoveInodes && count > 1 && count === groupsForInodes && blockCount === this.#shortest(count);
      const because = isPinned
        ? `, for ${last.what} stands there and cannot be moved`
        : hasInodes
          ? ", for files have inodes there, which cannot be moved"
          : "";
      return { blockCount, because };
    }
    return { blockCount: this.#layout.blockCount, because: "" };
  }

  /** What is free before a block, and what is in use by files from there on. */
  async at(blockCount: number): Promise<{ readonly free: number; readonly data: number }> {
    const group = Math.ceil((blockCount - this.#layout.firstDataBlock) / this.#layout.blocksPerGroup) - 1;
    const inGroup = blockCount - groupStart(this.#layout, group);
    const { source, descriptors } = this.#survey;
    for await (const { used, structures } of bitmapsOf(source, descriptors, group)) {
      const before = used.countSet(0, inGroup);
      const dataIn = used.countSet(inGroup) - structures.countSet(inGroup);
      return {
        free: (this.#freeBefore[group] ?? 0) + inGroup - before,
        data: dataIn + (this.#dataFrom[group + 1] ?? 0),
      };
    }
    return { free: 0, data: 0 };
  }

  /** A size without a last group that is too short to be worth having. */
  wholeGroups(blockCount: number): number {
    const { firstDataBlock, blocksPerGroup } = this.#layout;
    const count = Math.ceil((blockCount - firstDataBlock) / blocksPerGroup);
    if (blockCount >= Math.min(this.#shortest(count), this.#endOf(count))) return blockCount;
    return firstDataBlock + (count - 1) * blocksPerGroup;
  }

  #endOf(groupCount: number): number {
    return groupStart(this.#layout, groupCount - 1) + groupBlockCount(this.#layout, groupCount - 1);
  }

  #isEnough(groupCount: number): boolean {
    return this.#isRoomFor(this.#freeBefore[groupCount] ?? 0, this.#dataFrom[groupCount] ?? 0);
  }

  /** Where the file system may end at the earliest with so many groups. */
  #shortest(groupCount: number): number {
    const start = groupStart(this.#layout, groupCount - 1);
    const leading = leadingMetadataBlocks(this.#layout, groupCount - 1);
    const own = leading + 2 + this.#layout.inodeTableBlocks + lastGroupMinimumBlocks;
    return Math.min(this.#endOf(groupCount), Math.max(start + own, this.#tableEnds[groupCount] ?? 0));
  }

  #isRoomFor(free: number, data: number): boolean {
    const spare = spareBlocks + (this.#survey.journalEnd > 0 ? headBlocks : 0) + Math.ceil(data / sparePart);
    return data === 0 || free >= data + spare;
  }

  async #leastIn(groupCount: number, pinnedEnd: number): Promise<number> {
    let low = Math.max(this.#shortest(groupCount), pinnedEnd);
    let high = this.#endOf(groupCount);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const { free, data } = await this.at(middle);
      if (this.#isRoomFor(free, data)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function superblockAfter(bytes: Uint8Array, before: ExtLayout, blockCount: number): Uint8Array {
  const { record, features, has64bit } = before;
  const planned = Uint8Array.from(bytes);
  const groupCount = Math.ceil((blockCount - before.firstDataBlock) / before.blocksPerGroup);
  const perBlock = before.blockSizeBytes / before.descriptorSizeBytes;
  const descriptorBlocks = Math.ceil(groupCount / perBlock);
  const reserved = record.reservedBlockCountLow + (has64bit ? record.reservedBlockCountHigh * numbers32 : 0);
  const reservedAfter = Math.floor((Math.min(reserved, before.blockCount) / before.blockCount) * blockCount);
  // Blocks that held descriptors are reserved for some to come, as far as the resize inode can list them.
  const given = record.reservedGdtBlocks + before.descriptorBlocks - descriptorBlocks;
  const reservedGdtBlocks = hasFeature(features, "resize_inode") ? Math.min(given, before.blockSizeBytes / 4) : 0;
  const losesCopy = hasFeature(features, "sparse_super2") && record.backupGroups.some((group) => group >= groupCount);
  if (losesCopy && !hasFeature(features, "has_journal")) throw movesCopyWithoutJournal("shrink");
  superblock.patch(planned, {
    inodeCount: groupCount * before.inodesPerGroup,
    blockCountLow: blockCount % numbers32,
    reservedBlockCountLow: reservedAfter % numbers32,
    ...(has64bit
      ? {
          blockCountHigh: Math.floor(blockCount / numbers32),
          reservedBlockCountHigh: Math.floor(reservedAfter / numbers32),
        }
      : {}),
    overheadClusters: 0,
    reservedGdtBlocks,
    ...(hasFeature(features, "meta_bg")
      ? { firstMetaBlockGroup: Math.min(record.firstMetaBlockGroup, descriptorBlocks) }
      : {}),
    ...(hasFeature(features, "sparse_super2")
      ? { backupGroups: record.backupGroups.map((group) => (group < groupCount ? group : 0)) }
      : {}),
  });
  return planned;
}
