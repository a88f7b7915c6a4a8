import { findKernels, type Kernel } from "../../boot/index.ts";
import { Failure } from "../../base/index.ts";
import { readText, type FileSystem } from "../../filesystem/index.ts";
import { defaultPartition, OpenDisk, openPlace } from "../open-disk.ts";
import type { MachineArchitecture } from "../machine/index.ts";
import type { Place } from "../place.ts";
import type { DiskReport } from "../report.ts";

/** A kernel in an image, with what decides how it can be started. */
export interface KernelFacts {
  readonly kernel: Kernel;
  /** The kind of machine that runs it; absent where its header does not tell. */
  readonly architecture?: MachineArchitecture;
  /** Of the partition that it is in; absent where a file system takes the whole disk. */
  readonly partition?: number;
  /** Where that partition begins on the disk. */
  readonly startBytes: number;
  readonly rootUuid?: string;
  /** As the kernel itself finds the partition, without an initrd. */
  readonly partUuid?: string;
  /** What its configuration says of Xen; absent where there is none beside it. */
  readonly xen?: { readonly pv: boolean; readonly pvh: boolean };
  readonly pygrub: PygrubFacts;
}

/** What pygrub, which looks into the disk from outside, makes of it. */
export interface PygrubFacts {
  /** Why it cannot read the file system. */
  readonly whyNot?: string;
  /** It finds the partition by itself. */
  readonly seesPartition: boolean;
  /** There is a menu that it reads. */
  readonly hasMenu: boolean;
}

/** Where pygrub looks for a menu of GRUB 2. */
const menus = ["/boot/grub/grub.cfg", "/grub/grub.cfg", "/boot/grub2/grub.cfg", "/grub2/grub.cfg"];
/** As much as pygrub reads of it. */
const menuLimitBytes = 1024 * 1024;
const configLimitBytes = 2 * 1024 * 1024;
const primaryPartitions = 4;

/** The newest kernel where the place says. Without one: undefined, or the failure that says why if it must be there. */
export async function readKernel(
  place: Place,
  report: DiskReport,
  { mustBeThere }: { readonly mustBeThere: boolean },
): Promise<KernelFacts | undefined> {
  try {
    const number = place.partition ?? (await partitionToSearch(place.image));
    const where = number === undefined ? { image: place.image } : { image: place.image, partition: number };
    await using open = await openPlace(where);
    // A unified image is a program for UEFI: no machine starts it from outside of the disk.
    const kernel = (await findKernels(open.fileSystem)).find(({ isUnified }) => isUnified !== true);
    if (kernel !== undefined) return await factsOf(open.fileSystem, kernel, { report, number });
    if (!mustBeThere) return undefined;
  } catch (error) {
    const isOther = error instanceof Failure && (error.code === "not-found" || error.code === "unsupported");
    if (isOther && !mustBeThere) return undefined; // nothing of Linux, or nothing that is read: it may start all the same
    throw error;
  }
  throw new Failure("not-found", `cannot find a kernel in "${place.image}": there is no /boot/vmlinuz-…`, {
    hint: "name the partition that has it, as in IMAGE:2",
  });
}

async function partitionToSearch(image: string): Promise<number | undefined> {
  await using disk = await OpenDisk.open(image);
  return await defaultPartition(disk);
}

async function factsOf(
  fileSystem: FileSystem,
  kernel: Kernel,
  { report, number }: { readonly report: DiskReport; readonly number: number | undefined },
): Promise<KernelFacts> {
  const partition = report.partitions.find((one) => one.number === number);
  const architecture = machineFor(kernel);
  const { uuid } = fileSystem.info;
  const partUuid = number === undefined ? undefined : partUuidOf(report, number);
  const xen = await xenSupport(fileSystem, kernel, architecture);
  return {
    kernel,
    startBytes: partition?.startBytes ?? 0,
    ...(number === undefined ? {} : { partition: number }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(uuid === undefined ? {} : { rootUuid: uuid }),
    ...(partUuid === undefined ? {} : { partUuid }),
    ...(xen === undefined ? {} : { xen }),
    pygrub: await pygrubFacts(fileSystem, report.table?.kind === "mbr" && (number ?? 0) > primaryPartitions),
  };
}

/** A machine of 64 bits runs kernels of 32 bits, too. */
function machineFor({ version, architecture }: Kernel): MachineArchitecture | undefined {
  if (architecture === undefined || architecture === "x86_64") return architecture;
  if (architecture === "i386") return "x86_64";
  if (architecture === "arm64") return "aarch64";
  throw new Failure("unsupported", `cannot make a machine for the kernel ${version}: it is for ${architecture}`);
}

/** As Linux names a partition in `root=PARTUUID=`. */
function partUuidOf({ table, partitions }: DiskReport, number: number): string | undefined {
  if (table?.kind === "gpt") return partitions.find((one) => one.number === number)?.guid?.toLowerCase();
  return table === undefined ? undefined : `${table.diskId.slice(2)}-${number.toString(16).padStart(2, "0")}`;
}

async function xenSupport(
  fileSystem: FileSystem,
  { version }: Kernel,
  architecture: MachineArchitecture | undefined,
): Promise<KernelFacts["xen"]> {
  const config = await readText(fileSystem, `/boot/config-${version}`, configLimitBytes);
  if (config === undefined) return undefined;
  if (architecture === "aarch64") return { pv: false, pvh: /^CONFIG_XEN=y$/m.test(config) };
  return { pv: /^CONFIG_XEN_PV=y$/m.test(config), pvh: /^CONFIG_XEN_PVH=y$/m.test(config) };
}

async function pygrubFacts(fileSystem: FileSystem, isLogical: boolean): Promise<PygrubFacts> {
  const { kind, features } = fileSystem.info;
  const isRead = /^(ext|fat|iso)/.test(kind);
  const whyNot = isRead
    ? features.includes("bigalloc")
      ? "pygrub does not read ext4 with bigalloc"
      : undefined
    : `pygrub does not read ${kind}`;
  let hasMenu = false;
  for (const path of menus) {
    const text = (await readText(fileSystem, path, menuLimitBytes)) ?? "";
    hasMenu ||= /^\s*menuentry\s/m.test(text) && /^\s*linux(16|efi)?\s/m.test(text);
  }
  return { seesPartition: !isLogical, hasMenu, ...(whyNot === undefined ? {} : { whyNot }) };
}
