import { Failure } from "../../../base/index.ts";
import { encodeAttributes, sealAttributeBlock } from "../attribute-encoder.ts";
import { blockAttributes, inodeAttributes, isInlineData, rawAttributes } from "../attribute-list.ts";
import { damaged } from "../../damaged.ts";
import type { ExtInode } from "../ext-inode.ts";
import { xattrBlockHeader, xattrMagic } from "../extended-attribute.ts";
import { inodeBase, inodeBaseBytes } from "../inode.ts";
import { extraSizeOf, inodeBytes } from "../inode-reader.ts";
import type { EditVolume } from "./edit-volume.ts";
import type { InodeStore } from "./inode-store.ts";

/** Attributes as they are kept: a part behind the inode's fields, a block for the rest. */
export interface StoredAttributes {
  /** To stand in the inode right after its extra fields; empty where there are none. */
  readonly inInode: Uint8Array;
  /** 0 where all fit into the inode. */
  readonly block: number;
  /** Full names of attributes that ext cannot hold. */
  readonly refused: readonly string[];
}

/** Prefixes above this one are the kernel's own: keys, checksums. */
const highestShownIndex = 8;

/** The attributes of files in a file system open for changes. */
export class AttributeStore {
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;

  constructor(volume: EditVolume, inodes: InodeStore) {
    this.#volume = volume;
    this.#inodes = inodes;
  }

  /** Stores attributes for an inode with so much room behind its fields. */
  async store(
    xattrs: ReadonlyMap<string, Uint8Array> | undefined,
    place: { readonly inInodeBytes: number; readonly goal: number },
  ): Promise<StoredAttributes> {
    const { blockSizeBytes, layout } = this.#volume;
    const { inInode, block, refused } = encodeAttributes(xattrs, { inInodeBytes: place.inInodeBytes, blockSizeBytes });
    if (block === undefined) return { inInode, block: 0, refused };
    const number = await this.#volume.takeBlock(place.goal);
    const checksumSeed = layout.hasChecksums ? layout.checksumSeed : undefined;
    sealAttributeBlock(block, { block: number, references: 1, checksumSeed });
    this.#volume.transaction.freshBlock(number).set(block);
    this.#volume.addFeature("ext_attr");
    return { inInode, block: number, refused };
  }

  /**
   * A file gives its attributes up. Gives the inodes of the values that it has no use for any more, as often as it
   * had them.
   */
  async release(inode: ExtInode): Promise<number[]> {
    const own = inodeAttributes(inode);
    const shared = inode.xattrBlock === 0 ? [] : await blockAttributes(this.#volume.source, inode);
    const isLast = await this.#releaseBlock(inode.xattrBlock);
    return [...own, ...(isLast ? shared : [])].map(({ valueInode }) => valueInode).filter((id) => id !== 0);
  }

  /** A file gives its attribute block up, which other files may share; says whether it was the last with it. */
  async #releaseBlock(number: number): Promise<boolean> {
    if (number === 0) return true;
    const { layout, transaction, source } = this.#volume;
    const header = xattrBlockHeader.decode(await source.block(number, "an attribute block"));
    if (header.magic !== xattrMagic) throw damaged(`the attribute block ${number}`, "its signature is missing");
    if (header.referenceCount <= 1) {
      this.#volume.release({ start: number, length: 1 });
      return true;
    }
    const checksumSeed = layout.hasChecksums ? layout.checksumSeed : undefined;
    const bytes = await transaction.change(number, "deletion");
    sealAttributeBlock(bytes, { block: number, references: header.referenceCount - 1, checksumSeed });
    return false;
  }

  /** Replaces all attributes of an inode. Throws `unsupported` for those that ext cannot hold. */
  async replace(inode: ExtInode, xattrs: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const raw = await inodeBytes(this.#volume.source, inode.id);
    const extraSize = extraSizeOf(raw);
    const tailAt = inodeBaseBytes + extraSize;
    const inInodeBytes = extraSize === 0 ? 0 : raw.length - tailAt;
    const stored = await this.store(xattrs, { inInodeBytes, goal: this.#volume.goalOf(inode.id) });
    if (stored.refused.length > 0) {
      throw new Failure(
        "unsupported",
        `cannot set the attributes of inode ${inode.id}: ext cannot hold ${stored.refused.join(", ")}`,
      );
    }
    await this.#releaseBlock(inode.xattrBlock);
    const sectors = this.#volume.blockSizeBytes / 512;
    const grown = (stored.block === 0 ? 0 : 1) - (inode.xattrBlock === 0 ? 0 : 1);
    const patchCount = this.#inodes.blockCount(inode.allocatedBytes / 512 / sectors + grown);
    await this.#inodes.change(inode.id, (bytes) => {
      bytes.fill(0, tailAt);
      bytes.set(stored.inInode, tailAt);
      inodeBase.patch(bytes, {
        xattrBlockLow: stored.block % 2 ** 32,
        xattrBlockHigh: Math.floor(stored.block / 2 ** 32),
      });
      patchCount(bytes);
    });
  }

  /** Throws for attributes that cannot be let go of: their values are files, or belong to the kernel. */
  async refuseUntouchable(inode: ExtInode): Promise<void> {
    for (const attribute of await rawAttributes(this.#volume.source, inode)) {
      const why =
        attribute.valueInode !== 0
          ? "an attribute has its value in a file of its own (ea_inode)"
          : attribute.nameIndex > highestShownIndex && !isInlineData(attribute)
            ? "it has an attribute of the kernel's own, as encrypted files do"
            : undefined;
      if (why !== undefined) throw new Failure("unsupported", `cannot change inode ${inode.id}: ${why}`);
    }
  }
}
