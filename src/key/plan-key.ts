import { Failure } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import type { FatOptions, NewFileSystem } from "../filesystem/index.ts";
import { planTable, type PartitionRequest, type TablePlan } from "../partition/index.ts";
import { bootLabel, bootNumber, isosLabel, isosNumber, type TableKind } from "./key-layout.ts";

const mib = 2 ** 20;
const sectorBytes = 512;
/** GRUB for four kinds of firmware takes four of them; a signed one with its companions takes six. */
const leastBootBytes = 16 * mib;
/** What is kept free beside programs, for the entries of many ISO files. */
const spareBootBytes = 2 * mib;
const biosBootBytes = mib;
/** The smallest that is worth its tables, so that the smallest key can be downloaded in seconds. */
const smallestIsosBytes: Readonly<Record<IsosKind, number>> = {
  fat32: 8 * mib,
  exfat: 8 * mib,
  ext4: 12 * mib,
};
/** FAT32 has at least so many clusters, and a margin that programs want. */
const fat32Clusters = 65_525 + 16;
/** A long chain of clusters makes GRUB slow, and a key has few small files. */
const largestClusterBytes = 32 * 1024;
const smallestClusterBytes = 512;
const largeExfatBytes = 32 * 2 ** 30;

/**
 * For few and large files, whatever size it has now: a small key is written onto a large stick and grows there, group by
 * group, each with as many inodes as the first. Nothing is kept back for root.
 */
const extShape = { blockSizeBytes: 4096, inodeRatioBytes: 64 * 1024, reservedPercent: 0 };

export type IsosKind = "fat32" | "exfat" | "ext4";

/** What a key is to be. */
export interface KeyWish {
  readonly sizeBytes: number | "auto";
  readonly table: TableKind;
  readonly isosKind: IsosKind;
  /** Of the isos partition. Absent: ISOS. */
  readonly label?: string;
  /** What isos has to have at least. Absent: little. */
  readonly isosBytes?: number;
  /** What the programs take that go onto usbboot. Absent: what is usual. */
  readonly programBytes?: number;
}

/** Where everything of a new key goes, and what its file systems are. */
export interface KeyPlan {
  readonly table: TablePlan;
  readonly boot: PartitionPlan;
  readonly isos: PartitionPlan;
}

interface PartitionPlan {
  readonly startLba: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  readonly fileSystem: NewFileSystem;
}

/** What makes a key this one. */
export interface KeyIdentity {
  readonly now: NewFileSystem["now"];
  readonly isReproducible: boolean;
  readonly nextUuid: () => string;
}

export function planKey(wish: KeyWish, { now, isReproducible, nextUuid }: KeyIdentity): KeyPlan {
  const { table } = wish;
  const least = smallestKeyBytes(wish);
  const sizeBytes = wish.sizeBytes === "auto" ? least : wish.sizeBytes;
  if (sizeBytes < least) {
    throw new Failure("no-space", `cannot make a key of ${formatSize(sizeBytes)}: ${formatSize(least)} are needed`);
  }
  const isosBytes = sizeBytes - least + leastIsosBytes(wish);
  const isos = isosFileSystem(wish, isosBytes);
  const diskUuid = nextUuid();
  const plan = planTable({
    sizeBytes,
    table,
    layout: "aligned",
    partitions: partitionsOf(wish, isos.kind),
    ...(table === "gpt" ? { diskGuid: diskUuid } : { diskSignature: Number.parseInt(diskUuid.slice(0, 8), 16) }),
    randomUuid: nextUuid,
  });
  const facts = { now, isReproducible };
  return {
    table: plan,
    boot: placed(plan, bootNumber(table), { ...facts, kind: "fat", label: bootLabel, uuid: nextUuid() }),
    isos: placed(plan, isosNumber(table), { ...facts, ...isos, uuid: nextUuid() }),
  };
}

/** The size of the smallest key whose parts are as wished. */
function smallestKeyBytes(wish: KeyWish): number {
  const forGpt = wish.table === "gpt" ? biosBootBytes + mib : 0; // and the second copy of the table
  return mib + bootBytesOf(wish) + leastIsosBytes(wish) + forGpt;
}

function leastIsosBytes({ isosKind, isosBytes = 0 }: KeyWish): number {
  return Math.max(smallestIsosBytes[isosKind], Math.ceil(isosBytes / mib) * mib);
}

function bootBytesOf({ programBytes = 0 }: KeyWish): number {
  return Math.max(leastBootBytes, Math.ceil((programBytes + spareBootBytes) / mib) * mib);
}

function partitionsOf(wish: KeyWish, isosKind: string): readonly PartitionRequest[] {
  const isGpt = wish.table === "gpt";
  const named = (label: string): { label?: string } => (isGpt ? { label } : {});
  const mbrType = isosKind === "exfat" ? "exfat" : `${isosKind}-lba`;
  const isosType = isosKind === "ext4" ? "linux" : isGpt ? "microsoft-data" : mbrType;
  return [
    ...(isGpt ? [{ sizeBytes: biosBootBytes, type: "bios-boot", ...named("grub") }] : []),
    // Some BIOSes start only from a disk with an active partition.
    { sizeBytes: bootBytesOf(wish), type: "efi", active: !isGpt, ...named("usbboot") },
    { sizeBytes: "rest", type: isosType, ...named("isos") },
  ];
}

/** What isos is formatted as, and how, in its size. */
export function isosFileSystem(
  { isosKind, label = isosLabel }: Pick<KeyWish, "isosKind" | "label">,
  sizeBytes: number,
): Pick<FatOptions, "clusterSizeBytes" | "label"> & { readonly kind: "ext4" | "exfat" | "fat16" | "fat32" } & Partial<
    typeof extShape
  > {
  if (isosKind === "ext4") return { kind: "ext4", label, ...extShape };
  if (isosKind === "exfat") return { kind: "exfat", label, clusterSizeBytes: exfatClusterBytes(sizeBytes) };
  for (let bytes = largestClusterBytes; bytes >= smallestClusterBytes; bytes /= 2) {
    const tableBytes = fat32Clusters * 8 + 64 * 1024;
    if ((sizeBytes - tableBytes) / bytes >= fat32Clusters) return { kind: "fat32", label, clusterSizeBytes: bytes };
  }
  return { kind: "fat16", label }; // too small for FAT32
}

/** As Windows has them for a stick of some GB, and larger on large ones: few files, and all of them large. */
function exfatClusterBytes(sizeBytes: number): number {
  return sizeBytes <= largeExfatBytes ? largestClusterBytes : 4 * largestClusterBytes;
}

function placed(plan: TablePlan, number: number, fileSystem: NewFileSystem): PartitionPlan {
  const partition = plan.partitions.find((one) => one.number === number);
  if (partition === undefined) throw new TypeError(`the plan has no partition ${number}`);
  const { startLba, sectorCount } = partition;
  return { startLba, startBytes: startLba * sectorBytes, sizeBytes: sectorCount * sectorBytes, fileSystem };
}
