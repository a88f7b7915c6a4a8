import type { EntryKind, Timestamp } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import type { FileStat } from "../file-system.ts";
import { inodeItem, type InodeRecord } from "./records.ts";

const kinds: Readonly<Record<number, EntryKind>> = {
  0o010000: "fifo",
  0o020000: "character",
  0o040000: "directory",
  0o060000: "block",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};
const kindMask = 0o170000;
const minorBits = 20n;

/** What an inode's item says. Throws `damaged` where it is cut off, or of no kind. */
export function decodeInode(item: Uint8Array, what: string): InodeRecord {
  if (item.length < inodeItem.sizeBytes) throw damaged(what, "its inode is cut off");
  const inode = inodeItem.decode(item);
  if (kinds[inode.mode & kindMask] === undefined) throw damaged(what, `0${inode.mode.toString(8)} cannot be its mode`);
  if (!Number.isSafeInteger(inode.sizeBytes)) throw damaged(what, "its size cannot be what it says");
  return inode;
}

export function kindOf({ mode }: Pick<InodeRecord, "mode">): EntryKind {
  return kinds[mode & kindMask] ?? "file";
}

export function statOf(id: number, inode: InodeRecord, xattrs: ReadonlyMap<string, Uint8Array>): FileStat {
  const { mode, uid, gid, links, sizeBytes, allocatedBytes, device } = inode;
  const kind = kindOf(inode);
  const isDevice = kind === "character" || kind === "block";
  return {
    id,
    kind,
    mode: mode & 0o7777,
    uid,
    gid,
    sizeBytes,
    allocatedBytes: Math.min(allocatedBytes, Number.MAX_SAFE_INTEGER),
    links,
    modified: timeOf(inode.modifiedSeconds, inode.modifiedNanoseconds),
    accessed: timeOf(inode.accessedSeconds, inode.accessedNanoseconds),
    changed: timeOf(inode.changedSeconds, inode.changedNanoseconds),
    // The top level has none: mkfs.btrfs leaves it out.
    ...(inode.createdSeconds === 0 ? {} : { created: timeOf(inode.createdSeconds, inode.createdNanoseconds) }),
    ...(xattrs.size === 0 ? {} : { xattrs }),
    ...(isDevice
      ? { device: { major: Number(device >> minorBits), minor: Number(device & ((1n << minorBits) - 1n)) } }
      : {}),
  };
}

function timeOf(seconds: number, nanoseconds: number): Timestamp {
  return { seconds, nanoseconds: nanoseconds % 1_000_000_000 };
}
