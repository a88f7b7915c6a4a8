import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { editFileSystem, putTree, type EditableFileSystem } from "../../filesystem/index.ts";
import { openPartitionDevice, readTable, type Partition, type PartitionTable } from "../../partition/index.ts";
import type { FileEntry, Timestamp, TreeSource } from "../../tree/index.ts";
import { coreSectorBytes, makeBiosCore } from "./core-image.ts";
import { writeBiosLoader } from "./embed.ts";
import { findKernels, makeMenu, type MenuOptions } from "./menu.ts";
import { planEmbedding } from "./plan-embedding.ts";
import { readPlatformFiles, type PlatformFiles } from "./platform-files.ts";

export interface GrubRequest {
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

export interface InstalledGrub {
  /** The sectors that hold GRUB, besides the first one of the disk. */
  readonly coreSectors: number;
  readonly firstLba: number;
}

/** Modules and the lists by which GRUB finds them; boot sectors are of no use in a file system. */
const loadedByName = /\.(mod|lst)$/;

/** What GRUB 2.06 cannot read of ext. */
const unreadableFeatures = ["inline_data", "ea_inode", "casefold", "compression", "large_dir", "dirdata"];

/**
 * Makes a disk start by BIOS: modules and menu go into `/boot/grub` of an ext file system, GRUB's core image before the
 * first partition or into the BIOS boot partition, boot.img into sector 0. What cannot work is refused, and the disk
 * starts and holds what it did. Needs no root and runs nothing.
 */
export async function installGrub(device: BlockDevice, request: GrubRequest): Promise<InstalledGrub> {
  const grub = await readPlatformFiles({
    platform: "i386-pc",
    ...(request.from === undefined ? {} : { from: request.from }),
  });
  const { table, partition } = await findPartition(device, request.partition);
  const core = makeBiosCore(grub, {
    modules: ["biosdisk", table.kind === "gpt" ? "part_gpt" : "part_msdos", "ext2"],
    prefix: `(,${table.kind === "gpt" ? "gpt" : "msdos"}${partition.number})/boot/grub`,
  });
  const lbas = await planEmbedding(device, table, Math.ceil(core.length / coreSectorBytes));
  await using fileSystem = await editFileSystem(openPartitionDevice(device, partition), { now: request.now });
  refuseUnreadable(fileSystem, partition);
  await using tree = treeOfGrub(grub, request, await configFor(fileSystem, request));
  await putTree(fileSystem, "/", [tree], { now: request.now, onExisting: "replace" });
  await fileSystem.commit();
  await writeBiosLoader(device, grub, core, lbas);
  return { coreSectors: lbas.length, firstLba: lbas[0] ?? 1 };
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
  { platform, files }: PlatformFiles,
  { font, now }: GrubRequest,
  config: string | undefined,
): TreeSource {
  const entries: FileEntry[] = [];
  const add = (path: string, bytes: Uint8Array): void => {
    const content = bytes.length === 0 ? {} : { content: [{ at: 0, bytes }] };
    const metadata = { mode: 0o644, uid: 0, gid: 0, modified: now };
    entries.push({ path: `boot/grub/${path}`, kind: "file", sizeBytes: bytes.length, ...content, ...metadata });
  };
  for (const [name, bytes] of files) if (loadedByName.test(name)) add(`${platform}/${name}`, bytes);
  if (font !== undefined) add("fonts/unicode.pf2", font);
  if (config !== undefined) add("grub.cfg", Buffer.from(config));
  return {
    name: "GRUB",
    async *entries() {
      yield entries;
    },
    async [Symbol.asyncDispose]() {},
  };
}
