import { Failure } from "../../base/index.ts";
import type { StructRecord } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import type { Anchor } from "./anchor.ts";
import { damaged } from "../damaged.ts";
import { descriptorTag, logicalVolume, partition, primaryVolume, tagIds, volumePointer } from "./records.ts";
import { tagProblem } from "./tag.ts";

/** What the volume descriptors of a device tell. */
export interface VolumeDescriptors {
  readonly primary: StructRecord<typeof primaryVolume> | undefined;
  readonly logical: StructRecord<typeof logicalVolume>;
  /** The partition maps of the logical volume. */
  readonly maps: Uint8Array;
  /** By their numbers. */
  readonly partitions: ReadonlyMap<number, StructRecord<typeof partition>>;
}

/** A sequence with more descriptors, or parts, is damaged; one has 16 mostly. */
const descriptorLimit = 4096;
const partLimit = 64;

interface Sequence {
  readonly block: number;
  readonly lengthBytes: number;
}

/** Reads the descriptors that an anchor leads to: the main sequence, or where that cannot be used the reserve. */
export async function readVolumeDescriptors(
  reader: BlockReader,
  { blockSizeBytes, main, reserve }: Anchor,
): Promise<VolumeDescriptors & { readonly isReserve: boolean }> {
  try {
    return { ...(await readSequence(reader, main, blockSizeBytes)), isReserve: false };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const descriptors = await readSequence(reader, reserve, blockSizeBytes).catch(() => undefined);
    if (descriptors === undefined) throw error;
    return { ...descriptors, isReserve: true };
  }
}

/** One of the two sequences. Throws `damaged` where it does not describe a volume. */
export async function readSequence(
  reader: BlockReader,
  sequence: Sequence,
  blockSizeBytes: number,
): Promise<VolumeDescriptors> {
  const latest = new Latest();
  for await (const bytes of descriptorsOf(reader, sequence, blockSizeBytes)) latest.add(bytes);
  const logical = latest.bytes(tagIds.logicalVolume);
  if (logical === undefined) throw damaged("the UDF volume", "there is no logical volume descriptor");
  const record = logicalVolume.decode(logical);
  const mapsEnd = logicalVolume.sizeBytes + record.mapBytes;
  if (mapsEnd > logical.length) throw damaged("the UDF volume", "its partition maps do not fit their block");
  if (record.blockSizeBytes !== blockSizeBytes) {
    throw damaged(
      "the UDF volume",
      `its blocks are of ${record.blockSizeBytes} bytes, those of its anchor ${blockSizeBytes}`,
    );
  }
  const primary = latest.bytes(tagIds.primaryVolume);
  return {
    primary: primary === undefined ? undefined : primaryVolume.decode(primary),
    logical: record,
    maps: logical.subarray(logicalVolume.sizeBytes, mapsEnd),
    partitions: latest.partitions,
  };
}

/** Of several descriptors of a kind the one with the highest sequence number. */
class Latest {
  readonly partitions = new Map<number, StructRecord<typeof partition>>();
  readonly #byId = new Map<number, Uint8Array>();

  add(bytes: Uint8Array): void {
    const id = descriptorTag.get(bytes, "id");
    if (id === tagIds.partition) {
      const record = partition.decode(bytes);
      const known = this.partitions.get(record.number);
      if (known === undefined || known.sequence <= record.sequence) this.partitions.set(record.number, record);
      return;
    }
    const known = this.#byId.get(id);
    if (known === undefined || sequenceOf(known) <= sequenceOf(bytes)) this.#byId.set(id, bytes);
  }

  bytes(id: number): Uint8Array | undefined {
    return this.#byId.get(id);
  }
}

function sequenceOf(bytes: Uint8Array): number {
  return primaryVolume.get(bytes, "sequence"); // where all have it
}

const known: readonly number[] = [tagIds.primaryVolume, tagIds.partition, tagIds.logicalVolume, tagIds.volumePointer];

/** The descriptors of a sequence that are known here and good, up to its end. */
async function* descriptorsOf(
  reader: BlockReader,
  first: Sequence,
  blockSizeBytes: number,
): AsyncGenerator<Uint8Array> {
  let sequence: Sequence | undefined = first;
  let count = 0;
  for (let parts = 0; sequence !== undefined && parts < partLimit; parts++) {
    const { block, lengthBytes }: Sequence = sequence;
    sequence = undefined;
    const end = block + Math.floor(lengthBytes / blockSizeBytes);
    for (let at = block; at < end && count < descriptorLimit; at++, count++) {
      if ((at + 1) * blockSizeBytes > reader.sizeBytes) return;
      const bytes = await readBytes(reader, at * blockSizeBytes, blockSizeBytes);
      const id = descriptorTag.get(bytes, "id");
      if (id === tagIds.terminating || id === 0) break;
      if (!known.includes(id) || tagProblem(bytes, { ids: [id], location: at }) !== undefined) continue;
      if (id === tagIds.volumePointer) {
        const { nextBlock, nextBytes } = volumePointer.decode(bytes);
        sequence = { block: nextBlock, lengthBytes: nextBytes };
        break;
      }
      yield bytes;
    }
  }
}
