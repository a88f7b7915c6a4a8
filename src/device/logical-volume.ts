import * as fs from "node:fs";
import { deviceNumber } from "./device-number.ts";
import { filesIn, type SystemFiles } from "./system-files.ts";

/** A logical volume of LVM. */
export interface LogicalVolume {
  readonly group: string;
  readonly name: string;
}

/** Two identifiers of LVM's; what it keeps for itself, such as the pool of thin volumes, has an ending behind them. */
const volumeId = /^LVM-[A-Za-z0-9]{64}$/;

/** The volume that a device is, by any of its paths, as device mapper tells; undefined where it is none. `root` is where `sys` is. */
export function logicalVolumeOf(devicePath: string, root = "/"): LogicalVolume | undefined {
  const stat = fs.statSync(devicePath, { throwIfNoEntry: false });
  if (stat?.isBlockDevice() !== true) return undefined;
  return volumeIn(filesIn(root), `sys/dev/block/${deviceNumber(stat.rdev)}`);
}

/** The same for a device by its folder in sysfs. */
export function volumeIn(files: SystemFiles, folder: string): LogicalVolume | undefined {
  if (!volumeId.test(files.text(`${folder}/dm/uuid`) ?? "")) return undefined;
  // A dash within a name is written twice.
  const [, group, name] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(files.text(`${folder}/dm/name`) ?? "") ?? [];
  if (group === undefined || name === undefined) return undefined;
  return { group: group.replaceAll("--", "-"), name: name.replaceAll("--", "-") };
}

/** What device mapper calls a volume, in `/dev/mapper`. */
export function mappedName({ group, name }: LogicalVolume): string {
  return [group, name].map((part) => part.replaceAll("-", "--")).join("-");
}
