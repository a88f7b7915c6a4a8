import * as path from "node:path/posix";
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
  /** Of the root file system; absent where the kernel is on a partition of its own, and no root is known. */
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
    const main = place.partition ?? (await partitionToSearch(place.image));
    // A partition of its own for /boot comes into question where the root has no kernel.
    const others = place.partition === undefined && main !== undefined ? readableBeside(report, main) : [];
    for (const number of [main, ...others]) {
      const found = await kernelIn(report, { number, root: main });
      if (found !== undefined) return found;
    }
    if (!mustBeThere) return undefined;
  } catch (error) {
    const isOther = error instanceof Failure && (error.code === "not-found" || error.code === "unsupported");
    if (isOther && !mustBeThere) return undefined; // nothing of Linux, or nothing that is read: it may start all the same
    throw error;
  }
  throw new Failure("not-found", `cannot find a kernel in "${place.image}": there is none in /boot`, {
    hint: "name the partition that has it, as in IMAGE:2",
  });
}

async function partitionToSearch(image: string): Promise<number | undefined> {
  await using disk = await OpenDisk.open(image);
  return await defaultPartition(disk);
}

function readableBeside({ partitions }: DiskReport, main: number): readonly number[] {
  const readable = partitions.filter(({ fileSystem }) => /^(ext|fat)/.test(fileSystem?.kind ?? ""));
  return readable.map(({ number }) => number).filter((number) => number !== main);
}

interface Searched {
  readonly number: number | undefined;
  /** The partition that is the root, if this one is not. */
  readonly root: number | undefined;
}

async function kernelIn(report: DiskReport, { number, root }: Searched): Promise<KernelFacts | undefined> {
  await using open = await openPlace(
    number === undefined ? { image: report.path } : { image: report.path, partition: number },
  );
  const { fileSystem } = open;
  // Unified kernels are for firmware: nothing else takes them apart.
  const kernel = (await findKernels(fileSystem)).find((one) => one.isUnified !== true);
  if (kernel === undefined) return undefined;
  const architecture = machineFor(kernel);
  const xen = await xenSupport(fileSystem, kernel, architecture);
  const isRoot = number === undefined || (await fileSystem.find(fileSystem.rootId, "etc")) !== undefined;
  const rootNumber = isRoot ? number : root === number ? undefined : root;
  const isLogical = report.table?.kind === "mbr" && (number ?? 0) > primaryPartitions;
  return {
    kernel,
    startBytes: report.partitions.find((one) => one.number === number)?.startBytes ?? 0,
    ...(number === undefined ? {} : { partition: number }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(isRoot || rootNumber !== undefined ? rootFacts(report, rootNumber) : {}),
    ...(xen === undefined ? {} : { xen }),
    pygrub: await pygrubFacts(fileSystem, isLogical),
  };
}

function rootFacts(report: DiskReport, number: number | undefined): Pick<KernelFacts, "rootUuid" | "partUuid"> {
  const partition = report.partitions.find((one) => one.number === number);
  const rootUuid = (partition ?? report).fileSystem?.uuid;
  const partUuid = number === undefined ? undefined : partUuidOf(report, number);
  return { ...(rootUuid === undefined ? {} : { rootUuid }), ...(partUuid === undefined ? {} : { partUuid }) };
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
  { version, path: kernelPath }: Kernel,
  architecture: MachineArchitecture | undefined,
): Promise<KernelFacts["xen"]> {
  const config = await readText(fileSystem, `${path.dirname(kernelPath)}/config-${version}`, configLimitBytes);
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
  for (const menu of menus) {
    const text = (await readText(fileSystem, menu, menuLimitBytes)) ?? "";
    hasMenu ||= /^\s*menuentry\s/m.test(text) && /^\s*linux(16|efi)?\s/m.test(text);
  }
  return { seesPartition: !isLogical, hasMenu, ...(whyNot === undefined ? {} : { whyNot }) };
}
