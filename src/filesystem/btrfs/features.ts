import { checksumKinds } from "./checksums.ts";
import { superblockFlags, type Superblock } from "./superblock.ts";

interface Feature {
  readonly bit: bigint;
  /** In the words of mkfs.btrfs. */
  readonly name: string;
  /** Whether this program reads what has it. */
  readonly isRead: boolean;
  /** Not worth telling: every file system of the last ten years has it. */
  readonly isCommon?: true;
}

const incompatible: readonly Feature[] = [
  { bit: 0x1n, name: "mixed-backref", isRead: true, isCommon: true },
  { bit: 0x2n, name: "default-subvol", isRead: true, isCommon: true },
  { bit: 0x4n, name: "mixed-bg", isRead: true },
  { bit: 0x8n, name: "compress-lzo", isRead: true },
  { bit: 0x10n, name: "compress-zstd", isRead: true },
  { bit: 0x20n, name: "big-metadata", isRead: true, isCommon: true },
  { bit: 0x40n, name: "extref", isRead: true },
  { bit: 0x80n, name: "raid56", isRead: true },
  { bit: 0x100n, name: "skinny-metadata", isRead: true },
  { bit: 0x200n, name: "no-holes", isRead: true },
  { bit: 0x400n, name: "metadata-uuid", isRead: true },
  { bit: 0x800n, name: "raid1c34", isRead: true },
  { bit: 0x1000n, name: "zoned", isRead: false },
  { bit: 0x2000n, name: "extent-tree-v2", isRead: false },
  { bit: 0x4000n, name: "raid-stripe-tree", isRead: false },
  { bit: 0x10000n, name: "squota", isRead: true },
  { bit: 0x20000n, name: "remap-tree", isRead: false },
];

const readOnlyCompatible: readonly Feature[] = [
  { bit: 0x1n, name: "free-space-tree", isRead: true },
  { bit: 0x2n, name: "free-space-tree-valid", isRead: true, isCommon: true },
  { bit: 0x4n, name: "verity", isRead: true },
  { bit: 0x8n, name: "block-group-tree", isRead: true },
];

/** What it was made with, in the words of mkfs.btrfs: the checksum first. */
export function incompatibleNames({ checksumType, incompatible: bits }: Superblock): string[] {
  return [checksumKinds[checksumType]?.name ?? "", ...namesIn(bits, incompatible)];
}

/** All of it, with what others may ignore who only read. */
export function featureNames(superblock: Superblock): string[] {
  return [...incompatibleNames(superblock), ...namesIn(superblock.readOnlyCompatible, readOnlyCompatible)];
}

function namesIn(bits: bigint, known: readonly Feature[]): string[] {
  return known.filter(({ bit, isCommon }) => (bits & bit) !== 0n && isCommon !== true).map(({ name }) => name);
}

/**
 * Why a btrfs is not looked into here, for after "it "; undefined where it is. What an unknown feature changes in how space is given
 * out cannot be known, so that even one that others may ignore while they only read would make a backup uncertain.
 */
export function whyUnread(superblock: Superblock): string | undefined {
  const { deviceCount, deviceId, checksumType, flags } = superblock;
  if (deviceCount !== 1) return `is spread over ${deviceCount} devices, of which this is number ${deviceId}`;
  const unread = [
    ...unreadNames(superblock.incompatible, incompatible, "incompatible"),
    ...unreadNames(superblock.readOnlyCompatible, readOnlyCompatible, "read-only-compatible"),
  ];
  if (unread.length > 0) return `has what this program does not know: ${unread.join(", ")}`;
  if ((superblock.incompatible & 1n) === 0n) return "is of 2008, before its format was fixed";
  if (checksumKinds[checksumType] === undefined) return `has checksums of an unknown kind, ${checksumType}`;
  if ((flags & superblockFlags.metadataOnly) !== 0n) return "is an image of metadata only, by btrfs-image";
  if ((flags & superblockFlags.changingUuid) !== 0n) return "was left while its UUID was being changed";
  return undefined;
}

function unreadNames(bits: bigint, known: readonly Feature[], kind: string): string[] {
  const names: string[] = [];
  for (let bit = 1n; bit < 1n << 64n; bit <<= 1n) {
    if ((bits & bit) === 0n) continue;
    const feature = known.find((one) => one.bit === bit);
    if (feature === undefined) names.push(`${kind} feature 0x${bit.toString(16)}`);
    else if (!feature.isRead) names.push(feature.name);
  }
  return names;
}
