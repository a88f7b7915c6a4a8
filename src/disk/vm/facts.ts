import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, type JobOptions } from "../../base/index.ts";
import { FileReader } from "../../device/index.ts";
import { howItStarts } from "../how-it-starts.ts";
import type { MachineArchitecture, MachineFirmware } from "../machine/index.ts";
import type { Place } from "../place.ts";
import type { DiskReport, FileSystemReport } from "../report.ts";
import { showDisk } from "../show-disk.ts";
import { identifyImage, type ImageFormat } from "./image-format.ts";
import { readKernel, type KernelFacts } from "./kernel-facts.ts";

/** What a virtual machine has to know of its disk. */
export interface DiskFacts {
  /** Absolute. */
  readonly path: string;
  readonly isBlockDevice: boolean;
  readonly format: ImageFormat;
  /** The firmware that finds something to start on it; undefined where the format is not looked into. */
  readonly firmwares: readonly MachineFirmware[] | undefined;
  readonly architecture: MachineArchitecture;
  /** Tells this disk from others: its own identifier, or else its path. */
  readonly id: string;
  /** It holds a kernel or a file system of Linux, so that the drivers of virtual devices can be expected. */
  readonly isLinux: boolean;
  /** The newest kernel that was found. */
  readonly kernel?: KernelFacts;
}

const linuxKinds = /^(ext|btrfs|xfs|f2fs|luks|lvm2|squashfs|swap)/;

/** Looks at a disk without changing it. A kernel is searched where the place says, and must be there if `mustHaveKernel`. */
export async function readDiskFacts(
  place: Place,
  options: JobOptions & { readonly mustHaveKernel: boolean },
): Promise<DiskFacts> {
  const common = {
    path: path.resolve(place.image),
    isBlockDevice: fs.statSync(place.image, { throwIfNoEntry: false })?.isBlockDevice() === true,
  };
  const mustBeThere = options.mustHaveKernel || place.partition !== undefined;
  const format = await formatOf(place.image);
  if (format !== "raw") {
    if (mustBeThere) throw notLookedInto(place.image, format);
    return { ...common, format, firmwares: undefined, architecture: "x86_64", id: common.path, isLinux: true };
  }
  const report = await showDisk(place.image, options);
  const start = await howItStarts(place.image);
  if (start.isDisc) throw isDisc(place.image);
  const kernel = await readKernel(place, report, { mustBeThere });
  const fileSystems = fileSystemsOf(report);
  const architecture = kernel?.architecture ?? start.architecture;
  return {
    ...common,
    format,
    firmwares: start.firmwares.filter((firmware) => firmware === "uefi" || architecture === "x86_64"),
    architecture,
    id: report.table?.diskId ?? fileSystems.find(({ uuid }) => uuid !== undefined)?.uuid ?? common.path,
    isLinux: kernel !== undefined || fileSystems.some(({ kind }) => linuxKinds.test(kind)),
    ...(kernel === undefined ? {} : { kernel }),
  };
}

async function formatOf(image: string): Promise<ImageFormat> {
  await using reader = await FileReader.open(image);
  return await identifyImage(reader);
}

function notLookedInto(image: string, format: ImageFormat): Failure {
  return new Failure(
    "unsupported",
    `cannot find a kernel in "${image}": it is a ${format} file, which is not looked into`,
    { hint: `"qemu-img convert -O raw" makes it a disk that is` },
  );
}

function isDisc(image: string): Failure {
  return new Failure("unsupported", `cannot make a machine for "${image}": it is the image of a disc, not a disk`, {
    hint: `"holdfast disk run" starts it; what it installs goes on a disk of its own`,
  });
}

function fileSystemsOf({ fileSystem, partitions }: DiskReport): readonly FileSystemReport[] {
  const all = [fileSystem, ...partitions.map((partition) => partition.fileSystem)];
  return all.filter((one) => one !== undefined);
}
