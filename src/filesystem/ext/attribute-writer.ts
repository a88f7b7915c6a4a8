import { encodeAttributes, sealAttributeBlock } from "./attribute-encoder.ts";
import type { ExtVolume } from "./volume.ts";

/** Attributes as they are kept: a part behind the inode's fields, a block for the rest. */
export interface StoredAttributes {
  /** To stand in the inode right after its extra fields; empty where there are none. */
  readonly inInode: Uint8Array;
  /** 0 where all fit into the inode. */
  readonly block: number;
  /** Full names of attributes that ext cannot hold. */
  readonly refused: readonly string[];
}

const none: StoredAttributes = { inInode: new Uint8Array(0), block: 0, refused: [] };
const shareLimit = 1024; // EXT4_XATTR_REFCOUNT_MAX
const rememberedBlocks = 1024;

interface SharedBlock {
  readonly block: number;
  readonly bytes: Uint8Array;
  references: number;
}

/** Stores the attributes of files; files with the same attributes share a block. */
export class AttributeWriter {
  readonly #volume: ExtVolume;
  readonly #shared = new Map<string, SharedBlock>();
  readonly #inInodeBytes: number;

  constructor(volume: ExtVolume, extraSizeBytes: number) {
    this.#volume = volume;
    this.#inInodeBytes = Math.max(0, volume.profile.inodeSizeBytes - 128 - extraSizeBytes);
  }

  async store(xattrs: ReadonlyMap<string, Uint8Array> | undefined): Promise<StoredAttributes> {
    if (xattrs === undefined || xattrs.size === 0) return none;
    const room = { inInodeBytes: this.#inInodeBytes, blockSizeBytes: this.#volume.blockSizeBytes };
    const { inInode, block, refused } = encodeAttributes(xattrs, room);
    return { inInode, block: block === undefined ? 0 : await this.#storeBlock(block), refused };
  }

  /** A file with this attribute block is gone. */
  release(block: number): void {
    for (const [key, shared] of this.#shared) {
      if (shared.block !== block) continue;
      shared.references--;
      if (shared.references > 0) return;
      this.#shared.delete(key);
    }
    this.#volume.blocks.release({ start: block, length: 1 });
  }

  /** Writes the blocks that more files might still have come to share. */
  async finish(): Promise<void> {
    for (const shared of this.#shared.values()) await this.#writeBlock(shared);
  }

  async #storeBlock(bytes: Uint8Array): Promise<number> {
    const key = Buffer.from(bytes).toString("latin1");
    const known = this.#shared.get(key);
    if (known !== undefined && known.references < shareLimit) {
      known.references++;
      return known.block;
    }
    const { start } = this.#volume.blocks.take(1);
    const shared: SharedBlock = { block: start, bytes, references: 1 };
    if (this.#shared.size < rememberedBlocks && known === undefined) this.#shared.set(key, shared);
    else await this.#writeBlock(shared);
    return start;
  }

  async #writeBlock({ block, bytes, references }: SharedBlock): Promise<void> {
    sealAttributeBlock(bytes, { block, references, checksumSeed: this.#volume.checksumSeed });
    await this.#volume.putBlock(block, bytes);
  }
}
