import { Failure } from "../base/index.ts";
import {
  exfatKind,
  extKinds,
  fatKinds,
  type ExtKind,
  type FatOptions,
  type NewFileSystem,
} from "../filesystem/index.ts";
import { gptTypeGuid, mbrTypeCode } from "../partition/index.ts";
import type { CreateDiskRequest, FileSystemRequest, NewPartitionRequest } from "./request.ts";

/** A partition with every default decided but its place. */
export interface WantedPartition {
  readonly size: number | "rest" | "auto";
  readonly type: string;
  readonly active: boolean;
  readonly name: string | undefined;
  readonly guid: string | undefined;
  /** Undefined: no file system. */
  readonly fileSystem: NewFileSystem | undefined;
  readonly from: readonly string[];
  /** It is what `--from` fills, and what a disk that starts by itself starts. */
  readonly isRoot: boolean;
  /** It is what the root has at `/boot`. */
  readonly isBoot: boolean;
}

export interface MakingFacts {
  readonly now: NewFileSystem["now"];
  readonly isReproducible: boolean;
  readonly nextUuid: () => string;
}

/** Cylinder partitions are whole KiB but seldom whole larger blocks: these fill them to the end. */
const classicBlockBytes = 1024;
/** A partition with this label has the kernels of the one labelled root, as it is usual. */
const bootLabel = "boot";
/** From this size on FAT is FAT32 unless told. */
const largeFatBytes = 512 * 2 ** 20;
const biosBootBytes = 2 ** 20;
/** Room for GRUB, and for the kernels of systems that keep theirs there. */
const efiBytes = 64 * 2 ** 20;
const wholeDisk: NewPartitionRequest = { active: false, from: [] };

/** The partitions of a request: the one that it leaves out, its sources, types and file systems decided. */
export function planPartitions(request: CreateDiskRequest, facts: MakingFacts): WantedPartition[] {
  const partitions = request.partitions.length === 0 ? usualPartitions(request) : request.partitions;
  const root = rootOf(request, partitions);
  return partitions.map((partition) => {
    const type = partition.type ?? usualType(request, partition);
    const isRoot = partition === root;
    const from = isRoot ? [...partition.from, ...request.from] : partition.from;
    const fileSystem = fileSystemFor(request, partition, { ...facts, isRoot });
    if (fileSystem === undefined && from.length > 0) {
      throw new Failure("usage", "cannot fill a partition that has no file system", { hint: "add fs=ext4 to it" });
    }
    if (request.table === "mbr" && (partition.guid !== undefined || partition.name !== undefined)) {
      throw new Failure("usage", "cannot give a partition a name or a GUID in an MBR", { hint: "use --table gpt" });
    }
    const name = request.table === "gpt" ? (partition.name ?? fileSystem?.label) : undefined;
    return {
      size: partition.sizeBytes ?? "rest",
      type,
      active: partition.active,
      name,
      guid: partition.guid,
      fileSystem,
      from,
      isRoot,
      isBoot: !isRoot && root !== undefined && fileSystem?.label === bootLabel && extKinds.has(fileSystem.kind),
    };
  });
}

/** One for all files, and before it what starting by GRUB needs. */
function usualPartitions({ table, boot }: CreateDiskRequest): readonly NewPartitionRequest[] {
  const firmwares = boot?.firmwares ?? [];
  const biosBoot = { ...wholeDisk, sizeBytes: biosBootBytes, type: "bios-boot" };
  const efi = { ...wholeDisk, sizeBytes: efiBytes, type: "efi", fileSystem: { kind: "fat32", label: "EFI" } };
  return [
    ...(table === "gpt" && firmwares.includes("bios") ? [biosBoot] : []),
    ...(firmwares.includes("uefi") ? [efi] : []),
    { ...wholeDisk, active: table === "mbr" && boot !== undefined },
  ];
}

/** The partition that `--from` fills and `--uuid` names: labelled root, or the only one with a file system. */
function rootOf(
  request: CreateDiskRequest,
  partitions: readonly NewPartitionRequest[],
): NewPartitionRequest | undefined {
  const candidates = partitions.filter((partition) => fileSystemOf(request, partition) !== undefined);
  const named = candidates.filter((partition) => fileSystemOf(request, partition)?.label === "root");
  const linux = candidates.filter((partition) => !hasClusters(fileSystemOf(request, partition)?.kind ?? "ext4"));
  const [root, ...others] = [named, linux, candidates].find((some) => some.length > 0) ?? [];
  if (root !== undefined && others.length === 0) return root;
  const option = optionForRoot(request);
  if (option === undefined) return undefined;
  const message =
    root === undefined
      ? `cannot use ${option}: no partition has a file system`
      : `cannot tell which partition ${option} is for: several have a file system`;
  throw new Failure("usage", message, { hint: "write from=… in the --partition that it is for, or label one root" });
}

/** What the user asked for that needs a root. */
function optionForRoot({ from, debian, boot }: CreateDiskRequest): string | undefined {
  if (from.length > 0) return "--from";
  if (debian !== undefined) return "--debian";
  return (boot?.firmwares ?? []).length > 0 ? "--boot" : undefined;
}

function fileSystemOf(
  request: CreateDiskRequest,
  { fileSystem, type = "linux" }: NewPartitionRequest,
): FileSystemRequest | undefined {
  if (fileSystem === "none") return undefined;
  const kind = usualKind(request, type);
  if (fileSystem !== undefined) return kind === undefined ? fileSystem : { kind, ...fileSystem };
  return kind === undefined ? undefined : { kind };
}

/** The file system that partitions of a type have. */
function usualKind(request: CreateDiskRequest, type: string): string | undefined {
  if (isOfType(request, type, "linux")) return "ext4";
  return isOfType(request, type, "efi") ? "fat" : undefined;
}

/** The type of partitions that have such a file system. */
function usualType(request: CreateDiskRequest, { fileSystem, sizeBytes }: NewPartitionRequest): string {
  const kind = fileSystem === "none" ? undefined : fileSystem?.kind;
  if (kind === undefined || !hasClusters(kind)) return "linux";
  if (request.table === "gpt") return "microsoft-data";
  if (kind === exfatKind) return exfatKind;
  if (kind !== "fat") return kind === "fat12" ? "fat12" : `${kind}-lba`;
  const size = typeof sizeBytes === "number" ? sizeBytes : request.sizeBytes;
  return size === "auto" || size < largeFatBytes ? "fat16-lba" : "fat32-lba";
}

/** Whether a kind is FAT or exFAT: not for the root of a Linux. */
function hasClusters(kind: string): boolean {
  return fatKinds.has(kind) || kind === exfatKind;
}

function isOfType({ table }: CreateDiskRequest, type: string, name: string): boolean {
  if (table === "mbr") return mbrTypeCode(type) === mbrTypeCode(name);
  return gptTypeGuid(type) === gptTypeGuid(name);
}

function fileSystemFor(
  request: CreateDiskRequest,
  partition: NewPartitionRequest,
  facts: MakingFacts & { readonly isRoot: boolean },
): NewFileSystem | undefined {
  const wanted = fileSystemOf(request, partition);
  if (wanted === undefined) return undefined;
  const { kind = "ext4", uuid: ownUuid, ...rest } = wanted;
  const { now, isReproducible } = facts;
  const uuid = ownUuid ?? (facts.isRoot ? request.uuid : undefined) ?? facts.nextUuid();
  if (kind === exfatKind) return { ...fatSettings(kind, rest), kind, uuid, now, isReproducible };
  if (fatKinds.has(kind))
    return { ...fatSettings(kind, rest), kind: kind as FatOptions["kind"], uuid, now, isReproducible };
  if (!extKinds.has(kind)) {
    const known = [...extKinds, ...fatKinds, exfatKind].join(", ");
    throw new Failure("unsupported", `cannot make the file system "${kind}"`, {
      hint: `${known} can be made; fs=none leaves a partition empty`,
    });
  }
  return {
    ...(request.layout === "classic" ? { blockSizeBytes: classicBlockBytes } : {}),
    ...rest,
    kind: kind as ExtKind,
    uuid,
    now,
    isReproducible,
  };
}

/** What of a request FAT and exFAT can have. Throws `usage` for what is ext's alone. */
function fatSettings(
  kind: string,
  { label, blockSizeBytes, ...others }: Omit<FileSystemRequest, "kind" | "uuid">,
): Pick<FatOptions, "label" | "clusterSizeBytes"> {
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new Failure("usage", `cannot make ${kind} with settings of ext: it has no inodes, journal or features`, {
      hint: "label, uuid and block, the size of its clusters, are what it can be given",
    });
  }
  return {
    ...(label === undefined ? {} : { label }),
    ...(blockSizeBytes === undefined ? {} : { clusterSizeBytes: blockSizeBytes }),
  };
}
