import { Failure } from "../../base/index.ts";
import type { DeviceNumber, EntryKind } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import { blockPlace, type XfsLayout } from "./layout.ts";
import { xfsInode } from "./records.ts";
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
  readonly times: InodeTimes;
  readonly data: Fork;
  readonly attributes: Fork | undefined;
}

/** As the disk has them: most are never asked for. */
interface InodeTimes {
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
  readonly created: bigint | undefined;
  readonly areBig: boolean;
}

/** Inodes are many: they are not decoded field by field. */
const at = xfsInode.fields;
const inodeMagic = 0x494e; // "IN"
const realtimeFlag = 0x1;
const moreFlags = { bigTime: 0x8, manyExtents: 0x10 } as const;
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  refuseUnproven(layout, id, view, bytes);
  const version = view.getUint8(at.version[0]);
  const mode = view.getUint16(at.mode[0]);
  const kind = kinds[mode & 0o170000];
  if (kind === undefined)
    throw damaged(what, mode === 0 ? "it is not in use" : `it is of no kind: ${mode.toString(8)}`);
  if ((view.getUint16(at.flags[0]) & realtimeFlag) !== 0 && kind === "file") {
    throw damaged(what, "its data is on a realtime device");
  }
  const more = version === 3 ? view.getUint32(at.moreFlags[0]) : 0;
  const sizeBytes = wideAt(view, at.sizeBytes[0]);
  if (!Number.isSafeInteger(sizeBytes)) throw damaged(what, `a size of ${sizeBytes} bytes cannot be`);
  return {
    id,
    kind,
    mode: mode & 0o7777,
    uid: view.getUint32(at.uid[0]),
    gid: view.getUint32(at.gid[0]),
    links: version === 1 ? view.getUint16(at.oldLinks[0]) : view.getUint32(at.links[0]),
    sizeBytes,
    blockCount: wideAt(view, at.blockCount[0]),
    times: {
      accessed: view.getBigUint64(at.accessed[0]),
      modified: view.getBigUint64(at.modified[0]),
      changed: view.getBigUint64(at.changed[0]),
      created: version === 3 ? view.getBigUint64(at.created[0]) : undefined,
      areBig: (more & moreFlags.bigTime) !== 0,
    },
    ...forksOf(view, bytes, { version, hasMany: (more & moreFlags.manyExtents) !== 0, what }),
  };
}

function wideAt(view: DataView, place: number): number {
  return view.getUint32(place) * 2 ** 32 + view.getUint32(place + 4);
}

/** Throws `damaged` where there is no inode, or not this one. */
function refuseUnproven(layout: XfsLayout, id: number, view: DataView, bytes: Uint8Array): void {
  const what = `inode ${id}`;
  const version = view.getUint8(at.version[0]);
  if (view.getUint16(at.magic[0]) !== inodeMagic) throw damaged(what, "there is no inode where it should be");
  if (layout.hasChecksums ? version !== 3 : version !== 1 && version !== 2) {
    throw damaged(what, `it is of version ${version}`);
  }
  if (!layout.hasChecksums) return;
  if (!isSealed(bytes, at.checksum[0])) throw damaged(what, "its checksum does not match");
  const number = wideAt(view, at.number[0]);
  if (number !== id) throw damaged(what, `it says that it is inode ${number}`);
  const isOurs = layout.metadataUuid.every((byte, n) => bytes[at.uuid[0] + n] === byte);
  if (!isOurs) throw damaged(what, "it belongs to another file system");
}

function forksOf(
  view: DataView,
  bytes: Uint8Array,
  { version, hasMany, what }: { readonly version: number; readonly hasMany: boolean; readonly what: string },
): Pick<XfsInode, "data" | "attributes"> {
  const start = version === 3 ? xfsInode.sizeBytes : oldCoreBytes;
  const offset = view.getUint8(at.attributeOffset[0]) * 8;
  const attributesAt = offset === 0 ? bytes.length : start + offset;
  if (attributesAt > bytes.length) throw damaged(what, `its attributes begin at byte ${attributesAt}`);
  const narrow = view.getUint32(at.dataExtents[0]);
  const data = {
    format: view.getUint8(at.format[0]),
    bytes: bytes.subarray(start, attributesAt),
    extentCount: hasMany ? wideAt(view, at.manyDataExtents[0]) : narrow,
  };
  if (offset === 0) return { data, attributes: undefined };
  const attributes = {
    format: view.getUint8(at.attributeFormat[0]),
    bytes: bytes.subarray(attributesAt),
    extentCount: hasMany ? narrow : view.getUint16(at.attributeExtents[0]),
  };
  return { data, attributes };
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
