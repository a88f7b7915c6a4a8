import { integrity, tagIds } from "./records.ts";
import { tagProblem } from "./tag.ts";
import type { UdfSource } from "./udf-source.ts";
import type { VolumeDescriptors } from "./volume-descriptors.ts";

/** A volume that was opened and not closed again (ECMA-167 3/10.10.3). */
const typeOpen = 0;
const unknownCount = 0xffffffff;
/** Integrity descriptors are one after the other, a new one each time; each can lead to more. */
const descriptorLimit = 10_000;

/** The free blocks that the last integrity descriptor tells of; 0 where there is none, as on what is read only. */
export async function readFreeBlocks(source: UdfSource, { logical }: VolumeDescriptors): Promise<number> {
  const { blockSizeBytes } = source;
  let last: Uint8Array | undefined;
  let extent = { block: logical.integrityBlock, lengthBytes: logical.integrityBytes };
  let end = extent.block + Math.floor(extent.lengthBytes / blockSizeBytes);
  for (let n = 0, at = extent.block; n < descriptorLimit && at < end; n++) {
    if ((at + 1) * blockSizeBytes > source.reader.sizeBytes) break;
    const bytes = await source.structures.bytes(at * blockSizeBytes, blockSizeBytes);
    if (tagProblem(bytes, { ids: [tagIds.integrity], location: at }) !== undefined) break;
    last = bytes;
    at++;
    const { nextBlock, nextBytes } = integrity.decode(bytes);
    if (nextBytes === 0) continue;
    extent = { block: nextBlock, lengthBytes: nextBytes };
    at = extent.block;
    end = at + Math.floor(extent.lengthBytes / blockSizeBytes);
  }
  if (last === undefined) return 0;
  // On what is written once, the descriptor cannot be closed: the virtual table is the later one.
  const isWrittenOnce = source.partitionKinds.has("virtual");
  if (integrity.get(last, "type") === typeOpen && !isWrittenOnce)
    source.notes.push("it was not closed properly when it was last written");
  return freeIn(last);
}

function freeIn(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const room = Math.floor((bytes.length - integrity.sizeBytes) / 4);
  let sum = 0;
  for (let n = 0; n < Math.min(integrity.get(bytes, "partitionCount"), room); n++) {
    const count = view.getUint32(integrity.sizeBytes + n * 4, true);
    if (count !== unknownCount) sum += count;
  }
  return sum;
}
