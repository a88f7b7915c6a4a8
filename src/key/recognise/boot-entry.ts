/** The computers that a kernel or program is for. */
export type Architecture = "i386" | "x86_64" | "arm64";
export type Firmware = "bios" | "uefi";
/** What the partition that the ISO lies on may be formatted as. */
export type HostFileSystem = "fat" | "exfat" | "ext4" | "ntfs";

/** A file inside the ISO, or the ISO itself. */
export type ImagePlace =
  | { readonly kind: "whole" }
  | { readonly kind: "file"; readonly path: string }
  /** Bytes that are no file: GRUB's `(loop)START+COUNT`, both in sectors of 512 bytes. */
  | { readonly kind: "sectors"; readonly start: number; readonly count: number };

/**
 * How GRUB starts something inside an ISO file that `loopback loop` has opened. Paths are from the root of the ISO,
 * unless an image is named, then from that of the image. Words hold `${isoPath}` (from the root of its partition,
 * beginning with `/`) and `${isosUuid}` (of that partition's file system) where `fillWords` puts what the key knows.
 */
export type StartMethod =
  /** The ISO's own menu; `iso_path` has to be exported to it. */
  | { readonly kind: "configfile"; readonly path: string }
  | {
      readonly kind: "linux";
      readonly kernel: string;
      readonly initrds: readonly string[];
      readonly words: readonly string[];
      /** A file system inside the ISO that has kernel and initrds. */
      readonly image?: ImagePlace;
    }
  /** A kernel that wants the BIOS's services. */
  | {
      readonly kind: "linux16";
      readonly kernel: string;
      readonly initrds: readonly string[];
      readonly words: readonly string[];
    }
  /** A disk in memory, by MEMDISK; `words` are for that. */
  | { readonly kind: "memdisk"; readonly image: ImagePlace; readonly medium: "iso" | "floppy" | "harddisk" }
  /** A program for UEFI, in the ISO or in a FAT image inside it. */
  | { readonly kind: "efi"; readonly program: string; readonly image?: ImagePlace }
  | {
      readonly kind: "multiboot" | "multiboot2";
      readonly kernel: string;
      readonly words: readonly string[];
      readonly modules: readonly { readonly path: string; readonly words: readonly string[] }[];
    }
  | {
      readonly kind: "bsd";
      /** GRUB's command. */
      readonly loader: "kfreebsd" | "kopenbsd" | "knetbsd";
      readonly kernel: string;
      /** What the kernel finds in memory; `whole` is the ISO itself. */
      readonly modules: readonly { readonly image: ImagePlace; readonly words: readonly string[] }[];
      /** Variables of its loader, as `vfs.root.mountfrom`. */
      readonly environment: Readonly<Record<string, string>>;
    };

/** How changes outlive a restart: in a file on the partition of the ISO that holds an ext4. */
export interface Persistence {
  /** What the kernel is told beside its other words; `${changesFolder}` is the folder of the file, from its partition's root. */
  readonly words: readonly string[];
  /** Words of the ISO's own that it is then not told: what is in front of their `=`. */
  readonly drops: readonly string[];
  /** Words by which an ISO says that it keeps no changes. */
  readonly unless: readonly string[];
  readonly fileName: string;
  /** Of the ext4. */
  readonly label: string;
  /** What the ext4 holds at first: texts by their paths. */
  readonly files: Readonly<Record<string, string>>;
  /** On which file systems it looks for the file. Absent: on all that it reads. */
  readonly on?: readonly HostFileSystem[];
}

/** One entry of the menu. */
export interface BootEntry {
  readonly title: string;
  readonly how: StartMethod;
  readonly firmwares: readonly Firmware[];
  readonly architecture: Architecture;
  /**
   * What the isos partition may be formatted as for the system to find the ISO after its start; `unknown` where its
   * initrd does not tell. Absent: it needs no more of the ISO than GRUB has loaded.
   */
  readonly readableFrom?: readonly HostFileSystem[] | "unknown";
  /** The only folder in which the system looks for its ISO: `/data`. */
  readonly onlyInFolder?: string;
  /**
   * By whose certificates what is started first is signed, as Secure Boot asks for; empty where it is not signed at all.
   * Absent: it is not known, or firmware with Secure Boot does not come into it.
   */
  readonly signers?: readonly string[];
  /** How much memory the image takes that is loaded whole. */
  readonly imageBytes?: number;
  readonly persistence?: Persistence;
  /** How the first system in it is started where not by the ISO's own menu. */
  readonly withoutMenu?: Extract<StartMethod, { readonly kind: "linux" }>;
}

/** Why nothing in an ISO is started from a file, and what would work. */
export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

/** What an ISO was recognised as. */
export interface RecognisedIso {
  readonly volumeLabel: string;
  /** As `blkid` shows it; empty where the volume has no date. */
  readonly volumeUuid: string;
  /** The `id` of the row in the table of families, where one fits. */
  readonly family?: string;
  /** From what the ISO says of itself, never from the name of its file. */
  readonly title: string;
  /** In the order of the menu; none where there is a refusal. */
  readonly entries: readonly BootEntry[];
  /** In DER, of those who have signed its kernels, by the names in `signers` of the entries. */
  readonly certificates?: ReadonlyMap<string, Uint8Array>;
  /** By what it was recognised, a line each. */
  readonly evidence: readonly string[];
  readonly refusal?: Refusal;
  readonly warnings: readonly string[];
}

/** What a key knows of an ISO on it. */
export interface IsoLocation {
  /** From the root of the partition, beginning with `/`. */
  readonly isoPath: string;
  /** Of the partition's file system. */
  readonly isosUuid: string;
}

/** Kernel arguments with what the key knows put in its places. Quoting is left to who writes the menu. */
export function fillWords(words: readonly string[], { isoPath, isosUuid }: IsoLocation): readonly string[] {
  return words.map((word) => word.replaceAll("${isoPath}", isoPath).replaceAll("${isosUuid}", isosUuid));
}
