import * as fs from "node:fs";
import * as path from "node:path";
import { deviceNumber } from "./device-number.ts";
import { filesIn, type SystemFiles } from "./system-files.ts";

/** A partition that Linux shows as a device, and the disk that it is on. */
export interface BlockPartition {
  /** `/dev/sdb` */
  readonly diskPath: string;
  /** `/dev/sdb2` */
  readonly path: string;
  readonly number: number;
}

/** The disk of a device that is a partition; undefined where it is none, or no device at all. */
export function partitionOf(devicePath: string): BlockPartition | undefined {
  const files = filesIn("/");
  const folder = folderOf(files, devicePath);
  const number = folder === undefined ? undefined : files.text(`${folder}/partition`);
  if (folder === undefined || number === undefined) return undefined;
  return { diskPath: nodePath(path.dirname(folder)), path: nodePath(folder), number: Number(number) };
}

/** The partitions of a disk that Linux shows as devices, by number; none where it has not looked at its table. */
export function partitionsOf(diskPath: string): readonly BlockPartition[] {
  const files = filesIn("/");
  const folder = folderOf(files, diskPath);
  if (folder === undefined) return [];
  const partitions = files.names(folder).flatMap((name) => {
    const number = files.text(`${folder}/${name}/partition`);
    if (number === undefined) return [];
    return [{ diskPath: nodePath(folder), path: nodePath(name), number: Number(number) }];
  });
  return partitions.sort((a, b) => a.number - b.number);
}

function folderOf(files: SystemFiles, devicePath: string): string | undefined {
  const stat = fs.statSync(devicePath, { throwIfNoEntry: false });
  if (stat?.isBlockDevice() !== true) return undefined;
  return files.real(`sys/dev/block/${deviceNumber(stat.rdev)}`);
}

/** Names such as `cciss!c0d0` stand for paths. */
function nodePath(folder: string): string {
  return `/dev/${path.basename(folder).replaceAll("!", "/")}`;
}
