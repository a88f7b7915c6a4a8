import type { BlockDevice } from "../../device/index.ts";
import { BlockAllocator, type BlockRun } from "./block-allocator.ts";
import { checksumSeedOf } from "./checksum.ts";
import { CoalescingWriter } from "../coalescing-writer.ts";
import type { Feature } from "./features.ts";
import type { ExtGeometry } from "./geometry.ts";
import { InodeTableWriter } from "./inode-table-writer.ts";
import { firstOrdinaryInode } from "./inode.ts";
import type { ExtProfile } from "./profile.ts";

/** A file system in the making: what hands out its blocks and inodes and takes in what goes there. */
export class ExtVolume {
  readonly profile: ExtProfile;
  readonly geometry: ExtGeometry;
  readonly device: BlockDevice;
  readonly blocks: BlockAllocator;
  readonly out: CoalescingWriter;
  readonly inodeTable: InodeTableWriter;
  /** Of everything that `metadata_csum` covers; undefined without it. */
  readonly checksumSeed: number | undefined;
  /** Directories in each group, for its descriptor. */
  readonly directoriesInGroup: Uint32Array;
  /** The journal inode as the superblock repeats it: 15 words of its map, upper and lower half of its size. */
  journalBackup: readonly number[] | undefined;
  readonly #freedInodes: number[] = [];
  #nextInode = firstOrdinaryInode;

  /** With `isVirtual` nothing is written and no block taken: the volume only counts. */
  constructor(
    device: BlockDevice,
    profile: ExtProfile,
    geometry: ExtGeometry,
    options: { readonly isVirtual: boolean },
  ) {
    this.device = device;
    this.profile = profile;
    this.geometry = geometry;
    const isSparse = profile.features.has("sparse_super");
    this.blocks = new BlockAllocator(geometry, { isSparse, isVirtual: options.isVirtual });
    this.out = new CoalescingWriter(device, options.isVirtual ? 0 : geometry.blockCount * geometry.blockSizeBytes);
    this.checksumSeed = profile.features.has("metadata_csum") ? checksumSeedOf(profile.uuidBytes) : undefined;
    this.inodeTable = new InodeTableWriter(device, this.out, geometry, {
      inodeSizeBytes: profile.inodeSizeBytes,
      checksumSeed: this.checksumSeed,
      limit: options.isVirtual ? 0 : geometry.inodeCount,
    });
    this.directoriesInGroup = new Uint32Array(geometry.groupCount);
  }

  has(feature: Feature): boolean {
    return this.profile.features.has(feature);
  }

  get blockSizeBytes(): number {
    return this.geometry.blockSizeBytes;
  }

  /** The inodes from 1 up to this one are in use, but for `freedInodes`. */
  get lastInode(): number {
    return this.#nextInode - 1;
  }

  get freedInodes(): readonly number[] {
    return this.#freedInodes;
  }

  get inodesTaken(): number {
    return this.lastInode - this.#freedInodes.length;
  }

  /** Whether more was put in than there is room for; nothing that came after is on the device. */
  get isOverfull(): boolean {
    return this.blocks.isOverfull || this.lastInode > this.geometry.inodeCount;
  }

  takeInode(): number {
    return this.#freedInodes.pop() ?? this.#nextInode++;
  }

  releaseInode(inode: number): void {
    this.#freedInodes.push(inode);
  }

  countDirectory(inode: number, change: 1 | -1): void {
    const group = Math.floor((inode - 1) / this.geometry.inodesPerGroup);
    if (group < this.directoriesInGroup.length) {
      this.directoriesInGroup[group] = (this.directoriesInGroup[group] ?? 0) + change;
    }
  }

  /** From 1 to `count` adjacent blocks. */
  takeRun(count: number): BlockRun {
    return this.blocks.take(count);
  }

  /** `count` blocks in as few runs as there are. */
  takeBlocks(count: number): BlockRun[] {
    const runs: BlockRun[] = [];
    for (let rest = count; rest > 0;) {
      const run = this.blocks.take(rest);
      runs.push(run);
      rest -= run.length;
    }
    return runs;
  }

  /** Writes one whole block. */
  putBlock(block: number, bytes: Uint8Array): Promise<void> | undefined {
    return this.out.put(block * this.blockSizeBytes, bytes);
  }
}
