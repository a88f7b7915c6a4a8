import { Failure } from "../../base/index.ts";
import { crc16, crc32c } from "../../bytes/index.ts";
import { descriptorBlockAt } from "./backup-groups.ts";
import { checksumNumber } from "./checksum.ts";
import { damaged } from "../damaged.ts";
import { hasFeature } from "./features.ts";
import { groupChecksumAt, groupDescriptor32, groupDescriptor64, type GroupDescriptor64 } from "./group-descriptor.ts";
import type { ExtLayout } from "./layout.ts";
import type { StructureReader } from "./source.ts";
import { superblock } from "./superblock.ts";

/** One group of blocks and inodes, as its descriptor tells. */
export interface GroupDescriptor {
  readonly group: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  /** In clusters. */
  readonly freeClusters: number;
  readonly freeInodes: number;
  readonly directories: number;
  /** Inodes at the end of the table that were never used. */
  readonly unusedInodes: number;
  readonly flags: number;
  readonly blockBitmapChecksum: number;
  readonly inodeBitmapChecksum: number;
  readonly isChecksumRight: boolean;
}

/** How many descriptors are kept; the rest are read again when they are asked for. */
const keptDescriptors = 4096;

/** The group descriptors of a file system, read when they are first needed, from the copy where that must be. */
export class DescriptorTable {
  readonly #layout: ExtLayout;
  readonly #cache: StructureReader;
  readonly #kept = new Map<number, GroupDescriptor>();
  readonly #onCopyUsed: () => void;

  constructor(layout: ExtLayout, cache: StructureReader, onCopyUsed: () => void) {
    this.#layout = layout;
    this.#cache = cache;
    this.#onCopyUsed = onCopyUsed;
  }

  /** The descriptor of one group. Throws `damaged` where neither it nor its copy makes sense. */
  async of(group: number): Promise<GroupDescriptor> {
    const kept = this.#kept.get(group);
    if (kept !== undefined) return kept;
    const descriptor = await this.#read(group);
    if (this.#kept.size >= keptDescriptors) this.#kept.clear();
    this.#kept.set(group, descriptor);
    return descriptor;
  }

  /** The descriptor as it stands in the primary table, whatever it says. */
  async primary(group: number): Promise<GroupDescriptor> {
    return this.#decode(group, await this.#bytes(group, "primary"));
  }

  /** Its descriptor has changed. */
  forget(group: number): void {
    this.#kept.delete(group);
  }

  async #read(group: number): Promise<GroupDescriptor> {
    const primary = await this.primary(group);
    if (primary.isChecksumRight && this.isPlausible(primary)) return primary;
    const copy = await this.#copyOf(group);
    if (copy !== undefined && copy.isChecksumRight && this.isPlausible(copy)) {
      this.#onCopyUsed();
      return copy;
    }
    if (this.isPlausible(primary)) return primary; // the check tells of its checksum
    throw damaged(`block group ${group}`, "its descriptor points outside the file system");
  }

  async #copyOf(group: number): Promise<GroupDescriptor | undefined> {
    try {
      return this.#decode(group, await this.#bytes(group, "copy"));
    } catch (error) {
      if (error instanceof Failure) return undefined; // a device too short for the copy
      throw error;
    }
  }

  /** Whether the places it names are inside the file system. */
  isPlausible(descriptor: GroupDescriptor): boolean {
    const { firstDataBlock, blockCount, inodeTableBlocks } = this.#layout;
    const isInside = (block: number, count: number) => block > firstDataBlock && block + count <= blockCount;
    return (
      isInside(descriptor.blockBitmap, 1) &&
      isInside(descriptor.inodeBitmap, 1) &&
      isInside(descriptor.inodeTable, inodeTableBlocks)
    );
  }

  #bytes(group: number, which: "primary" | "copy"): Promise<Uint8Array> {
    const { blockSizeBytes, descriptorSizeBytes } = this.#layout;
    const perBlock = blockSizeBytes / descriptorSizeBytes;
    const block = descriptorBlockAt(this.#layout, Math.floor(group / perBlock), which);
    const at = block * blockSizeBytes + (group % perBlock) * descriptorSizeBytes;
    return this.#cache.bytes(at, descriptorSizeBytes);
  }

  #decode(group: number, bytes: Uint8Array): GroupDescriptor {
    const isWide = this.#layout.descriptorSizeBytes >= groupDescriptor64.sizeBytes;
    const d: GroupDescriptor64 = isWide
      ? groupDescriptor64.decode(bytes)
      : { ...noHighHalves, ...groupDescriptor32.decode(bytes) };
    const wide = (low: number, high: number) => low + high * 2 ** 32;
    const half = (low: number, high: number) => low + high * 2 ** 16;
    return {
      group,
      blockBitmap: wide(d.blockBitmapLow, d.blockBitmapHigh),
      inodeBitmap: wide(d.inodeBitmapLow, d.inodeBitmapHigh),
      inodeTable: wide(d.inodeTableLow, d.inodeTableHigh),
      freeClusters: half(d.freeBlockCountLow, d.freeBlockCountHigh),
      freeInodes: half(d.freeInodeCountLow, d.freeInodeCountHigh),
      directories: half(d.directoryCountLow, d.directoryCountHigh),
      unusedInodes: half(d.unusedInodeCountLow, d.unusedInodeCountHigh),
      flags: this.hasGroupChecksums ? d.flags : 0,
      blockBitmapChecksum: half(d.blockBitmapChecksumLow, d.blockBitmapChecksumHigh),
      inodeBitmapChecksum: half(d.inodeBitmapChecksumLow, d.inodeBitmapChecksumHigh),
      isChecksumRight: !this.hasGroupChecksums || descriptorChecksum(this.#layout, group, bytes) === d.checksum,
    };
  }

  /** Whether descriptors have checksums, and with them flags and counts of what was never used. */
  get hasGroupChecksums(): boolean {
    return this.#layout.hasChecksums || hasFeature(this.#layout.features, "uninit_bg");
  }
}

const noHighHalves = {
  blockBitmapHigh: 0,
  inodeBitmapHigh: 0,
  inodeTableHigh: 0,
  freeBlockCountHigh: 0,
  freeInodeCountHigh: 0,
  directoryCountHigh: 0,
  unusedInodeCountHigh: 0,
  excludeBitmapHigh: 0,
  blockBitmapChecksumHigh: 0,
  inodeBitmapChecksumHigh: 0,
};

/** The lower half of a CRC32C with `metadata_csum`, else a CRC-16 over UUID, group number and descriptor. */
export function descriptorChecksum(layout: ExtLayout, group: number, bytes: Uint8Array): number {
  const rest = groupChecksumAt + 2;
  if (layout.hasChecksums) {
    const start = crc32c(bytes, checksumNumber(group, layout.checksumSeed), 0, groupChecksumAt);
    return crc32c(bytes, crc32c(noChecksum, start), rest) & 0xffff;
  }
  const uuid = superblock.encode({ uuid: layout.record.uuid });
  const uuidAt = superblock.fields.uuid[0];
  const number = Uint8Array.of(group, group >>> 8, group >>> 16, group >>> 24);
  const start = crc16(bytes.subarray(0, groupChecksumAt), crc16(number, crc16(uuid.subarray(uuidAt, uuidAt + 16))));
  return crc16(bytes.subarray(rest), start);
}

const noChecksum = new Uint8Array(2);
