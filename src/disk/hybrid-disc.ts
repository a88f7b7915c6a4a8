import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { isDisc, openFileSystem, probe } from "../filesystem/index.ts";
import type { PartitionTable } from "../partition/index.ts";

/** The families of which the first 32 KiB are free, so that a partition table can stand before them. */
const discFamilies = new Set(["iso", "udf"]);
/** Where those begin. A partition that starts no later stands for the disc itself. */
const systemAreaBytes = 32 * 1024;

/**
 * Whether a device with a partition table is a CD or DVD all the same, made so that it boots from a stick too. It is
 * none where a partition begins on the disc and reaches beyond: then the disc was there before the partitions, and
 * only its first sectors are left.
 */
export async function isHybridDisc(reader: BlockReader, table: PartitionTable): Promise<boolean> {
  try {
    if (!(await isDisc(reader))) return false; // most are none: nothing else need be asked then
    const family = await probe(reader);
    if (family === undefined || !discFamilies.has(family)) return false;
    await using fileSystem = await openFileSystem(reader);
    const { sizeBytes } = fileSystem.info;
    return !table.partitions.some(({ startBytes, sizeBytes: lengthBytes }) => {
      return startBytes > systemAreaBytes && startBytes < sizeBytes && startBytes + lengthBytes > sizeBytes;
    });
  } catch (error) {
    if (error instanceof Failure) return false; // what is left of a disc can be torn
    throw error;
  }
}
