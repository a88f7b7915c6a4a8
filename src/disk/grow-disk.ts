import * as fs from "node:fs";
import { Failure, type JobOptions } from "../base/index.ts";
import { FileDevice, FileReader, SliceDevice, type BlockDevice } from "../device/index.ts";
import { growFileSystem } from "../filesystem/index.ts";
import { readTable, repairGpt, resizePartition } from "../partition/index.ts";
import { planDiskGrowth, type DiskGrowth, type GrowthRequest } from "./plan-growth.ts";
import type { ResizedDisk } from "./resize.ts";

export interface GrowDiskRequest extends GrowthRequest {
  /** Find out what would be done, and change nothing. */
  readonly isRehearsal: boolean;
  readonly nowMs: number;
}

/**
 * Makes a disk image larger: the file, the partition table, a partition, and the file system in it. Each step leaves a
 * disk that can be used, so what was cut off is finished by doing it again. Throws before anything is changed where a
 * part could not follow.
 */
export async function growDisk(request: GrowDiskRequest, job: JobOptions = {}): Promise<ResizedDisk> {
  const { path, isRehearsal, nowMs } = request;
  if (fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true) {
    throw new Failure("refused", `cannot grow "${path}": it is a real disk`);
  }
  if (isRehearsal) {
    await using reader = await FileReader.open(path);
    return reportOf(await planDiskGrowth(reader, request));
  }
  await using device = await FileDevice.openExclusively(path);
  await makeTableWhole(device);
  const growth = await planDiskGrowth(device, request);
  const { file, startBytes, endBytes } = growth;
  if (file.afterBytes > file.beforeBytes) await device.setSize(file.afterBytes);
  await growPartition(device, growth);
  const seconds = Math.floor(nowMs / 1000);
  const now = { seconds, nanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6) };
  const zeroFromBytes = file.afterBytes > file.beforeBytes ? Math.max(0, file.beforeBytes - startBytes) : Infinity;
  const slice = new SliceDevice(device, startBytes, endBytes - startBytes);
  const grown = await growFileSystem(slice, { now, zeroFromBytes, ...job });
  return reportOf({ ...growth, fileSystem: { kind: growth.fileSystem.kind, ...grown } });
}

/** Both copies of a GPT have to be whole before the end of the file, where the second is looked for, moves. */
async function makeTableWhole(device: BlockDevice): Promise<void> {
  const table = await readTable(device);
  if (table?.kind === "gpt" && table.problems.some(({ severity }) => severity === "error")) await repairGpt(device);
}

async function growPartition(device: BlockDevice, { table, partition, file, endBytes }: DiskGrowth): Promise<void> {
  if (table === undefined || partition === undefined) return;
  const isAsItShouldBe = partition.afterBytes === partition.beforeBytes && table.problems.length === 0;
  if (isAsItShouldBe && file.afterBytes === file.beforeBytes) return;
  await resizePartition(device, table, { diskBytes: file.afterBytes, partition: partition.number, endBytes });
}

function reportOf({ file, partition, fileSystem }: DiskGrowth): ResizedDisk {
  return { file, ...(partition === undefined ? {} : { partition }), fileSystem };
}
