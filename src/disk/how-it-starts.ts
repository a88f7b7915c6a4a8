import { Failure } from "../base/index.ts";
import { readBytes } from "../device/index.ts";
import { findKernels } from "../boot/index.ts";
import { openFileSystem, probe, resolvePath, type FileSystem } from "../filesystem/index.ts";
import { gptTypeGuid, identifyBootSector, mbrTypeCode } from "../partition/index.ts";
import type { MachineArchitecture, MachineFirmware } from "./machine/index.ts";
import { defaultPartition, OpenDisk, type ImageOpener } from "./open-disk.ts";

/** By what a disk starts, as far as looking at it tells. */
export interface HowItStarts {
  /** Empty where it has neither boot code nor a program for UEFI. The first is what it was most likely made for. */
  readonly firmwares: readonly MachineFirmware[];
  readonly architecture: MachineArchitecture;
  /** A disc image that only a CD drive starts: it has nothing in its first sector. */
  readonly isDisc: boolean;
  /** Its root has a kernel of Linux, which has drivers for the devices of virtual machines. */
  readonly hasLinux: boolean;
}

const bootSectorBytes = 512;

/** Programs where firmware looks for them on any disk (UEFI 2.10 §3.5.1.1). */
const programs: readonly (readonly [MachineArchitecture, string])[] = [
  ["x86_64", "/EFI/BOOT/BOOTX64.EFI"],
  ["aarch64", "/EFI/BOOT/BOOTAA64.EFI"],
];

/** Looks at a disk image or device, in its raw form. */
export async function howItStarts(path: string, openImage?: ImageOpener): Promise<HowItStarts> {
  await using disk = await OpenDisk.open(path, openImage);
  const bootSector = await readBytes(disk.reader, 0, Math.min(bootSectorBytes, disk.reader.sizeBytes));
  const hasBootCode = identifyBootSector(bootSector) !== "none";
  if (!hasBootCode && (await isDisc(disk))) {
    return { firmwares: ["bios", "uefi"], architecture: "x86_64", isDisc: true, hasLinux: false };
  }
  const architectures = await uefiArchitectures(disk);
  const uefi = architectures.length > 0 ? (["uefi"] as const) : [];
  const bios = hasBootCode ? (["bios"] as const) : [];
  return {
    firmwares: isForUefiOnly(disk) ? [...uefi, ...bios] : [...bios, ...uefi],
    architecture: hasBootCode ? "x86_64" : (architectures[0] ?? "x86_64"),
    isDisc: false,
    hasLinux: await hasLinux(disk),
  };
}

async function isDisc(disk: OpenDisk): Promise<boolean> {
  const kind = await probe(disk.readerOf(undefined)).catch(nothingOfFailure);
  return kind === "iso" || kind === "udf";
}

/** A GPT disk whose boot code has no partition to go on from: the code came with the table. */
function isForUefiOnly({ table, partitions }: OpenDisk): boolean {
  return table?.kind === "gpt" && !partitions.some(({ typeCode }) => typeCode === gptTypeGuid("bios-boot"));
}

async function uefiArchitectures(disk: OpenDisk): Promise<readonly MachineArchitecture[]> {
  const type = disk.table?.kind === "gpt" ? gptTypeGuid("efi") : mbrTypeCode("efi");
  const partition = disk.partitions.find(({ typeCode }) => typeCode === type);
  if (partition === undefined) return [];
  try {
    await using fileSystem = await openFileSystem(disk.readerOf(partition.number));
    const found: MachineArchitecture[] = [];
    for (const [architecture, program] of programs) if (await has(fileSystem, program)) found.push(architecture);
    return found;
  } catch (error) {
    return nothingOfFailure(error) ?? [];
  }
}

async function has(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await resolvePath(fileSystem, path);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return false;
    throw error;
  }
}

async function hasLinux(disk: OpenDisk): Promise<boolean> {
  try {
    await using fileSystem = await openFileSystem(disk.readerOf(await defaultPartition(disk)));
    return (await findKernels(fileSystem)).length > 0;
  } catch (error) {
    nothingOfFailure(error);
    return false;
  }
}

/** What cannot be looked into may still start: the machine will tell. */
function nothingOfFailure(error: unknown): undefined {
  if (error instanceof Failure) return undefined;
  throw error;
}
