import {
  SliceDevice,
  SliceReader,
  MappedReader,
  OverlayDevice,
  type BlockReader,
  type MappedStretch,
} from "../../device/index.ts";
import {
  growFileSystem,
  makeFileSystem,
  openFileSystem,
  treeOf,
  widenExfat,
  widenFat,
  type FileSystem,
} from "../../filesystem/index.ts";
import {
  defaultGeometry,
  mbrTypeCode,
  readTable,
  resizePartition,
  roomOf,
  type Partition,
  type PartitionTable,
} from "../../partition/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { partitionsOfKey } from "../open-key.ts";
import { isosFileSystem } from "../plan-key.ts";

const mib = 2 ** 20;
/** What is gained by less is not worth a change. */
const leastGrowthBytes = 8 * mib;
/** A new FAT is put together in memory, with all its files. */
const remadeLimitBytes = 64 * mib;
/** FAT counts its sectors in 32 bits. */
const fatLimitBytes = 2 ** 32 * 512 - mib;

/** A key as it is to be on a disk of some size. Nothing of it is written anywhere. */
export interface GrownKey {
  /** As large as the disk. */
  readonly device: OverlayDevice;
  readonly table: PartitionTable;
  readonly isos: {
    readonly number: number;
    readonly kind: string;
    readonly beforeBytes: number;
    readonly afterBytes: number;
  };
  /** What a user should know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * The key in an image with its isos as large as a disk lets it be. What changes is held in memory, over the image,
 * which has to stay open. The same image and size give the same bytes, if `nowMs` is the same.
 */
export async function growKey(
  image: BlockReader,
  { path, diskBytes, nowMs }: { readonly path: string; readonly diskBytes: number; readonly nowMs: number },
): Promise<GrownKey> {
  const { table, isos } = partitionsOfKey(await readTable(image), path);
  const room = await roomOf(image, table, isos, diskBytes);
  const oldEndBytes = isos.startBytes + isos.sizeBytes;
  const endBytes = room.followedBy === undefined ? Math.max(oldEndBytes, room.endBytes) : oldEndBytes;
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  const grown = await growIsos({ image, diskBytes, isos, roomBytes: endBytes - isos.startBytes, now });
  const isChanged = grown.sizeBytes !== isos.sizeBytes;
  const becomesLarge = isChanged && grown.kind === "fat32" && table.kind === "mbr";
  await resizePartition(grown.device, table, {
    diskBytes,
    partition: isos.number,
    endBytes: isos.startBytes + grown.sizeBytes,
    ...(becomesLarge ? { typeCode: mbrTypeCode("fat32-lba") } : {}),
  });
  const { kind, notes, device } = grown;
  return {
    device,
    table: (await readTable(device)) ?? table,
    isos: { number: isos.number, kind, beforeBytes: isos.sizeBytes, afterBytes: grown.sizeBytes },
    notes,
  };
}

interface IsosGrowth {
  readonly image: BlockReader;
  readonly diskBytes: number;
  readonly isos: Partition;
  /** What isos could take on the disk. */
  readonly roomBytes: number;
  readonly now: { readonly seconds: number; readonly nanoseconds: number };
}

interface GrownIsos {
  /** All of the key, but for what the table is to say. */
  readonly device: OverlayDevice;
  readonly kind: string;
  /** Of the partition. */
  readonly sizeBytes: number;
  readonly notes: readonly string[];
}

async function growIsos(growth: IsosGrowth): Promise<GrownIsos> {
  const { image, isos, roomBytes, now } = growth;
  const { startBytes, sizeBytes } = isos;
  await using before = await openFileSystem(new SliceReader(image, startBytes, sizeBytes));
  const { kind } = before.info;
  if (roomBytes - sizeBytes < leastGrowthBytes) return { ...unchanged(growth), kind, notes: [] };
  if (kind.startsWith("fat") || kind === "exfat") return await growFat(before, growth);
  const device = mapped(growth, sizeBytes);
  await growFileSystem(new SliceDevice(device, startBytes, roomBytes), { now, zeroFromBytes: sizeBytes });
  return { device, kind, sizeBytes: roomBytes, notes: [] };
}

/** A GPT's backup behind the last partition is not kept: it is made anew at the end of the disk. */
function unchanged(growth: IsosGrowth): Pick<GrownIsos, "device" | "sizeBytes"> {
  const { sizeBytes } = growth.isos;
  return { device: mapped(growth, sizeBytes), sizeBytes };
}

/** The image up to so many bytes of isos, then stretches of it that are to be elsewhere. */
function mapped(
  { image, diskBytes, isos: { startBytes } }: IsosGrowth,
  keptBytes: number,
  stretches: readonly MappedStretch[] = [],
): OverlayDevice {
  const inIsos = stretches.map(({ at, from, lengthBytes }) => ({
    at: startBytes + at,
    from: startBytes + from,
    lengthBytes,
  }));
  const kept = { at: 0, from: 0, lengthBytes: startBytes + keptBytes };
  return new OverlayDevice(new MappedReader(image, diskBytes, [kept, ...inIsos]));
}

/**
 * FAT and exFAT have their tables in front of their files, which stand further behind when the tables are longer. With few files a new
 * one is made, which has clusters that suit its size, with the label and the number of the old, by which the menu
 * finds it.
 */
async function growFat(before: FileSystem, growth: IsosGrowth): Promise<GrownIsos> {
  const { image, isos, now } = growth;
  const { kind, label, uuid = "", sizeBytes, freeBytes } = before.info;
  const isExfat = kind === "exfat";
  const roomBytes = isExfat ? growth.roomBytes : Math.min(growth.roomBytes, fatLimitBytes);
  if (sizeBytes - freeBytes <= remadeLimitBytes) {
    const device = mapped(growth, 0);
    const wanted = isosFileSystem({ isosKind: isExfat ? "exfat" : "fat32", label }, roomBytes);
    const place = { startLba: isos.startBytes / 512, geometry: defaultGeometry };
    const options = { wanted: { ...wanted, uuid, now }, place };
    const notes = await makeFileSystem(
      new SliceDevice(device, isos.startBytes, roomBytes),
      [treeOf(before, "/")],
      options,
    );
    return { device, kind: wanted.kind, sizeBytes: roomBytes, notes };
  }
  const wide = await (isExfat ? widenExfat : widenFat)(
    new SliceReader(image, isos.startBytes, isos.sizeBytes),
    roomBytes,
  );
  if (wide === undefined) {
    const note = `isos keeps its ${formatSize(isos.sizeBytes)}: a ${kind} with clusters of this size is not grown`;
    return { ...unchanged(growth), kind, notes: [note] };
  }
  const device = mapped(growth, 0, wide.stretches);
  for (const { at, bytes } of wide.patches) await device.write(isos.startBytes + at, bytes);
  return { device, kind, sizeBytes: roomBytes, notes: [] };
}
