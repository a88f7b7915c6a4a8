import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { openFileSystem, probe, resolvePath, type FileSystem } from "../filesystem/index.ts";

export type Architecture = "i386" | "x86_64" | "arm64";
export type Firmware = "bios" | "uefi";
/** What the partition that the ISO lies on may be formatted as. */
export type HostFileSystem = "fat" | "exfat" | "ext4" | "ntfs" | "btrfs" | "xfs" | "f2fs";

/** A file inside the ISO, or the ISO itself. */
export type ImagePlace =
  | { readonly kind: "whole" }
  | { readonly kind: "file"; readonly path: string }
  /** Bytes that are no file, in sectors of 512 bytes. */
  | { readonly kind: "sectors"; readonly start: number; readonly count: number };

/** How GRUB starts something inside an ISO file. Words hold `${isoPath}` and `${isosUuid}` where the key fills them in. */
export type StartMethod =
  | { readonly kind: "configfile"; readonly path: string }
  | {
      readonly kind: "linux";
      readonly kernel: string;
      readonly initrds: readonly string[];
      readonly words: readonly string[];
      readonly partition?: string;
    }
  | {
      readonly kind: "linux16";
      readonly kernel: string;
      readonly initrds: readonly string[];
      readonly words: readonly string[];
    }
  | { readonly kind: "memdisk"; readonly image: ImagePlace; readonly medium: "iso" | "floppy" | "harddisk" }
  | { readonly kind: "efi"; readonly program: string; readonly image?: ImagePlace }
  | {
      readonly kind: "multiboot" | "multiboot2";
      readonly kernel: string;
      readonly words: readonly string[];
      readonly modules: readonly { readonly path: string; readonly words: readonly string[] }[];
    }
  | {
      readonly kind: "bsd";
      readonly loader: "kfreebsd" | "kopenbsd" | "knetbsd";
      readonly kernel: string;
      readonly modules: readonly { readonly image: ImagePlace; readonly words: readonly string[] }[];
      readonly environment: Readonly<Record<string, string>>;
    };

/** One entry of the menu. */
export interface BootEntry {
  readonly title: string;
  readonly how: StartMethod;
  readonly firmwares: readonly Firmware[];
  readonly architecture: Architecture;
  /** What the isos partition may be formatted as for the system to find its ISO; absent: it needs no more of it. */
  readonly readableFrom?: readonly HostFileSystem[] | "unknown";
}

/** What an ISO was recognised as. */
export interface RecognisedIso {
  readonly title: string;
  readonly entries: readonly BootEntry[];
  readonly refusal?: { readonly reason: string; readonly hint: string };
  readonly warnings: readonly string[];
}

const everywhere = { firmwares: ["bios", "uefi"], architecture: "x86_64" } as const;

/** Looks into an ISO file: its own menu for loopback, or the layout of Debian's live systems. */
export async function recogniseIso(reader: BlockReader): Promise<RecognisedIso> {
  if ((await probe(reader)) === undefined) throw new Failure("unsupported", "there is no ISO 9660 or UDF in it");
  await using fileSystem = await openFileSystem(reader);
  const title = fileSystem.info.label === "" ? "ISO" : fileSystem.info.label;
  const entry = await entryIn(fileSystem, title);
  if (entry !== undefined) return { title, entries: [entry], warnings: [] };
  const reason = "it is not known how it starts from a file";
  return { title, entries: [], warnings: [], refusal: { reason, hint: "write it to a stick of its own" } };
}

async function entryIn(fileSystem: FileSystem, title: string): Promise<BootEntry | undefined> {
  for (const path of ["/boot/grub/loopback.cfg", "/boot/grub2/loopback.cfg"]) {
    if (await has(fileSystem, path)) return { title, how: { kind: "configfile", path }, ...everywhere };
  }
  const [kernel, initrd] = ["/live/vmlinuz", "/live/initrd.img"];
  if (!(await has(fileSystem, kernel)) || !(await has(fileSystem, initrd))) return undefined;
  const words = ["boot=live", "components", String.raw`findiso=${"$"}{isoPath}`];
  return { title, how: { kind: "linux", kernel, initrds: [initrd], words }, ...everywhere };
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
