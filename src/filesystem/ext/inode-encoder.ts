import type { EntryKind, Metadata, Timestamp } from "../../tree/index.ts";
import { encodeTime, inodeBase, inodeBaseBytes, inodeExtra, inodeFlag, inodeMode, newExtraSizeBytes } from "./inode.ts";
import type { InodeSlot } from "./inode-table-writer.ts";
import type { Feature } from "./features.ts";

/** Everything that an inode says of a file. */
export interface InodeRecord {
  readonly kind: EntryKind;
  readonly metadata: Metadata;
  readonly sizeBytes: number;
  readonly links: number;
  readonly flags: number;
  /** The 60 bytes for block map, short link target or device number. */
  readonly block: Uint8Array;
  /** All blocks that belong to the file, its map and attributes included. */
  readonly blockCount: number;
  readonly attributeBlock: number;
  readonly inInodeAttributes: Uint8Array;
}

/** What an inode's form depends on. */
export interface InodeForm {
  readonly blockSizeBytes: number;
  readonly profile: { readonly inodeSizeBytes: number; readonly now: Timestamp; readonly isReproducible: boolean };
  has(feature: Feature): boolean;
}

const sectorsLimit = 2 ** 48;

/** How many bytes of extra fields new inodes have. */
export function extraSizeOf(inodeSizeBytes: number): number {
  return inodeSizeBytes > inodeBaseBytes ? newExtraSizeBytes : 0;
}

/** Fills a slot of the inode table; whatever was there is gone. */
export function encodeInode(form: InodeForm, { bytes, at }: InodeSlot, record: InodeRecord): void {
  const { inodeSizeBytes } = form.profile;
  bytes.fill(0, at, at + inodeSizeBytes);
  const { mode, uid, gid } = record.metadata;
  const extraSize = extraSizeOf(inodeSizeBytes);
  const times = timesOf(form, record.metadata, extraSize > 0);
  const units = blockCountField(form, record.blockCount);
  inodeBase.patch(
    bytes,
    {
      mode: inodeMode(record.kind, mode),
      uidLow: uid % 0x10000,
      uidHigh: Math.floor(uid / 0x10000) % 0x10000,
      gidLow: gid % 0x10000,
      gidHigh: Math.floor(gid / 0x10000) % 0x10000,
      sizeLow: record.sizeBytes % 2 ** 32,
      sizeHigh: Math.floor(record.sizeBytes / 2 ** 32),
      accessTime: times.accessed.seconds,
      changeTime: times.changed.seconds,
      modifyTime: times.modified.seconds,
      linkCount: record.links,
      blockCountLow: units.count % 2 ** 32,
      blockCountHigh: Math.floor(units.count / 2 ** 32),
      flags: (record.flags | units.flag) >>> 0,
      block: record.block,
      xattrBlockLow: record.attributeBlock % 2 ** 32,
      xattrBlockHigh: Math.floor(record.attributeBlock / 2 ** 32) % 0x10000,
    },
    at,
  );
  if (extraSize === 0) return;
  inodeExtra.patch(
    bytes,
    {
      extraSize,
      changeTimeExtra: times.changed.extra,
      modifyTimeExtra: times.modified.extra,
      accessTimeExtra: times.accessed.extra,
      creationTime: times.created.seconds,
      creationTimeExtra: times.created.extra,
    },
    at + inodeBaseBytes,
  );
  bytes.set(record.inInodeAttributes, at + inodeBaseBytes + extraSize);
}

interface DiskTime {
  readonly seconds: number;
  readonly extra: number;
}

function timesOf(
  form: InodeForm,
  metadata: Metadata,
  hasExtra: boolean,
): Record<"accessed" | "changed" | "modified" | "created", DiskTime> {
  const { now, isReproducible } = form.profile;
  const encode = (time: Timestamp | undefined): DiskTime => {
    const kept = isReproducible ? metadata.modified : (time ?? metadata.modified);
    return encodeTime(isReproducible && kept.seconds > now.seconds ? now : kept, hasExtra);
  };
  return {
    accessed: encode(metadata.accessed),
    changed: encode(metadata.changed),
    modified: encode(metadata.modified),
    created: encodeTime(isReproducible ? now : (metadata.created ?? now), hasExtra),
  };
}

/** The block count in units of 512 bytes, or of blocks where a file of 2 TiB and more needs it (`huge_file`). */
export function blockCountField(
  form: InodeForm,
  blockCount: number,
): { readonly count: number; readonly flag: number } {
  const sectors = (blockCount * form.blockSizeBytes) / 512;
  if (sectors < 2 ** 32 || !form.has("huge_file")) return { count: Math.min(sectors, 2 ** 32 - 1), flag: 0 };
  if (sectors < sectorsLimit) return { count: sectors, flag: 0 };
  return { count: blockCount, flag: inodeFlag.huge };
}

/** A device number in the 60 bytes: the old form where it fits, as the kernel writes it. */
export function encodeDeviceNumber({ major, minor }: { readonly major: number; readonly minor: number }): Uint8Array {
  const block = new Uint8Array(60);
  const view = new DataView(block.buffer);
  if (major < 256 && minor < 256) view.setUint32(0, major * 256 + minor, true);
  else view.setUint32(4, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, true);
  return block;
}
