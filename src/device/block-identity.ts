import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError } from "../base/index.ts";
import { deviceNumber } from "./device-number.ts";
import { mappedName, volumeIn } from "./logical-volume.ts";
import { usesOf, type DeviceUse } from "./block-uses.ts";
import { filesIn, type SystemFiles } from "./system-files.ts";

export type Transport = "usb" | "sata" | "scsi" | "nvme" | "mmc" | "virtio" | "loop" | "lvm" | "other";

/** What a whole disk is, as Linux tells it, and what of it is in use. */
export interface BlockIdentity {
  /** As the kernel calls it: `sdb`. */
  readonly name: string;
  /** `/dev/sdb`; of a logical volume `/dev/mapper/vg-root`. */
  readonly path: string;
  /** `8:16` */
  readonly number: string;
  readonly vendor: string;
  readonly model: string;
  /** What it says of itself; of a loop device the path of its file, of a logical volume `vg/root`. Absent where it says nothing. */
  readonly serial?: string;
  readonly transport: Transport;
  /** Made to be taken out, as it says itself; memory cards in a reader of their own are. */
  readonly isRemovable: boolean;
  readonly isReadOnly: boolean;
  readonly sizeBytes: number;
  readonly sectorSizeBytes: number;
  /** Counts the disks that were ever plugged in: another number under the same name is another disk. */
  readonly sequence?: string;
  readonly uses: readonly DeviceUse[];
}

export interface IdentifyOptions {
  /** Where `sys` and `proc` are; `/` unless told. */
  readonly root?: string;
  /** For messages: what is to be done with the device, `write onto` unless told. */
  readonly action?: string;
}

const sysfsSectorBytes = 512;
const usualAction = "write onto";

/**
 * Says what the disk under a path is, links followed. Throws `refused` where it is no block device or only a partition
 * of one, `not-found` where there is nothing.
 */
export function identifyDevice(devicePath: string, options: IdentifyOptions = {}): BlockIdentity {
  const stat = statOf(devicePath);
  const { action = usualAction } = options;
  if (!stat.isBlockDevice()) {
    throw new Failure("refused", `cannot ${action} "${devicePath}": it is not a block device`, {
      hint: "name a stick's device, such as /dev/sdb; lsblk lists them",
    });
  }
  return identityOf(devicePath, deviceNumber(stat.rdev), options);
}

/** A device to write onto: a whole disk, or one partition of it. */
export interface DevicePart {
  readonly disk: BlockIdentity;
  /** Absent for the whole disk. */
  readonly partition?: {
    readonly number: number;
    readonly path: string;
    readonly startBytes: number;
    readonly sizeBytes: number;
    /** Of this partition alone. */
    readonly uses: readonly DeviceUse[];
  };
}

/** Says what a path is that may be a disk or a partition of one. */
export function identifyPart(devicePath: string, options: IdentifyOptions = {}): DevicePart {
  const { root = "/" } = options;
  const stat = statOf(devicePath);
  const files = filesIn(root);
  const folder = stat.isBlockDevice() ? files.real(`sys/dev/block/${deviceNumber(stat.rdev)}`) : undefined;
  const number = folder === undefined ? undefined : files.text(`${folder}/partition`);
  if (folder === undefined || number === undefined) return { disk: identifyDevice(devicePath, options) };
  const bytesIn = (file: string): number => Number(files.text(`${folder}/${file}`) ?? "0") * sysfsSectorBytes;
  const name = path.basename(folder).replaceAll("!", "/");
  const disk = identityOf(devicePath, files.text(`${path.dirname(folder)}/dev`) ?? "", options);
  return {
    disk,
    partition: {
      number: Number(number),
      path: `/dev/${name}`,
      startBytes: bytesIn("start"),
      sizeBytes: bytesIn("size"),
      uses: usesOf(files, folder),
    },
  };
}

/** The same for a device by its number. */
export function identityOf(
  devicePath: string,
  number: string,
  { root = "/", action = usualAction }: IdentifyOptions = {},
): BlockIdentity {
  const files = filesIn(root);
  const folder = files.real(`sys/dev/block/${number}`);
  if (folder === undefined) {
    throw new Failure("refused", `cannot tell what "${devicePath}" is: the kernel does not show it in /sys`, {
      hint: "what it is has to be known before it is written to",
    });
  }
  const name = path.basename(folder);
  if (files.exists(`${folder}/partition`)) {
    const disk = path.basename(path.dirname(folder));
    throw new Failure("refused", `cannot ${action} "${devicePath}": it is a partition, a key takes a whole disk`, {
      hint: `its disk is /dev/${disk}`,
    });
  }
  const volume = volumeIn(files, folder);
  const transport = volume === undefined ? transportOf(files, folder, name) : "lvm";
  const serial = volume === undefined ? serialOf(files, folder, transport) : `${volume.group}/${volume.name}`;
  const sequence = files.text(`${folder}/diskseq`);
  return {
    name,
    path: volume === undefined ? `/dev/${name.replaceAll("!", "/")}` : `/dev/mapper/${mappedName(volume)}`,
    number,
    vendor: files.text(`${folder}/device/vendor`) ?? "",
    model: files.text(`${folder}/device/model`) ?? files.text(`${folder}/device/name`) ?? "",
    ...(serial === undefined ? {} : { serial }),
    transport,
    isRemovable: files.text(`${folder}/removable`) === "1" || files.text(`${folder}/device/type`) === "SD",
    isReadOnly: files.text(`${folder}/ro`) === "1",
    sizeBytes: Number(files.text(`${folder}/size`) ?? "0") * sysfsSectorBytes,
    sectorSizeBytes: Number(files.text(`${folder}/queue/logical_block_size`) ?? "512"),
    ...(sequence === undefined ? {} : { sequence }),
    uses: usesOf(files, folder),
  };
}

function statOf(devicePath: string): fs.Stats {
  try {
    return fs.statSync(devicePath);
  } catch (error) {
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot find the device "${devicePath}"`, {
      hint: "lsblk lists those there are",
      cause: error,
    });
  }
}

/** Its name tells what it hangs on, or the chain of devices above it does. */
function transportOf(files: SystemFiles, folder: string, name: string): Transport {
  if (/^loop\d/.test(name)) return "loop";
  if (/^nvme\d/.test(name)) return "nvme";
  if (/^mmcblk\d/.test(name)) return "mmc";
  const device = files.real(`${folder}/device`) ?? folder;
  if (/\/usb\d+\//.test(device)) return "usb";
  if (/\/virtio\d+(\/|$)/.test(device)) return "virtio";
  if (/\/ata\d+\//.test(device)) return "sata";
  return /\/target\d/.test(device) ? "scsi" : "other";
}

function serialOf(files: SystemFiles, folder: string, transport: Transport): string | undefined {
  if (transport === "loop") return files.text(`${folder}/loop/backing_file`);
  const found =
    (transport === "usb" ? usbSerial(files, folder) : undefined) ??
    files.text(`${folder}/device/serial`) ??
    files.text(`${folder}/serial`) ??
    files.pageText(`${folder}/device/vpd_pg80`) ??
    files.text(`${folder}/device/wwid`);
  return found === "" ? undefined : found;
}

/** The nearest device above it that is one of USB, and not a part of one, has the number. */
function usbSerial(files: SystemFiles, folder: string): string | undefined {
  for (let at = files.real(`${folder}/device`) ?? ""; at.length > 1; at = path.dirname(at)) {
    if (files.exists(`${at}/idVendor`)) return files.text(`${at}/serial`);
  }
  return undefined;
}
