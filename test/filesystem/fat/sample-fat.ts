import { MemoryDevice } from "../../../src/device/index.ts";
import { makeFat, type FatOptions } from "../../../src/filesystem/fat/index.ts";
import { fillSample } from "../fill-sample.ts";

export const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** An empty FAT file system in memory. */
export async function emptyFat(
  kind: FatOptions["kind"],
  sizeBytes: number,
  clusterSizeBytes?: number,
): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(sizeBytes));
  const cluster = clusterSizeBytes === undefined ? {} : { clusterSizeBytes };
  await makeFat(device, [], { kind, label: "SAMPLE", uuid: "1234-ABCD", now, ...cluster });
  return device;
}

/** One with directories in each other, long and short names, and files of all sizes. */
export async function sampleFat(
  kind: FatOptions["kind"],
  sizeBytes: number,
  clusterSizeBytes?: number,
): Promise<MemoryDevice> {
  return fillSample(await emptyFat(kind, sizeBytes, clusterSizeBytes));
}
