import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { editFileSystem, probe, putTree } from "../../filesystem/index.ts";
import { gptTypeGuid, mbrTypeCode, openPartitionDevice, type PartitionTable } from "../../partition/index.ts";
import type { Timestamp, TreeSource } from "../../tree/index.ts";
import { makeEfiImage } from "./efi-image.ts";
import { generatedTree } from "./generated-tree.ts";
import type { PlatformFiles } from "./platform-files.ts";

/** What firmware looks for on a disk that it has not been told of (UEFI 2.10 §3.5.1.1). */
const removableNames = { "x86_64-efi": "BOOTX64.EFI", "i386-efi": "BOOTIA32.EFI" } as const;

/** Enough to find the root and read on from there. */
const modules = ["part_gpt", "part_msdos", "fat", "ext2", "search_fs_uuid", "normal"];

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

/** The program of one kind of machine: it finds the root by the UUID of its file system, and its menu there. */
export function programTree(grubs: readonly PlatformFiles[], rootUuid: string, now: Timestamp): TreeSource {
  const config = `search.fs_uuid ${rootUuid} root\nset prefix=($root)/boot/grub\n`;
  const files = grubs.map((grub): readonly [string, Uint8Array] => {
    if (grub.platform === "i386-pc") throw new RangeError("i386-pc has no programs for UEFI");
    const name = `EFI/BOOT/${removableNames[grub.platform]}`;
    return [name, makeEfiImage(grub, { modules, prefix: "/boot/grub", config })];
  });
  return generatedTree("GRUB for UEFI", files, now);
}

/** Puts GRUB's programs where firmware looks for them on any disk. */
export async function putPrograms(partition: BlockDevice, tree: TreeSource, now: Timestamp): Promise<void> {
  await using fileSystem = await editFileSystem(partition, { now });
  await putTree(fileSystem, "/", [tree], { now, onExisting: "replace" });
  await fileSystem.commit();
}
