import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { editFileSystem, putTree, type EditableFileSystem } from "../../filesystem/index.ts";
import { openPartitionDevice, readTable, type Partition, type PartitionTable } from "../../partition/index.ts";
import type { Timestamp, TreeSource } from "../../tree/index.ts";
import { coreSectorBytes, makeBiosCore } from "./core-image.ts";
import { openEfiPartition, programTree, putPrograms } from "./efi-programs.ts";
import { writeBiosLoader } from "./embed.ts";
import { generatedTree } from "./generated-tree.ts";
import { findKernels } from "../kernels.ts";
import { makeMenu, type MenuOptions } from "./menu.ts";
import { planEmbedding } from "./plan-embedding.ts";
import {
  readPlatformFiles,
  type GrubPlatform,
  type PlatformFiles,
  type PlatformFilesOptions,
} from "./platform-files.ts";

/** How a machine starts. */
export type Firmware = "bios" | "uefi";

export interface GrubRequest {
  /** BIOS unless told. */
  readonly firmwares?: readonly Firmware[];
  /** The number of the partition whose `/boot/grub` is GRUB's. */
  readonly partition: number;
  /** A folder or package with GRUB's modules. Absent: those of this machine. */
  readonly from?: string;
  /** What `grub.cfg` is to say, or how to make one of the kernels in `/boot`. Absent: it stays as it is. */
  readonly config?: string | MenuOptions;
  /** A font in GRUB's format, for graphical menus. */
  readonly font?: Uint8Array;
  /** The time that new files are given. */
  readonly now: Timestamp;
}

/** Modules and the lists by which GRUB finds them; boot sectors are of no use in a file system. */
const loadedByName = /\.(mod|lst)$/;

/** What GRUB 2.06 cannot read of ext. */
const unreadableFeatures = ["inline_data", "ea_inode", "casefold", "compression", "large_dir", "dirdata"];

/**
 * Makes a disk start by itself: modules and menu go into `/boot/grub` of an ext file system. For BIOS GRUB's core image
 * goes before the first partition or into the BIOS boot partition, boot.img into sector 0; for UEFI programs go where
 * firmware looks for them on the EFI system partition. What cannot work is refused, and the disk starts and holds what
 * it did. Needs no root and runs nothing.
 */
export async function installGrub(device: BlockDevice, request: GrubRequest): Promise<void> {
  const { firmwares = ["bios"], now } = request;
  const { table, partition } = await findPartition(device, request.partition);
  const bios = firmwares.includes("bios") ? await planBios(device, table, request) : undefined;
  const efi = firmwares.includes("uefi") ? await planEfi(device, table, request) : undefined;
  await using fileSystem = await editFileSystem(openPartitionDevice(device, partition), { now });
  refuseUnreadable(fileSystem, partition);
  const { uuid } = fileSystem.info;
  const programs = efi === undefined || uuid === undefined ? undefined : programTree(efi.grubs, uuid, now);
  const grubs = [...(bios === undefined ? [] : [bios.grub]), ...(efi?.grubs ?? [])];
  await using tree = treeOfGrub(grubs, request, await configFor(fileSystem, request));
  await putTree(fileSystem, "/", [tree], { now, onExisting: "replace" });
  await fileSystem.commit();
  if (efi !== undefined && programs !== undefined) await putPrograms(efi.partition, programs, now);
  if (bios !== undefined) await writeBiosLoader(device, bios.grub, bios.core, bios.lbas);
}

interface BiosPlan {
  readonly grub: PlatformFiles;
  readonly core: Uint8Array;
  readonly lbas: readonly number[];
}

async function planBios(device: BlockDevice, table: PartitionTable, request: GrubRequest): Promise<BiosPlan> {
  const grub = await readPlatformFiles(platformOptions("i386-pc", request));
  const core = makeBiosCore(grub, {
    modules: ["biosdisk", table.kind === "gpt" ? "part_gpt" : "part_msdos", "ext2"],
    prefix: `(,${table.kind === "gpt" ? "gpt" : "msdos"}${request.partition})/boot/grub`,
  });
  return { grub, core, lbas: await planEmbedding(device, table, Math.ceil(core.length / coreSectorBytes)) };
}

interface EfiPlan {
  readonly partition: BlockDevice;
  readonly grubs: readonly PlatformFiles[];
}

/** GRUB for 64 bits; that for 32 bits too where it is there, for the few machines whose firmware has no more. */
async function planEfi(device: BlockDevice, table: PartitionTable, request: GrubRequest): Promise<EfiPlan> {
  const partition = await openEfiPartition(device, table);
  const grubs = [await readPlatformFiles(platformOptions("x86_64-efi", request))];
  try {
    grubs.push(await readPlatformFiles(platformOptions("i386-efi", request)));
  } catch (error) {
    if (!(error instanceof Failure && error.code === "not-found")) throw error;
  }
  return { partition, grubs };
}

function platformOptions(platform: GrubPlatform, { from }: GrubRequest): PlatformFilesOptions {
  return { platform, ...(from === undefined ? {} : { from }) };
}

async function findPartition(
  device: BlockDevice,
  number: number,
): Promise<{ readonly table: PartitionTable; readonly partition: Partition }> {
  const table = await readTable(device);
  if (table === undefined) {
    throw new Failure("unsupported", "cannot install GRUB for BIOS: there is no partition table");
  }
  const partition = table.partitions.find((one) => one.number === number);
  if (partition !== undefined && !partition.extended) return { table, partition };
  throw new Failure("not-found", `cannot install GRUB on partition ${number}: there is no such partition`);
}

function refuseUnreadable({ info }: EditableFileSystem, { number }: Partition): void {
  const feature = info.features.find((name) => unreadableFeatures.includes(name));
  if (feature === undefined && info.kind.startsWith("ext")) return;
  const what =
    feature === undefined ? `it is ${info.kind}, ext2, ext3 or ext4 is needed` : `GRUB cannot read "${feature}"`;
  throw new Failure("unsupported", `cannot install GRUB on partition ${number}: ${what}`);
}

async function configFor(
  fileSystem: EditableFileSystem,
  { partition, config }: GrubRequest,
): Promise<string | undefined> {
  if (typeof config !== "object") return config;
  const kernels = await findKernels(fileSystem);
  const { uuid } = fileSystem.info;
  if (kernels.length > 0 && uuid !== undefined) return makeMenu(kernels, uuid, config);
  throw new Failure("not-found", `cannot make a boot menu for partition ${partition}: there is no /boot/vmlinuz-…`, {
    hint: "put a kernel into /boot first, or give a grub.cfg",
  });
}

/** What goes into the file system, as a tree over its root. */
function treeOfGrub(
  grubs: readonly PlatformFiles[],
  { font, now }: GrubRequest,
  config: string | undefined,
): TreeSource {
  const files: [string, Uint8Array][] = [];
  for (const { platform, files: own } of grubs) {
    for (const [name, bytes] of own) if (loadedByName.test(name)) files.push([`boot/grub/${platform}/${name}`, bytes]);
  }
  if (font !== undefined) files.push(["boot/grub/fonts/unicode.pf2", font]);
  if (config !== undefined) files.push(["boot/grub/grub.cfg", Buffer.from(config)]);
  return generatedTree("GRUB", files, now);
}
