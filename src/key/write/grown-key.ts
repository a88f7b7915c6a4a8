import { SliceDevice, SliceReader, OverlayDevice, PaddedReader, type BlockReader } from "../../device/index.ts";
import { growFileSystem, makeFileSystem, openFileSystem, treeOf, type FileSystem } from "../../filesystem/index.ts";
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
  const table = await readTable(image);
  const { isos } = partitionsOfKey(table, path);
  if (table === undefined) throw new TypeError("a key without a table");
  const oldEndBytes = isos.startBytes + isos.sizeBytes;
  // A GPT's backup behind the last partition is made anew at the end of the disk.
  const device = new OverlayDevice(new PaddedReader(image, { keptBytes: oldEndBytes, sizeBytes: diskBytes }));
  const room = await roomOf(image, table, isos, diskBytes);
  const isLast = room.followedBy === undefined;
  const endBytes = isLast ? Math.max(oldEndBytes, room.endBytes) : oldEndBytes;
  const grown = await growIsos({ image, device, isos, endBytes, nowMs });
  const afterBytes = grown.isChanged ? endBytes - isos.startBytes : isos.sizeBytes;
  const typeCode = grown.kind === "fat32" && table.kind === "mbr" ? mbrTypeCode("fat32-lba") : undefined;
  await resizePartition(device, table, {
    diskBytes,
    partition: isos.number,
    endBytes: isos.startBytes + afterBytes,
    ...(grown.isChanged && typeCode !== undefined ? { typeCode } : {}),
  });
  const after = await readTable(device);
  return {
    device,
    table: after ?? table,
    isos: { number: isos.number, kind: grown.kind, beforeBytes: isos.sizeBytes, afterBytes },
    notes: grown.notes,
  };
}

interface IsosGrowth {
  readonly image: BlockReader;
  readonly device: OverlayDevice;
  readonly isos: Partition;
  readonly endBytes: number;
  readonly nowMs: number;
}

interface GrownIsos {
  readonly kind: string;
  readonly isChanged: boolean;
  readonly notes: readonly string[];
}

async function growIsos(growth: IsosGrowth): Promise<GrownIsos> {
  const { image, device, isos, endBytes, nowMs } = growth;
  const { startBytes, sizeBytes } = isos;
  await using before = await openFileSystem(new SliceReader(image, startBytes, sizeBytes));
  const { kind } = before.info;
  if (endBytes - startBytes - sizeBytes < leastGrowthBytes) return { kind, isChanged: false, notes: [] };
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  if (kind.startsWith("fat")) return remakeFat(before, growth, now);
  const after = new SliceDevice(device, startBytes, endBytes - startBytes);
  await growFileSystem(after, { now, zeroFromBytes: sizeBytes });
  return { kind, isChanged: true, notes: [] };
}

/**
 * FAT has its tables in front of its files, so growing it in place would move them. A new one is made instead, with the
 * label and the number of the old, by which the menu finds it, and gets the files of the image.
 */
async function remakeFat(
  before: FileSystem,
  { device, isos, endBytes }: IsosGrowth,
  now: { readonly seconds: number; readonly nanoseconds: number },
): Promise<GrownIsos> {
  const { kind, label, uuid = "", sizeBytes, freeBytes } = before.info;
  if (sizeBytes - freeBytes > remadeLimitBytes) {
    const size = `isos keeps its ${formatSize(isos.sizeBytes)}`;
    const note = `${size}: a FAT with more than ${formatSize(remadeLimitBytes)} of files in it is not grown`;
    return { kind, isChanged: false, notes: [note] };
  }
  const afterBytes = Math.min(endBytes - isos.startBytes, fatLimitBytes);
  const wanted = isosFileSystem({ isosKind: "fat32", label }, afterBytes);
  const slice = new SliceDevice(device, isos.startBytes, afterBytes);
  const place = { startLba: isos.startBytes / 512, geometry: defaultGeometry };
  const notes = await makeFileSystem(slice, [treeOf(before, "/")], { wanted: { ...wanted, uuid, now }, place });
  return { kind: wanted.kind, isChanged: true, notes };
}
