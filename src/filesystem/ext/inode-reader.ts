import type { EntryKind } from "../../tree/index.ts";
import { hasChecksumHigh, inodeChecksum, inodeChecksumSeed } from "./checksum.ts";
import { damaged } from "../damaged.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFeature } from "./features.ts";
import { decodeTime, inodeBase, inodeBaseBytes, inodeExtra, inodeFlag, kindOfMode } from "./inode.ts";
import type { ExtLayout } from "./layout.ts";
import type { ExtSource } from "./source.ts";

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
  const kept = source.inodes.get(id);
  if (kept !== undefined) return kept;
  // A copy, lest an inode that is kept keeps all the structures around it in memory.
  const inode = decodeInode(source.layout, id, Buffer.from(await inodeBytes(source, id)));
  if (source.inodes.size >= keptInodes) source.inodes.clear();
  source.inodes.set(id, inode);
  return inode;
}

/** A file is mostly read soon after it was looked at. */
const keptInodes = 2048;

const at = offsetsOf(inodeBase.fields);
const extraAt = offsetsOf(inodeExtra.fields);

/** A table-driven decoder takes too long where every file of a tree is looked at: only the offsets are the struct's. */
function offsetsOf<K extends string>(
  fields: Readonly<Record<K, readonly [number, unknown]>>,
): Readonly<Record<K, number>> {
  const entries = Object.entries<readonly [number, unknown]>(fields).map(([name, [offset]]) => [name, offset]);
  return Object.fromEntries(entries) as Record<K, number>;
}

export function decodeInode(layout: ExtLayout, id: number, raw: Uint8Array): ExtInode {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const u16 = (offset: number) => view.getUint16(offset, true);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const mode = u16(at.mode);
  const kind = kindOfMode(mode);
  if (kind === undefined) {
    throw damaged(`inode ${id}`, mode === 0 ? "it is not in use" : `its mode ${mode.toString(8)} is no kind`);
  }
  const extraSize = extraSizeOf(raw);
  const extra = (offset: number) => (extraSize >= offset + 4 ? u32(inodeBaseBytes + offset) : 0);
  const flags = u32(at.flags);
  return {
    id,
    kind,
    mode: mode & 0xfff,
    uid: u16(at.uidLow) + u16(at.uidHigh) * 2 ** 16,
    gid: u16(at.gidLow) + u16(at.gidHigh) * 2 ** 16,
    sizeBytes: u32(at.sizeLow) + (hasWideSize(layout, kind) ? u32(at.sizeHigh) * 2 ** 32 : 0),
    allocatedBytes: allocatedBytesOf(layout, { low: u32(at.blockCountLow), high: u16(at.blockCountHigh), flags }),
    links: u16(at.linkCount),
    flags,
    generation: u32(at.generation),
    modified: decodeTime(u32(at.modifyTime), extra(extraAt.modifyTimeExtra)),
    accessed: decodeTime(u32(at.accessTime), extra(extraAt.accessTimeExtra)),
    changed: decodeTime(u32(at.changeTime), extra(extraAt.changeTimeExtra)),
    created:
      extraSize >= extraAt.creationTimeExtra + 4
        ? decodeTime(extra(extraAt.creationTime), extra(extraAt.creationTimeExtra))
        : undefined,
    block: raw.subarray(at.block, at.block + inodeBase.fields.block[1].sizeBytes),
    xattrBlock: u32(at.xattrBlockLow) + (layout.has64bit ? u16(at.xattrBlockHigh) * 2 ** 32 : 0),
    tail: extraSize === 0 ? nothing : raw.subarray(inodeBaseBytes + extraSize),
  };
}

const nothing = new Uint8Array(0);

/** How many bytes after the first 128 hold fields; 0 where there are none or their number cannot be. */
export function extraSizeOf(raw: Uint8Array): number {
  if (raw.length <= inodeBaseBytes) return 0;
  const place = inodeBaseBytes + extraAt.extraSize;
  const size = (raw[place] ?? 0) | ((raw[place + 1] ?? 0) << 8);
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
function hasWideSize(layout: ExtLayout, kind: EntryKind): boolean {
  return kind === "file" || (kind === "directory" && hasFeature(layout.features, "large_dir"));
}

function allocatedBytesOf(
  layout: ExtLayout,
  count: { readonly low: number; readonly high: number; readonly flags: number },
): number {
  if (!hasFeature(layout.features, "huge_file")) return count.low * 512;
  const units = count.low + count.high * 2 ** 32;
  return units * ((count.flags & inodeFlag.huge) === 0 ? 512 : layout.blockSizeBytes);
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
