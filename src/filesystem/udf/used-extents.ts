import { Bitmap, type StructRecord } from "../../bytes/index.ts";
import type { Extent } from "../file-system.ts";
import { descriptorTag, spaceBitmap, tagIds, type partition } from "./records.ts";
import type { UdfSource } from "./udf-source.ts";
import type { VolumeDescriptors } from "./volume-descriptors.ts";

type Partition = StructRecord<typeof partition>;

/** How much of a bitmap is looked at together. */
const bitmapChunkBytes = 32 * 1024;
/** Access types from here on can be written again and again (ECMA-167 3/10.5.7). */
const firstRewritable = 3;

/** All but what the bitmap of a partition says is free, neighbours joined. */
export async function* usedExtents(
  source: UdfSource,
  { partitions }: VolumeDescriptors,
  volumeBytes: number,
): AsyncGenerator<Extent> {
  const { blockSizeBytes, reader } = source;
  const sizeBytes = Math.min(volumeBytes, reader.sizeBytes);
  let usedFrom = 0;
  for (const one of [...partitions.values()].toSorted((a, b) => a.startBlock - b.startBlock)) {
    for await (const { start, end } of freeRuns(source, one)) {
      const startBytes = Math.min(start * blockSizeBytes, sizeBytes);
      if (startBytes > usedFrom) yield { startBytes: usedFrom, lengthBytes: startBytes - usedFrom };
      usedFrom = Math.max(usedFrom, end * blockSizeBytes);
    }
  }
  if (sizeBytes > usedFrom) yield { startBytes: usedFrom, lengthBytes: sizeBytes - usedFrom };
}

/** The free blocks of a partition, by their places on the device; none where there is no bitmap that can be trusted. */
async function* freeRuns(
  source: UdfSource,
  one: Partition,
): AsyncGenerator<{ readonly start: number; readonly end: number }> {
  const { startBlock, blockCount, unallocatedBitmapBytes, unallocatedBitmapBlock, accessType } = one;
  const { blockSizeBytes, structures } = source;
  const at = (startBlock + unallocatedBitmapBlock) * blockSizeBytes;
  if (accessType < firstRewritable || unallocatedBitmapBytes < spaceBitmap.sizeBytes) return;
  if (at + unallocatedBitmapBytes > source.reader.sizeBytes) return;
  const head = await structures.bytes(at, spaceBitmap.sizeBytes);
  const { bitCount, byteCount } = spaceBitmap.decode(head);
  if (descriptorTag.get(head, "id") !== tagIds.spaceBitmap || bitCount !== blockCount) return;
  if (byteCount < bitCount / 8 || spaceBitmap.sizeBytes + byteCount > unallocatedBitmapBytes) return;
  for (let done = 0; done * 8 < bitCount; done += bitmapChunkBytes) {
    const lengthBytes = Math.min(bitmapChunkBytes, Math.ceil(bitCount / 8) - done);
    const bytes = await structures.bytes(at + spaceBitmap.sizeBytes + done, lengthBytes);
    const first = startBlock + done * 8;
    const count = Math.min(lengthBytes * 8, bitCount - done * 8);
    const bitmap = new Bitmap(count, bytes.slice());
    for (let n = bitmap.nextSet(0); n >= 0; n = bitmap.nextSet(n)) {
      const clear = bitmap.nextClear(n);
      yield { start: first + n, end: first + (clear < 0 ? count : clear) };
      if (clear < 0) break;
      n = clear;
    }
  }
}
