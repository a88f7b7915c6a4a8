import { MemoryDevice } from "../../../src/device/index.ts";
import { makeExfat } from "../../../src/filesystem/exfat/index.ts";
import { fillSample } from "../fill-sample.ts";

export const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** An empty exFAT file system in memory. */
export async function emptyExfat(sizeBytes: number, clusterSizeBytes?: number): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(sizeBytes));
  const cluster = clusterSizeBytes === undefined ? {} : { clusterSizeBytes };
  await makeExfat(device, [], { kind: "exfat", label: "Sämple", uuid: "1234-ABCD", now, ...cluster });
  return device;
}

/** One with directories in each other, names of all lengths, and files of all sizes. */
export async function sampleExfat(sizeBytes: number, clusterSizeBytes?: number): Promise<MemoryDevice> {
  return fillSample(await emptyExfat(sizeBytes, clusterSizeBytes));
}
