import { readBytes, type BlockReader } from "../../../device/index.ts";
import { descriptorBlockAt, groupStart, hasSuperblockCopy } from "../backup-groups.ts";
import { bitmapChecksum } from "../bitmap-checksum.ts";
import { descriptorChecksum } from "../descriptor-table.ts";
import { hasFeature } from "../features.ts";
import { groupDescriptor32, groupDescriptor64 } from "../group-descriptor.ts";
import type { ExtLayout } from "../layout.ts";

/** What a descriptor is to say; what is absent stays. */
export interface DescriptorChange {
  readonly blockBitmap?: number;
  readonly inodeBitmap?: number;
  readonly inodeTable?: number;
  readonly freeBlocks?: number;
  readonly freeInodes?: number;
  readonly directories?: number;
  readonly unusedInodes?: number;
  readonly flags?: number;
  /** The bytes of the bitmaps, where their checksum changes. */
  readonly blockBitmapBytes?: Uint8Array;
  readonly inodeBitmapBytes?: Uint8Array;
}

/** A block of descriptors and where a copy of it belongs. */
export interface DescriptorPlace {
  readonly block: number;
  readonly bytes: Uint8Array;
}

/** All group descriptors of a file system that grows or shrinks, in memory, as they will be. */
export class DescriptorImage {
  readonly layout: ExtLayout;
  readonly #bytes: Uint8Array;

  private constructor(layout: ExtLayout, bytes: Uint8Array) {
    this.layout = layout;
    this.#bytes = bytes;
  }

  /** The descriptors there were, with room for those that come. */
  static async read(reader: BlockReader, before: ExtLayout, after: ExtLayout): Promise<DescriptorImage> {
    const { blockSizeBytes } = before;
    const image = new DescriptorImage(after, new Uint8Array(after.descriptorBlocks * blockSizeBytes));
    for (let n = 0; n < Math.min(before.descriptorBlocks, after.descriptorBlocks); n++) {
      const at = descriptorBlockAt(before, n, "primary") * blockSizeBytes;
      image.block(n).set(await readBytes(reader, at, blockSizeBytes));
    }
    // What stands behind the last descriptor means nothing, and may be left from an attempt to grow.
    const endOfKnown = Math.min(before.groupCount, after.groupCount) * before.descriptorSizeBytes;
    image.#bytes.fill(0, endOfKnown);
    return image;
  }

  /** Block `n` of all descriptors. */
  block(n: number): Uint8Array {
    const { blockSizeBytes } = this.layout;
    return this.#bytes.subarray(n * blockSizeBytes, (n + 1) * blockSizeBytes);
  }

  /** Changes one descriptor, and makes its checksum right. */
  change(group: number, change: DescriptorChange): void {
    const { layout } = this;
    const at = group * layout.descriptorSizeBytes;
    const bytes = this.#bytes.subarray(at, at + layout.descriptorSizeBytes);
    const hasSums = layout.hasChecksums || hasFeature(layout.features, "uninit_bg");
    const blockSum = layout.hasChecksums ? sumOf(layout, change.blockBitmapBytes, layout.blocksPerGroup) : undefined;
    const inodeSum = layout.hasChecksums ? sumOf(layout, change.inodeBitmapBytes, layout.inodesPerGroup) : undefined;
    groupDescriptor32.patch(bytes, {
      ...given("blockBitmapLow", low32(change.blockBitmap)),
      ...given("inodeBitmapLow", low32(change.inodeBitmap)),
      ...given("inodeTableLow", low32(change.inodeTable)),
      ...given("freeBlockCountLow", low16(change.freeBlocks)),
      ...given("freeInodeCountLow", low16(change.freeInodes)),
      ...given("directoryCountLow", low16(change.directories)),
      ...(hasSums ? given("unusedInodeCountLow", low16(change.unusedInodes)) : {}),
      ...(hasSums ? given("flags", change.flags) : {}),
      ...given("blockBitmapChecksumLow", low16(blockSum)),
      ...given("inodeBitmapChecksumLow", low16(inodeSum)),
    });
    if (layout.descriptorSizeBytes >= groupDescriptor64.sizeBytes) {
      groupDescriptor64.patch(bytes, {
        ...given("blockBitmapHigh", high32(change.blockBitmap)),
        ...given("inodeBitmapHigh", high32(change.inodeBitmap)),
        ...given("inodeTableHigh", high32(change.inodeTable)),
        ...given("freeBlockCountHigh", high16(change.freeBlocks)),
        ...given("freeInodeCountHigh", high16(change.freeInodes)),
        ...given("directoryCountHigh", high16(change.directories)),
        ...(hasSums ? given("unusedInodeCountHigh", high16(change.unusedInodes)) : {}),
        ...given("blockBitmapChecksumHigh", high16(blockSum)),
        ...given("inodeBitmapChecksumHigh", high16(inodeSum)),
      });
    }
    if (hasSums) groupDescriptor32.patch(bytes, { checksum: descriptorChecksum(layout, group, bytes) });
  }

  /** The descriptors that are in use. */
  *primaries(): Generator<DescriptorPlace> {
    for (let n = 0; n < this.layout.descriptorBlocks; n++) {
      yield { block: descriptorBlockAt(this.layout, n, "primary"), bytes: this.block(n) };
    }
  }

  /** The copies of descriptors that stand in one group. */
  *copiesIn(group: number): Generator<DescriptorPlace> {
    const { layout } = this;
    const start = groupStart(layout, group);
    const perBlock = layout.blockSizeBytes / layout.descriptorSizeBytes;
    const hasCopy = hasSuperblockCopy(layout, group);
    const hasMeta = hasFeature(layout.features, "meta_bg");
    const together = hasMeta
      ? Math.min(layout.descriptorBlocks, layout.record.firstMetaBlockGroup)
      : layout.descriptorBlocks;
    const metaGroup = Math.floor(group / perBlock);
    if (hasMeta && metaGroup >= layout.record.firstMetaBlockGroup) {
      const inMetaGroup = group % perBlock;
      if (inMetaGroup !== 1 && inMetaGroup !== perBlock - 1) return;
      yield { block: start + (hasCopy ? 1 : 0), bytes: this.block(metaGroup) };
    } else if (hasCopy) {
      for (let n = 0; n < together; n++) yield { block: start + 1 + n, bytes: this.block(n) };
    }
  }
}

function sumOf(layout: ExtLayout, bytes: Uint8Array | undefined, bits: number): number | undefined {
  return bytes === undefined ? undefined : bitmapChecksum(layout, bytes.subarray(0, bits / 8));
}

/** A field with its value, or nothing. */
function given<K extends string>(name: K, value: number | undefined): Partial<Record<K, number>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, number>);
}

const low16 = (value: number | undefined) => (value === undefined ? undefined : value & 0xffff);
const high16 = (value: number | undefined) => (value === undefined ? undefined : value >>> 16);
const low32 = (value: number | undefined) => (value === undefined ? undefined : value % 2 ** 32);
const high32 = (value: number | undefined) => (value === undefined ? undefined : Math.floor(value / 2 ** 32));
