import { Failure } from "../../base/index.ts";
import type { DeviceNumber, EntryKind, Timestamp } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import { blockPlace, type XfsLayout } from "./layout.ts";
import { xfsInode } from "./records.ts";
import { decodeTime } from "./time.ts";
import type { XfsSource } from "./xfs-source.ts";

/** How a fork of an inode is kept ("Data Fork"). */
export const forkFormats = { device: 0, local: 1, extents: 2, tree: 3 } as const;

/** What an inode has of data, or of attributes. */
export interface Fork {
  readonly format: number;
  /** What stands in the inode. */
  readonly bytes: Uint8Array;
  readonly extentCount: number;
}

export interface XfsInode {
  readonly id: number;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly sizeBytes: number;
  /** Of data, attributes and their trees. */
  readonly blockCount: number;
  readonly modified: Timestamp;
  readonly accessed: Timestamp;
  readonly changed: Timestamp;
  readonly created: Timestamp | undefined;
  readonly data: Fork;
  readonly attributes: Fork | undefined;
  readonly isShared: boolean;
}

const inodeMagic = 0x494e; // "IN"
const realtimeFlag = 0x1;
const moreFlags = { shared: 0x2, bigTime: 0x8, manyExtents: 0x10 } as const;
/** Where the forks begin. */
const oldCoreBytes = 100;

const kinds: Readonly<Record<number, EntryKind>> = {
  0o010000: "fifo",
  0o020000: "character",
  0o040000: "directory",
  0o060000: "block",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};

/** Where on its device an inode stands. Throws `damaged` where there is none of its number. */
export function inodePlace(source: XfsSource, id: number): number {
  const { layout } = source;
  const block = Math.floor(id / layout.inodesPerBlock);
  const place = Number.isSafeInteger(id) && id > 0 ? blockPlace(layout, block) : undefined;
  if (place === undefined) throw damaged(`inode ${id}`, "there is none of this number");
  return source.deviceAt(block, `inode ${id}`) + (id % layout.inodesPerBlock) * layout.inodeBytes;
}

/** Reads an inode that is in use. Throws `damaged` where there is none, or it contradicts itself. */
export async function readInode(source: XfsSource, id: number): Promise<XfsInode> {
  const bytes = await source.structures.bytes(inodePlace(source, id), source.layout.inodeBytes);
  return decodeInode(source.layout, id, bytes);
}

/** The inode that these bytes are. Throws `damaged` where they cannot be one. */
export function decodeInode(layout: XfsLayout, id: number, bytes: Uint8Array): XfsInode {
  const what = `inode ${id}`;
  const core = xfsInode.decode(bytes);
  const { version, mode, flags } = core;
  if (core.magic !== inodeMagic) throw damaged(what, "there is no inode where it should be");
  if (layout.hasChecksums ? version !== 3 : version !== 1 && version !== 2) {
    throw damaged(what, `it is of version ${version}`);
  }
  if (layout.hasChecksums) {
    if (!isSealed(bytes, xfsInode.fields.checksum[0])) throw damaged(what, "its checksum does not match");
    if (core.number !== id) throw damaged(what, `it says that it is inode ${core.number}`);
    if (core.uuid !== layout.metadataUuid) throw damaged(what, "it belongs to another file system");
  }
  const kind = kinds[mode & 0o170000];
  if (kind === undefined)
    throw damaged(what, mode === 0 ? "it is not in use" : `it is of no kind: ${mode.toString(8)}`);
  if ((flags & realtimeFlag) !== 0 && kind === "file") throw damaged(what, "its data is on a realtime device");
  const more = version === 3 ? core.moreFlags : 0;
  const time = (raw: bigint): Timestamp => decodeTime(raw, (more & moreFlags.bigTime) !== 0);
  return {
    id,
    kind,
    mode: mode & 0o7777,
    uid: core.uid,
    gid: core.gid,
    links: version === 1 ? core.oldLinks : core.links,
    sizeBytes: sizeOf(core.sizeBytes, what),
    blockCount: core.blockCount,
    modified: time(core.modified),
    accessed: time(core.accessed),
    changed: time(core.changed),
    created: version === 3 ? time(core.created) : undefined,
    ...forksOf(core, bytes, { hasMany: (more & moreFlags.manyExtents) !== 0, what }),
    isShared: (more & moreFlags.shared) !== 0,
  };
}

function sizeOf(sizeBytes: number, what: string): number {
  if (Number.isSafeInteger(sizeBytes)) return sizeBytes;
  throw damaged(what, `a size of ${sizeBytes} bytes cannot be`);
}

type Core = ReturnType<typeof xfsInode.decode>;

function forksOf(
  core: Core,
  bytes: Uint8Array,
  { hasMany, what }: { readonly hasMany: boolean; readonly what: string },
): Pick<XfsInode, "data" | "attributes"> {
  const start = core.version === 3 ? xfsInode.sizeBytes : oldCoreBytes;
  const attributesAt = core.attributeOffset === 0 ? bytes.length : start + core.attributeOffset * 8;
  if (attributesAt > bytes.length) throw damaged(what, `its attributes begin at byte ${attributesAt}`);
  const data = {
    format: core.format,
    bytes: bytes.subarray(start, attributesAt),
    extentCount: hasMany ? core.manyDataExtents : core.dataExtents,
  };
  if (core.attributeOffset === 0) return { data, attributes: undefined };
  const extentCount = hasMany ? core.dataExtents : core.attributeExtents;
  return { data, attributes: { format: core.attributeFormat, bytes: bytes.subarray(attributesAt), extentCount } };
}

/** Of an inode for a device, which one: 14 bits and 18 bits. */
export function deviceOf({ kind, data, id }: XfsInode): DeviceNumber | undefined {
  if (kind !== "character" && kind !== "block") return undefined;
  if (data.format !== forkFormats.device || data.bytes.length < 4) {
    throw damaged(`inode ${id}`, "it does not say which device it is");
  }
  const number = new DataView(data.bytes.buffer, data.bytes.byteOffset, 4).getUint32(0);
  return { major: number >>> 18, minor: number & 0x3ffff };
}

/** Throws `failed` for a file of another kind. */
export function refuseOtherKind(inode: XfsInode, wanted: EntryKind, action: string): void {
  if (inode.kind === wanted) return;
  throw new Failure("failed", `cannot ${action} inode ${inode.id}: it is a ${inode.kind}`);
}
