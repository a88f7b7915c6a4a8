import { bits64, bytes, Struct, u16, u32, u8, uuid, type StructRecord } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { claimed64 } from "../claimed-count.ts";
import { checksumKinds, isSealed } from "./checksums.ts";

/** "_BHRfS_M" */
const magic = 0x4d5f53665248425fn;
/** The superblock and its mirrors, as far as the device reaches. */
export const superblockPlaces = [65_536, 64 * 2 ** 20, 256 * 2 ** 30] as const;

/** btrfs documentation, "On-disk Format", Superblock; with the device's own item from 201 on. */
export const btrfsSuperblock = new Struct("btrfs superblock", 4096, {
  checksum: [0, bytes(32)],
  uuid: [32, uuid],
  at: [48, claimed64],
  flags: [56, bits64],
  magic: [64, bits64],
  generation: [72, claimed64],
  rootTree: [80, claimed64],
  chunkTree: [88, claimed64],
  logRoot: [96, claimed64],
  totalBytes: [112, claimed64],
  usedBytes: [120, claimed64],
  deviceCount: [136, claimed64],
  sectorBytes: [144, u32],
  nodeBytes: [148, u32],
  systemChunkBytes: [160, u32],
  chunkTreeGeneration: [164, claimed64],
  readOnlyCompatible: [180, bits64],
  incompatible: [188, bits64],
  checksumType: [196, u16],
  rootTreeLevel: [198, u8],
  chunkTreeLevel: [199, u8],
  logRootLevel: [200, u8],
  deviceId: [201, claimed64],
  deviceBytes: [209, claimed64],
  deviceUsedBytes: [217, claimed64],
  deviceUuid: [267, uuid],
  label: [299, bytes(256)],
  metadataUuid: [571, uuid],
  systemChunks: [811, bytes(2048)],
});

export type Superblock = StructRecord<typeof btrfsSuperblock>;

/** Bits of `flags`. */
export const superblockFlags = {
  error: 1n << 2n,
  seeding: 1n << 32n,
  metadataOnly: (1n << 33n) | (1n << 34n),
  changingUuid: (1n << 35n) | (1n << 36n),
} as const;

/** A superblock as it stands at one of its places. */
export interface PlacedSuperblock {
  readonly place: number;
  readonly superblock: Superblock;
  readonly isSealed: boolean;
}

/** What says that it is a superblock and where it is; whether it is sound is told with it. */
export async function superblockAt(reader: BlockReader, place: number): Promise<PlacedSuperblock | undefined> {
  if (place + btrfsSuperblock.sizeBytes > reader.sizeBytes) return undefined;
  const raw = await readBytes(reader, place, btrfsSuperblock.sizeBytes);
  const superblock = btrfsSuperblock.decode(raw);
  if (superblock.magic !== magic || superblock.at !== place) return undefined;
  return { place, superblock, isSealed: isSealed(checksumKinds[superblock.checksumType], raw) };
}

/** The newest mirror that is sound. */
export async function soundMirror(reader: BlockReader): Promise<PlacedSuperblock | undefined> {
  let newest: PlacedSuperblock | undefined;
  for (const place of superblockPlaces.slice(1)) {
    const found = await superblockAt(reader, place);
    if (found?.isSealed !== true) continue;
    if (newest === undefined || found.superblock.generation > newest.superblock.generation) newest = found;
  }
  return newest;
}

/** The superblock at its first place, or else a mirror; undefined where none is sound. */
export async function soundSuperblock(reader: BlockReader): Promise<PlacedSuperblock | undefined> {
  const first = await superblockAt(reader, superblockPlaces[0]);
  return first?.isSealed === true ? first : soundMirror(reader);
}
