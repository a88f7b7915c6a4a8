import type { EntryKind, Timestamp } from "../../tree/index.ts";
import { hasChecksumHigh, inodeChecksum, inodeChecksumSeed } from "./checksum.ts";
import { damaged } from "./damaged.ts";
import { hasFeature } from "./features.ts";
import {
  decodeTime,
  inodeBase,
  inodeBaseBytes,
  inodeExtra,
  inodeFlag,
  kindOfMode,
  type InodeBase,
  type InodeExtra,
} from "./inode.ts";
import type { ExtLayout } from "./layout.ts";
import type { ExtSource } from "./source.ts";

/** An inode in use, decoded. */
export interface ExtInode {
  readonly id: number;
  readonly kind: EntryKind;
  /** The low 12 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly links: number;
  readonly flags: number;
  readonly generation: number;
  readonly modified: Timestamp;
  readonly accessed: Timestamp;
  readonly changed: Timestamp;
  readonly created: Timestamp | undefined;
  /** The 60 bytes that hold the map of blocks, a short link target, a device number or the first data. */
  readonly block: Uint8Array;
  readonly xattrBlock: number;
  /** What follows the fields in the inode: room for attributes, often empty. */
  readonly tail: Uint8Array;
}

/** The bytes of an inode as they stand in its table. Throws `damaged` where there is no such inode. */
export async function inodeBytes(source: ExtSource, id: number): Promise<Uint8Array> {
  const { inodeCount, inodesPerGroup, inodeSizeBytes, blockSizeBytes } = source.layout;
  if (!(id >= 1 && id <= inodeCount)) throw damaged(`inode ${id}`, `there are ${inodeCount} inodes`);
  const group = Math.floor((id - 1) / inodesPerGroup);
  const descriptor = await source.descriptors.of(group);
  const at = descriptor.inodeTable * blockSizeBytes + ((id - 1) % inodesPerGroup) * inodeSizeBytes;
  return source.structures.bytes(at, inodeSizeBytes);
}

/** Reads an inode that something refers to. Throws `damaged` where it is not in use or is of no known kind. */
export async function readInode(source: ExtSource, id: number): Promise<ExtInode> {
  return decodeInode(source.layout, id, await inodeBytes(source, id));
}

export function decodeInode(layout: ExtLayout, id: number, raw: Uint8Array): ExtInode {
  const base = inodeBase.decode(raw);
  const kind = kindOfMode(base.mode);
  if (kind === undefined) {
    throw damaged(`inode ${id}`, base.mode === 0 ? "it is not in use" : `its mode ${base.mode.toString(8)} is no kind`);
  }
  const extraSize = extraSizeOf(raw);
  const extra = extraSize === 0 ? undefined : inodeExtra.decode(extraBytesOf(raw, extraSize));
  const has = (field: keyof InodeExtra) => {
    const [at, type] = inodeExtra.fields[field];
    return extraSize >= at + type.sizeBytes;
  };
  const time = (seconds: number, field: "modifyTimeExtra" | "accessTimeExtra" | "changeTimeExtra") =>
    decodeTime(seconds, extra !== undefined && has(field) ? extra[field] : 0);
  return {
    id,
    kind,
    mode: base.mode & 0xfff,
    uid: base.uidLow + base.uidHigh * 2 ** 16,
    gid: base.gidLow + base.gidHigh * 2 ** 16,
    sizeBytes: sizeOf(layout, base, kind),
    allocatedBytes: allocatedBytesOf(layout, base),
    links: base.linkCount,
    flags: base.flags,
    generation: base.generation,
    modified: time(base.modifyTime, "modifyTimeExtra"),
    accessed: time(base.accessTime, "accessTimeExtra"),
    changed: time(base.changeTime, "changeTimeExtra"),
    created:
      extra !== undefined && has("creationTimeExtra")
        ? decodeTime(extra.creationTime, extra.creationTimeExtra)
        : undefined,
    block: base.block,
    xattrBlock: base.xattrBlockLow + (hasFeature(layout.features, "64bit") ? base.xattrBlockHigh * 2 ** 32 : 0),
    tail: extraSize === 0 ? nothing : raw.subarray(inodeBaseBytes + extraSize),
  };
}

const nothing = new Uint8Array(0);

/** How many bytes after the first 128 hold fields; 0 where there are none or their number cannot be. */
export function extraSizeOf(raw: Uint8Array): number {
  if (raw.length <= inodeBaseBytes) return 0;
  const size = inodeExtra.fields.extraSize[1].decode(new DataView(raw.buffer, raw.byteOffset + inodeBaseBytes, 2), 0);
  return size % 4 === 0 && size <= raw.length - inodeBaseBytes ? size : 0;
}

/** The extra fields, padded with zeros where the inode has only some of them. */
function extraBytesOf(raw: Uint8Array, extraSize: number): Uint8Array {
  if (extraSize >= inodeExtra.sizeBytes) return raw.subarray(inodeBaseBytes, inodeBaseBytes + inodeExtra.sizeBytes);
  const padded = new Uint8Array(inodeExtra.sizeBytes);
  padded.set(raw.subarray(inodeBaseBytes, inodeBaseBytes + extraSize));
  return padded;
}

/** The upper half of the size counts for files; for directories only with `large_dir`. */
function sizeOf(layout: ExtLayout, base: InodeBase, kind: EntryKind): number {
  const isWide = kind === "file" || (kind === "directory" && hasFeature(layout.features, "large_dir"));
  return base.sizeLow + (isWide ? base.sizeHigh * 2 ** 32 : 0);
}

function allocatedBytesOf(layout: ExtLayout, base: InodeBase): number {
  if (!hasFeature(layout.features, "huge_file")) return base.blockCountLow * 512;
  const count = base.blockCountLow + base.blockCountHigh * 2 ** 32;
  return count * ((base.flags & inodeFlag.huge) === 0 ? 512 : layout.blockSizeBytes);
}

export function hasFlag(inode: ExtInode, flag: keyof typeof inodeFlag): boolean {
  return (inode.flags & inodeFlag[flag]) !== 0;
}

/** The seed for the checksums of what belongs to this inode. */
export function seedOfInode(layout: ExtLayout, inode: Pick<ExtInode, "id" | "generation">): number {
  return inodeChecksumSeed(layout.checksumSeed, inode.id, inode.generation);
}

/** Whether an inode's own checksum is right; true where the file system keeps none. */
export function isInodeChecksumRight(layout: ExtLayout, id: number, raw: Uint8Array): boolean {
  if (!layout.hasChecksums) return true;
  const generation = inodeBase.get(raw, "generation");
  const sum = inodeChecksum(raw, 0, raw.length, inodeChecksumSeed(layout.checksumSeed, id, generation));
  const low = inodeBase.get(raw, "checksumLow");
  if (raw.length <= inodeBaseBytes || !hasChecksumHigh(raw, 0)) return low === (sum & 0xffff);
  return low + inodeExtra.get(extraBytesOf(raw, 4), "checksumHigh") * 2 ** 16 === sum;
}
