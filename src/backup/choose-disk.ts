import { Failure } from "../base/index.ts";
import type { BackupDisk, BackupFolder } from "./clonezilla/index.ts";

/** The only disk, or the one that is named. */
export function chooseDisk({ disks, path }: BackupFolder, name: string | undefined): BackupDisk {
  const [first] = disks;
  const names = disks.map((disk) => disk.name).join(", ");
  if (first === undefined) {
    throw new Failure("unsupported", `cannot restore a disk from "${path}": it is a backup of single partitions`, {
      hint: "--partition restores one of them",
    });
  }
  if (name === undefined && disks.length === 1) return first;
  const found = disks.find((disk) => disk.name === name);
  if (found !== undefined) return found;
  if (name === undefined) {
    throw new Failure("usage", `cannot choose a disk of "${path}": it has several`, {
      hint: `--disk is one of ${names}`,
    });
  }
  throw new Failure("not-found", `cannot find the disk ${name} in "${path}"`, { hint: `it has ${names}` });
}
