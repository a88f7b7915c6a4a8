import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { editFileSystem, probe, putTree } from "../../filesystem/index.ts";
import { gptTypeGuid, mbrTypeCode, openPartitionDevice, type PartitionTable } from "../../partition/index.ts";
import type { Timestamp, TreeSource } from "../../tree/index.ts";
import { makeEfiImage } from "./efi-image.ts";
import { generatedTree } from "./generated-tree.ts";
import type { EfiPlatform, PlatformFiles } from "./platform-files.ts";
import { signedNames, type SignedPrograms } from "./signed-programs.ts";

/** What firmware looks for on a disk that it has not been told of (UEFI 2.10 §3.5.1.1). */
const removableFolder = "EFI/BOOT";

/** Where firmware looks for its program on a disk. */
export function removablePath(platform: EfiPlatform): string {
  return `${removableFolder}/BOOT${signedNames[platform].suffix.toUpperCase()}.EFI`;
}

/** Enough to find the root and read on from there. */
const modules = ["part_gpt", "part_msdos", "fat", "ext2", "search_fs_uuid", "normal"];

/** Files for the EFI system partition, by their paths in it. */
export type EfiFiles = readonly (readonly [path: string, bytes: Uint8Array])[];

/** The EFI system partition of a disk, as a device. Throws `not-found` where there is none that is FAT. */
export async function openEfiPartition(device: BlockDevice, table: PartitionTable): Promise<BlockDevice> {
  const type = table.kind === "gpt" ? gptTypeGuid("efi") : mbrTypeCode("efi");
  const partition = table.partitions.find(({ typeCode }) => typeCode === type);
  if (partition === undefined) {
    throw new Failure("not-found", "cannot install GRUB for UEFI: there is no EFI system partition", {
      hint: "add one: --partition size=64MiB,type=efi,fs=fat32",
    });
  }
  const slice = openPartitionDevice(device, partition);
  if ((await probe(slice)) === "fat") return slice;
  throw new Failure("unsupported", `cannot install GRUB for UEFI: partition ${partition.number} is not FAT`);
}

/** Where a program finds modules and menu. */
export interface GrubPlace {
  /** Of their file system. */
  readonly uuid: string;
  /** `/boot/grub`, or `/grub` on a partition for `/boot`. */
  readonly folder: string;
}

/** GRUB's program for a platform: it finds its file system by the UUID, and its menu there. */
export function programFiles(grub: PlatformFiles, platform: EfiPlatform, { uuid, folder }: GrubPlace): EfiFiles {
  const config = `search.fs_uuid ${uuid} root\nset prefix=($root)${folder}\n`;
  const image = makeEfiImage(grub, { modules, prefix: folder, config });
  return [[removablePath(platform), image]];
}

/** Signed programs for a disk, and what tells their GRUB the way to the menu on another partition. */
export function signedFiles(programs: SignedPrograms, place: GrubPlace): EfiFiles {
  const search = `search --no-floppy --fs-uuid --set=root ${place.uuid}\n`;
  const config = `${search}set prefix=($root)${place.folder}\nconfigfile $prefix/grub.cfg\n`;
  return [...signedPair(programs), [`${programs.prefix.slice(1)}/grub.cfg`, Buffer.from(config)]];
}

/** The same for a medium that has its menu in a folder of the same partition: most of them look there by themselves. */
export function signedMedium(programs: SignedPrograms, folder: string): EfiFiles {
  const config = `set prefix=($root)${folder}\nconfigfile $prefix/grub.cfg\n`;
  const leads = programs.prefix === folder;
  return [
    ...signedPair(programs),
    ...(leads ? [] : [[`${programs.prefix.slice(1)}/grub.cfg`, Buffer.from(config)] as const]),
  ];
}

/**
 * Shim's fallback, which enters a disk into the machine's own list of what it starts, is left out: a disk that moves
 * about would do so on each machine.
 */
function signedPair({ platform, shim, grub, keyManager }: SignedPrograms): EfiFiles {
  const { suffix } = signedNames[platform];
  return [
    [removablePath(platform), shim],
    [`${removableFolder}/grub${suffix}.efi`, grub],
    ...(keyManager === undefined ? [] : [[`${removableFolder}/mm${suffix}.efi`, keyManager] as const]),
  ];
}

/** Puts files on the EFI system partition, in place of those of the same names. */
export async function putOnEfiPartition(partition: BlockDevice, files: EfiFiles, now: Timestamp): Promise<void> {
  await using tree: TreeSource = generatedTree("GRUB for UEFI", files, now);
  await using fileSystem = await editFileSystem(partition, { now });
  await putTree(fileSystem, "/", [tree], { now, onExisting: "replace" });
  await fileSystem.commit();
}
