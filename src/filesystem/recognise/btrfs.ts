import { createHash } from "node:crypto";
import { bits64, blake2b256, bytes, crc32c, formatSize, Struct, u16, u32, uuid, xxhash64 } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { claimed64 } from "../claimed-count.ts";
import {
  bytesAt,
  namesOfBits,
  nothingKnown,
  paddedText,
  Remarks,
  type Recognised,
  type Recogniser,
} from "./recognised.ts";

/** "_BHRfS_M" */
const magic = 0x4d5f53665248425fn;
/** The superblock and its mirrors, as far as the device reaches. */
const places = [65_536, 64 * 2 ** 20, 256 * 2 ** 30] as const;

/** btrfs documentation, "On-disk Format", Superblock; with the device's own item from 201 on. */
export const btrfsSuperblock = new Struct("btrfs superblock", 4096, {
  checksum: [0, bytes(32)],
  uuid: [32, uuid],
  at: [48, claimed64],
  flags: [56, bits64],
  magic: [64, bits64],
  generation: [72, claimed64],
  logRoot: [96, claimed64],
  totalBytes: [112, claimed64],
  usedBytes: [120, claimed64],
  deviceCount: [136, claimed64],
  sectorBytes: [144, u32],
  nodeBytes: [148, u32],
  incompatible: [188, bits64],
  checksumType: [196, u16],
  deviceId: [201, claimed64],
  deviceBytes: [209, claimed64],
  deviceUsedBytes: [217, claimed64],
  deviceUuid: [267, uuid],
  label: [299, bytes(256)],
});

type Superblock = ReturnType<typeof btrfsSuperblock.decode>;

/** Bits of `flags`. */
const errorFlag = 1n << 2n;
const seedingFlag = 1n << 32n;
const imageFlags = (1n << 33n) | (1n << 34n);

/** By type: how a checksum is named, and made. */
const checksums: readonly { readonly name: string; readonly of: (bytes: Uint8Array) => Uint8Array }[] = [
  { name: "crc32c", of: (checked) => littleEndian(BigInt(~crc32c(checked) >>> 0), 4) },
  { name: "xxhash64", of: (checked) => littleEndian(xxhash64(checked), 8) },
  { name: "sha256", of: (checked) => createHash("sha256").update(checked).digest() },
  { name: "blake2b", of: blake2b256 },
];
const checkedFrom = 32;

/** Of the lower half of `incompatible`, in the words of mkfs.btrfs. */
const featureNames = {
  0x4: "mixed-bg",
  0x8: "compress-lzo",
  0x10: "compress-zstd",
  0x40: "extref",
  0x80: "raid56",
  0x100: "skinny-metadata",
  0x200: "no-holes",
  0x400: "metadata-uuid",
  0x800: "raid1c34",
  0x1000: "zoned",
  0x2000: "extent-tree-v2",
  0x4000: "raid-stripe-tree",
  0x10000: "squota",
};

export const btrfs: Recogniser = { first: recogniseBtrfs, second: recogniseBySecond };

async function recogniseBtrfs(reader: BlockReader): Promise<Recognised | undefined> {
  const raw = await signedAt(reader, places[0]);
  if (raw === undefined) return undefined;
  const remarks = new Remarks();
  if (isSealed(raw)) return described(btrfsSuperblock.decode(raw), remarks);
  const mirror = await soundMirror(reader);
  if (mirror !== undefined) {
    remarks.error("the checksum of the btrfs superblock does not match: a mirror is used");
    return described(mirror, remarks);
  }
  remarks.error("the checksum of the btrfs superblock does not match, and no mirror is sound");
  const unproven = btrfsSuperblock.decode(raw);
  return { ...nothingKnown("btrfs", reader, remarks), label: paddedText(unproven.label), uuid: unproven.uuid };
}

async function recogniseBySecond(reader: BlockReader): Promise<Recognised | undefined> {
  const mirror = await soundMirror(reader);
  if (mirror === undefined) return undefined;
  const remarks = new Remarks();
  remarks.error("the btrfs superblock is gone: a mirror is used");
  return described(mirror, remarks);
}

/** The newest mirror that is sound. */
async function soundMirror(reader: BlockReader): Promise<Superblock | undefined> {
  let newest: Superblock | undefined;
  for (const at of places.slice(1)) {
    const raw = await signedAt(reader, at);
    if (raw === undefined || !isSealed(raw)) continue;
    const mirror = btrfsSuperblock.decode(raw);
    if (newest === undefined || mirror.generation > newest.generation) newest = mirror;
  }
  return newest;
}

/** A superblock that says that it is one, and where it is. */
async function signedAt(reader: BlockReader, at: number): Promise<Uint8Array | undefined> {
  const raw = await bytesAt(reader, at, btrfsSuperblock.sizeBytes);
  if (raw === undefined || btrfsSuperblock.get(raw, "magic") !== magic) return undefined;
  return btrfsSuperblock.get(raw, "at") === at ? raw : undefined;
}

function isSealed(raw: Uint8Array): boolean {
  const { checksumType, checksum } = btrfsSuperblock.decode(raw);
  const made = checksums[checksumType]?.of(raw.subarray(checkedFrom));
  return made !== undefined && Buffer.from(checksum.subarray(0, made.length)).equals(made);
}

function littleEndian(value: bigint, sizeBytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return new Uint8Array(view.buffer, 0, sizeBytes);
}

function described(superblock: Superblock, remarks: Remarks): Recognised {
  const { deviceCount, deviceId, deviceBytes, totalBytes, flags, checksumType, incompatible } = superblock;
  // Of several devices, each has what was given out of it; how much of that is in use only the trees know.
  const isOneOfMany = deviceCount > 1;
  const sizeBytes = isOneOfMany ? deviceBytes : totalBytes;
  const usedBytes = isOneOfMany ? superblock.deviceUsedBytes : superblock.usedBytes;
  if (isOneOfMany) {
    const whole = `${formatSize(superblock.usedBytes)} of ${formatSize(totalBytes)} are used`;
    remarks.note(`device ${deviceId} of a btrfs of ${deviceCount}; in all of it ${whole}`);
  }
  if (superblock.logRoot !== 0) remarks.note("not unmounted cleanly: its log waits to be replayed");
  if ((flags & seedingFlag) !== 0n) remarks.note("a seed: it can only be read");
  if ((flags & imageFlags) !== 0n) remarks.note("an image of metadata only, by btrfs-image");
  if ((flags & errorFlag) !== 0n) remarks.error("btrfs is marked as having errors");
  return {
    kind: "btrfs",
    label: paddedText(superblock.label),
    uuid: superblock.uuid,
    sizeBytes,
    blockSizeBytes: superblock.sectorBytes,
    usedBytes,
    freeBytes: sizeBytes - usedBytes,
    features: [checksums[checksumType]?.name ?? "", ...namesOfBits(Number(incompatible & 0xffffffffn), featureNames)],
    ...remarks.told,
  };
}
