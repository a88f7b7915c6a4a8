import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import {
  editFileSystem,
  openFileSystem,
  putTree,
  resolvePath,
  type EditableFileSystem,
  type FileSystem,
} from "../../filesystem/index.ts";
import {
  openPartitionDevice,
  openPartitionReader,
  readTable,
  type Partition,
  type PartitionTable,
} from "../../partition/index.ts";
import type { Timestamp, TreeSource } from "../../tree/index.ts";
import { makeBiosCore } from "./core-image.ts";
import { refuseUnused, type BootFileSources } from "./boot-files.ts";
import { efiPlatformsFor, refuseOtherThanPc } from "./choose-platforms.ts";
import {
  openEfiPartition,
  programFiles,
  putOnEfiPartition,
  signedFiles,
  type EfiFiles,
  type GrubPlace,
} from "./efi-programs.ts";
import { coreAt, writeBootSector, writeCore } from "./embed.ts";
import { generatedTree } from "./generated-tree.ts";
import { findKernels, type Kernel } from "../kernels.ts";
import { signersOfFile } from "../signers.ts";
import { makeMenu, type MenuOptions, type MenuSubject } from "./menu.ts";
import { planReplacing } from "./plan-embedding.ts";
import { findPlatformFiles, type PlatformFiles } from "./platform-files.ts";
import { findSignedPrograms } from "./signed-programs.ts";

/** How a machine starts. */
export type Firmware = "bios" | "uefi";

export interface GrubRequest {
  /** BIOS unless told. */
  readonly firmwares?: readonly Firmware[];
  /** The number of the partition with the root. Its `/boot/grub` is GRUB's, unless there is one for `/boot`. */
  readonly partition: number;
  /** The number of a partition that is mounted at `/boot`: kernels are in its root, and its `/grub` is GRUB's. */
  readonly bootPartition?: number;
  /** Where GRUB's modules, or signed programs, are taken from. Absent: what this machine has. */
  readonly sources?: BootFileSources;
  /** For UEFI: a distribution's signed shim and GRUB, which start where Secure Boot is on, and only signed kernels. */
  readonly secureBoot?: boolean;
  /** What `grub.cfg` is to say, or how to make one of the kernels in `/boot`. Absent: it stays as it is. */
  readonly config?: string | MenuOptions;
  /** A font in GRUB's format, for graphical menus. */
  readonly font?: Uint8Array;
  /** The time that new files are given. */
  readonly now: Timestamp;
  /** Told of what in the file system cannot be read and is left out: a sentence. */
  readonly onWarning?: (message: string) => void;
}

/** Modules and the lists by which GRUB finds them; boot sectors are of no use in a file system. */
const loadedByName = /\.(mod|lst)$/;

/** What GRUB 2.06 cannot read of ext. */
const unreadableFeatures = ["inline_data", "ea_inode", "casefold", "compression", "large_dir", "dirdata"];

/**
 * Makes a disk start by itself: modules and menu go into `/boot/grub` of an ext file system. For BIOS GRUB's core image
 * goes before the first partition or into the BIOS boot partition, boot.img into sector 0; for UEFI programs go where
 * firmware looks for them on the EFI system partition. What cannot work is refused, and the disk starts and holds what
 * it did. The core image goes first and sector 0 last: until then a GRUB that was there starts. Needs no root and runs
 * nothing.
 */
export async function installGrub(device: BlockDevice, request: GrubRequest): Promise<void> {
  const { firmwares = ["bios"], now } = request;
  const table = await tableOf(device);
  const root = partitionOf(table, request.partition);
  const boot = request.bootPartition === undefined ? root : partitionOf(table, request.bootPartition);
  const efiPartition = firmwares.includes("uefi") ? await openEfiPartition(device, table) : undefined;
  await using fileSystem = await editFileSystem(openPartitionDevice(device, boot), { now });
  refuseUnreadable(fileSystem, boot);
  const place = { uuid: uuidOf(fileSystem, boot), folder: boot === root ? "/boot/grub" : "/grub" };
  const { onWarning } = request;
  const kernels = await findKernels(fileSystem, onWarning === undefined ? {} : { onWarning });
  const bios = firmwares.includes("bios")
    ? await planBios(device, table, kernels, request, { boot, place })
    : undefined;
  const efi = efiPartition === undefined ? undefined : await planEfi(kernels, request, place);
  const isForSecureBoot = efi !== undefined && request.secureBoot === true;
  const first = isForSecureBoot ? await firstSigned(fileSystem, kernels) : 0;
  const grubs = [...(bios === undefined ? [] : [bios.grub]), ...(efi?.grubs ?? [])];
  refuseUnused(request.sources?.given ?? [], [...grubs.map(({ name }) => name), ...(efi?.signedFrom ?? [])]);
  const rootUuid = boot === root ? place.uuid : await uuidOnDevice(device, root);
  const config = configFor(request, { kernels, bootUuid: place.uuid, rootUuid, first });
  await using tree = treeOfGrub(grubs, place.folder, request, config);
  await putTree(fileSystem, "/", [tree], { now, onExisting: "replace" });
  if (bios !== undefined) await writeCore(device, bios.core, bios.lbas);
  await fileSystem.commit();
  if (efiPartition !== undefined) await putOnEfiPartition(efiPartition, efi?.files ?? [], now);
  if (bios !== undefined) await writeBootSector(device, bios.grub, bios.lbas[0] ?? 1);
}

interface BiosPlan {
  readonly grub: PlatformFiles;
  /** As it is to lie at its sectors. */
  readonly core: Uint8Array;
  readonly lbas: readonly number[];
}

async function planBios(
  device: BlockDevice,
  table: PartitionTable,
  kernels: readonly Kernel[],
  request: GrubRequest,
  { boot, place }: { readonly boot: Partition; readonly place: GrubPlace },
): Promise<BiosPlan> {
  refuseOtherThanPc(kernels);
  const grub = await findPlatformFiles("i386-pc", request.sources ?? {}, { isNeeded: true });
  const core = makeBiosCore(grub, {
    modules: ["biosdisk", table.kind === "gpt" ? "part_gpt" : "part_msdos", "ext2"],
    prefix: `(,${table.kind === "gpt" ? "gpt" : "msdos"}${boot.number})${place.folder}`,
  });
  const lbas = await planReplacing(device, table, core);
  return { grub, core: coreAt(core, lbas), lbas };
}

interface EfiPlan {
  /** Whose modules go into the file system. */
  readonly grubs: readonly PlatformFiles[];
  readonly files: EfiFiles;
  /** Folders and packages that signed programs are from. */
  readonly signedFrom: readonly string[];
}

/** Programs for every platform that the kernels need, and for the others that suit them where those are there. */
async function planEfi(
  kernels: readonly Kernel[],
  { secureBoot = false, sources = {} }: GrubRequest,
  place: GrubPlace,
): Promise<EfiPlan> {
  const grubs: PlatformFiles[] = [];
  const files: EfiFiles[number][] = [];
  const signedFrom: string[] = [];
  for (const { platform, isNeeded } of efiPlatformsFor(kernels)) {
    if (secureBoot) {
      const programs = await findSignedPrograms(platform, sources, { isNeeded, medium: "disk" });
      if (programs === undefined) continue;
      files.push(...signedFiles(programs, place));
      signedFrom.push(...programs.from);
    } else {
      const grub = await findPlatformFiles(platform, sources, { isNeeded });
      if (grub === undefined) continue;
      grubs.push(grub);
      files.push(...programFiles(grub, platform, place));
    }
  }
  return { grubs, files, signedFrom };
}

async function tableOf(device: BlockDevice): Promise<PartitionTable> {
  const table = await readTable(device);
  if (table !== undefined) return table;
  throw new Failure("unsupported", "cannot install GRUB for BIOS: there is no partition table");
}

function partitionOf({ partitions }: PartitionTable, number: number): Partition {
  const partition = partitions.find((one) => one.number === number);
  if (partition !== undefined && !partition.extended) return partition;
  throw new Failure("not-found", `cannot install GRUB on partition ${number}: there is no such partition`);
}

/** By what GRUB and the kernel find a file system. */
function uuidOf({ info }: FileSystem, { number }: Partition): string {
  if (info.uuid !== undefined) return info.uuid;
  throw new Failure("unsupported", `cannot find partition ${number} by a UUID: it has none`);
}

async function uuidOnDevice(device: BlockDevice, partition: Partition): Promise<string> {
  await using fileSystem = await openFileSystem(openPartitionReader(device, partition));
  return uuidOf(fileSystem, partition);
}

function refuseUnreadable({ info }: EditableFileSystem, { number }: Partition): void {
  const feature = info.features.find((name) => unreadableFeatures.includes(name));
  if (feature === undefined && info.kind.startsWith("ext")) return;
  const what =
    feature === undefined ? `it is ${info.kind}, ext2, ext3 or ext4 is needed` : `GRUB cannot read "${feature}"`;
  throw new Failure("unsupported", `cannot install GRUB on partition ${number}: ${what}`);
}

function configFor(
  { partition, bootPartition = partition, config }: GrubRequest,
  subject: MenuSubject,
): string | undefined {
  if (typeof config !== "object") return config;
  if (subject.kernels.length > 0) return makeMenu(subject, config);
  const where = bootPartition === partition ? "/boot/vmlinuz-…" : "/vmlinuz-…";
  throw new Failure("not-found", `cannot make a boot menu for partition ${bootPartition}: there is no ${where}`, {
    hint: "put a kernel into /boot first, or give a grub.cfg",
  });
}

/** The number of the first kernel that Secure Boot lets start. Kernels of a menu that is given are not looked at. */
async function firstSigned(fileSystem: EditableFileSystem, kernels: readonly Kernel[]): Promise<number> {
  for (const [n, { path }] of kernels.entries()) {
    if ((await signersOfFile(fileSystem, await resolvePath(fileSystem, path))).length > 0) return n;
  }
  const [newest] = kernels;
  if (newest === undefined) return 0;
  throw new Failure("unsupported", `cannot make a disk for Secure Boot: "${newest.path}" is not signed`, {
    hint: "put a distribution's signed kernel into /boot, such as Debian's linux-image-amd64",
  });
}

/** What goes into the file system, as a tree over its root. */
function treeOfGrub(
  grubs: readonly PlatformFiles[],
  folder: string,
  { font, now }: GrubRequest,
  config: string | undefined,
): TreeSource {
  const inside = folder.slice(1);
  const files: [string, Uint8Array][] = [];
  for (const { platform, files: own } of grubs) {
    for (const [name, bytes] of own) if (loadedByName.test(name)) files.push([`${inside}/${platform}/${name}`, bytes]);
  }
  if (font !== undefined) files.push([`${inside}/fonts/unicode.pf2`, font]);
  if (config !== undefined) files.push([`${inside}/grub.cfg`, Buffer.from(config)]);
  return generatedTree("GRUB", files, now);
}
