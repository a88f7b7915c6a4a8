import { crc32c, encodeName } from "../../bytes/index.ts";
import { aclToDisk } from "./access-control-list.ts";
import { checksumNumber } from "./checksum.ts";
import {
  splitXattrName,
  xattrBlockHash,
  xattrBlockHeader,
  xattrBlockHeaderBytes,
  xattrEntry,
  xattrEntryBytes,
  xattrEntryHash,
  xattrInodeHeaderBytes,
  xattrMagic,
} from "./extended-attribute.ts";
import type { ExtVolume } from "./volume.ts";

interface Attribute {
  readonly nameIndex: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

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
    const refused: string[] = [];
    const inInode: Attribute[] = [];
    const inBlock: Attribute[] = [];
    let inodeRoom = this.#inInodeBytes - xattrInodeHeaderBytes - 4;
    let blockRoom = this.#volume.blockSizeBytes - xattrBlockHeaderBytes - 4;
    for (const [fullName, value] of xattrs) {
      const attribute = toAttribute(fullName, value);
      const space = attribute === undefined ? Number.POSITIVE_INFINITY : spaceOf(attribute);
      if (attribute === undefined || (space > inodeRoom && space > blockRoom)) {
        refused.push(fullName);
      } else if (space <= inodeRoom) {
        inodeRoom -= space;
        inInode.push(attribute);
      } else {
        blockRoom -= space;
        inBlock.push(attribute);
      }
    }
    return {
      inInode: inInode.length === 0 ? none.inInode : this.#encodeInInode(inInode),
      block: inBlock.length === 0 ? 0 : await this.#storeBlock(inBlock),
      refused,
    };
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

  #encodeInInode(attributes: readonly Attribute[]): Uint8Array {
    const area = new Uint8Array(this.#inInodeBytes);
    new DataView(area.buffer).setUint32(0, xattrMagic, true);
    encodeEntries(area, xattrInodeHeaderBytes, xattrInodeHeaderBytes, attributes);
    return area;
  }

  async #storeBlock(attributes: Attribute[]): Promise<number> {
    attributes.sort(byDiskOrder);
    const bytes = new Uint8Array(this.#volume.blockSizeBytes);
    const hashes = encodeEntries(bytes, xattrBlockHeaderBytes, 0, attributes);
    xattrBlockHeader.patch(bytes, {
      magic: xattrMagic,
      referenceCount: 1,
      blockCount: 1,
      hash: xattrBlockHash(hashes),
    });
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
    xattrBlockHeader.patch(bytes, { referenceCount: references, checksum: 0 });
    if (this.#volume.checksumSeed !== undefined) {
      const low = checksumNumber(block % 2 ** 32, this.#volume.checksumSeed);
      const checksum = crc32c(bytes, checksumNumber(Math.floor(block / 2 ** 32), low));
      xattrBlockHeader.patch(bytes, { checksum });
    }
    await this.#volume.putBlock(block, bytes);
  }
}

function toAttribute(fullName: string, value: Uint8Array): Attribute | undefined {
  const { nameIndex, rest } = splitXattrName(fullName);
  const name = encodeName(rest);
  if (nameIndex === 0 || name.length > 255) return undefined;
  const isAcl = nameIndex === 2 || nameIndex === 3;
  const stored = isAcl ? aclToDisk(value) : value;
  return stored === undefined ? undefined : { nameIndex, name, value: stored };
}

const align4 = (length: number): number => (length + 3) & ~3;

function spaceOf({ name, value }: Attribute): number {
  return align4(xattrEntryBytes + name.length) + align4(value.length);
}

/** Attribute blocks are sorted by prefix, length of name, name. */
function byDiskOrder(a: Attribute, b: Attribute): number {
  return a.nameIndex - b.nameIndex || a.name.length - b.name.length || Buffer.compare(a.name, b.name);
}

/** Entries from `at` on upwards, values from the end downwards, `origin` being offset 0; gives the entries' hashes. */
function encodeEntries(area: Uint8Array, at: number, origin: number, attributes: readonly Attribute[]): number[] {
  let valueAt = area.length;
  let entryAt = at;
  const hashes: number[] = [];
  for (const { nameIndex, name, value } of attributes) {
    valueAt -= align4(value.length);
    area.set(value, valueAt);
    const hash = xattrEntryHash(name, value);
    hashes.push(hash);
    const fields = {
      nameLength: name.length,
      nameIndex,
      valueOffset: value.length === 0 ? 0 : valueAt - origin,
      valueInode: 0,
      valueSize: value.length,
      hash,
    };
    xattrEntry.patch(area, fields, entryAt);
    area.set(name, entryAt + xattrEntryBytes);
    entryAt += align4(xattrEntryBytes + name.length);
  }
  return hashes;
}
