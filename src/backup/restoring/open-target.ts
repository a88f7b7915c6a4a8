import * as fs from "node:fs";
import { Failure } from "../../base/index.ts";
import {
  confirmationOf,
  FileDevice,
  identifyPart,
  refuseChanged,
  refuseUnconfirmed,
  refuseUnwritable,
  type BlockIdentity,
  type DevicePart,
} from "../../device/index.ts";
import { showDisk, type DiskReport } from "../../disk/index.ts";
import type { RestorePlan } from "./restore-plan.ts";

/** A real disk, or a partition of one, that is to be restored onto. */
export interface DeviceTarget {
  readonly part: DevicePart;
  readonly contents?: DiskReport;
}

export function isBlockDevice(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true;
}

/** Looks at a device. Throws `refused` where it must not be written onto: nothing is written then. */
export async function lookAtTarget(path: string, backup: string): Promise<DeviceTarget> {
  const part = identifyPart(path, { action: "restore onto" });
  const { disk } = part;
  // Other partitions of the disk may be in use.
  refuseUnwritable({ ...disk, uses: part.partition?.uses ?? disk.uses }, `restore onto "${path}"`);
  if (disk.sectorSizeBytes !== 512) {
    throw new Failure(
      "refused",
      `cannot restore onto "${path}": it has sectors of ${disk.sectorSizeBytes} bytes, tables in backups count in 512`,
      { hint: "use a disk with sectors of 512 bytes, or restore single partitions to files" },
    );
  }
  refuseHolder(path, backup, disk);
  const contents = await contentsOf(disk.path);
  return { part, ...(contents === undefined ? {} : { contents }) };
}

/** Throws `refused` where a backup lies in a file system of the very disk or image. */
export function refuseHolder(path: string, backup: string, disk?: BlockIdentity): void {
  const target = fs.statSync(path, { throwIfNoEntry: false });
  for (let colon = backup.indexOf(":"); colon > 0; colon = backup.indexOf(":", colon + 1)) {
    const image = backup.slice(0, colon);
    const stat = fs.statSync(image, { throwIfNoEntry: false });
    if (stat === undefined || target === undefined || stat.isDirectory()) continue;
    const isDisk = disk !== undefined && stat.isBlockDevice() && identifyPart(image).disk.number === disk.number;
    if (!isDisk && (stat.ino !== target.ino || stat.dev !== target.dev)) continue;
    throw new Failure("refused", `cannot restore onto "${path}": it holds the backup`, {
      hint: "copy the backup to another disk first: holdfast disk get",
    });
  }
}

async function contentsOf(path: string): Promise<DiskReport | undefined> {
  try {
    return await showDisk(path);
  } catch (error) {
    if (error instanceof Failure) return undefined; // a table in ruins is no reason not to write over it
    throw error;
  }
}

export function planOf({ part, contents }: DeviceTarget): NonNullable<RestorePlan["device"]> {
  const { disk, partition } = part;
  return {
    identity: disk,
    confirmation: confirmationOf(disk),
    ...(contents === undefined ? {} : { contents }),
    isWhole: partition === undefined,
  };
}

/** Opens a device once it is confirmed to be the right one, and still is. */
export async function openConfirmed(
  { part: { disk, partition } }: DeviceTarget,
  { confirm, approve }: { readonly confirm: string | undefined; readonly approve: () => Promise<string | undefined> },
): Promise<FileDevice> {
  if (!disk.isRemovable) refuseUnconfirmed(disk, confirm);
  const typed = await approve();
  refuseUnconfirmed(disk, confirm ?? typed);
  const path = partition?.path ?? disk.path;
  await using stack = new AsyncDisposableStack();
  const device = stack.use(await FileDevice.openExclusively(path));
  refuseChanged(disk, identifyPart(path).disk);
  stack.move();
  return device;
}
