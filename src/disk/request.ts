import type { Firmware } from "../boot/grub/index.ts";
import type { DiskReport } from "./report.ts";

/** What to make in a partition. Everything has a default. */
export interface FileSystemRequest {
  /** `ext2` to `ext4`, `fat12` to `fat32`, `fat` for the one that fits, `exfat`; what fits the partition's type unless told. */
  readonly kind?: string;
  readonly label?: string;
  /** Of FAT and exFAT: the number of the volume. */
  readonly uuid?: string;
  /** Of FAT and exFAT: the size of a cluster. */
  readonly blockSizeBytes?: number;
  readonly inodeRatioBytes?: number;
  readonly inodeCount?: number;
  readonly inodeSizeBytes?: number;
  readonly journalBytes?: number;
  readonly reservedPercent?: number;
  /** Leave unused inode tables for the kernel to clear in the background. */
  readonly lazyInodeTables?: boolean;
  /** Features to add, or with `^` in front to leave out. */
  readonly features?: readonly string[];
}

/** A partition wished for, in the user's words: what does not go together is for `createDisk` to refuse. */
export interface NewPartitionRequest {
  /** `rest`: what the others leave. `auto`: what its files need. Absent: `rest`. */
  readonly sizeBytes?: number | "rest" | "auto";
  /** A name such as `linux`, an MBR code such as `0x83`, or a GUID. Absent: what fits the file system. */
  readonly type?: string;
  /** GPT only. Absent: the label of the file system. */
  readonly name?: string;
  readonly guid?: string;
  readonly active: boolean;
  /** Absent: what fits the type; ext4 for `linux`, FAT for `efi`. */
  readonly fileSystem?: FileSystemRequest | "none";
  /** Folders and tars to fill it from, in order; `-` is a tar on standard input. */
  readonly from: readonly string[];
}

/** How a disk is to start: by GRUB, from the kernels in `/boot` of its root, or by what its active partition brings. */
export interface BootRequest {
  /** On which GRUB starts it. */
  readonly firmwares: readonly Firmware[];
  /** By BIOS it starts the boot sector of its active partition. */
  readonly chain?: boolean;
  /** Menu and kernel use the first serial port too. */
  readonly serial: boolean;
  /** For UEFI: signed programs, that start where Secure Boot is on. */
  readonly secureBoot: boolean;
  /** How long the menu waits for a key: 3 s unless told. */
  readonly timeoutSeconds?: number;
  /** Folders and packages to take GRUB from, before what this machine has. */
  readonly grubFrom?: readonly string[];
  /** The folder under which this machine has GRUB's files. Absent: `/usr/lib`. */
  readonly machineFolder?: string;
  /** Where packages that are fetched are kept. Absent: none are fetched. */
  readonly cacheFolder?: string;
}

/** A Debian system for the root, of the distribution's own packages. */
export interface DebianRequest {
  /** A codename such as `bookworm`. */
  readonly release: string;
  /** Archives, each `URL[ suite[ components]]`. Absent: the sources of this machine's apt. */
  readonly mirrors?: readonly string[];
  /** Beyond those that every system has. */
  readonly packages: readonly string[];
  /** The package of its kernel; the one for virtual machines unless told. */
  readonly kernel?: string;
  /** `debian` unless told. */
  readonly hostname?: string;
  /** Lines for root's `authorized_keys`; with any the system has an SSH server. */
  readonly sshKeys: readonly string[];
  /** As in shadow(5). Absent: root logs in by no password. */
  readonly rootPasswordHash?: string;
  /** Have its packages configured in a virtual machine now, instead of at its first start. */
  readonly configure: boolean;
  /** Where packages are kept for the next time. */
  readonly cacheFolder: string;
  /** For proxies and apt's settings. */
  readonly env: NodeJS.ProcessEnv;
}

export interface CreateDiskRequest {
  readonly path: string;
  /** `auto`: what the files need. */
  readonly sizeBytes: number | "auto";
  readonly table: "mbr" | "gpt";
  readonly layout: "aligned" | "classic";
  /** 255 heads and 63 sectors unless told. */
  readonly geometry?: { readonly heads: number; readonly sectors: number };
  /** None: one Linux partition over all the space, ext4; before it what starting by GRUB needs. */
  readonly partitions: readonly NewPartitionRequest[];
  /** Make it start by itself. */
  readonly boot?: BootRequest;
  /** For the only partition, or the one that is the root: folders and tars as in `NewPartitionRequest.from`. */
  readonly from: readonly string[];
  /** For the root too, before what `from` names. */
  readonly debian?: DebianRequest;
  /** Replace an existing file. */
  readonly force: boolean;
  /** Reserve the space instead of making a sparse file. */
  readonly preallocate: boolean;
  /** Everything random (disk id, UUIDs) is derived from it: the same request then gives the same bytes. */
  readonly uuid?: string;
  /** The clock: milliseconds since 1970. */
  readonly nowMs: number;
  /** Seconds since 1970 that stand for now, and for every later time (SOURCE_DATE_EPOCH). */
  readonly sourceDateEpoch?: number;
}

export interface CreatedDisk {
  readonly report: DiskReport;
  /** What could not be kept, one sentence each. */
  readonly warnings: readonly string[];
}
