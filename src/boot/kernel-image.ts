import * as zlib from "node:zlib";
import type { FileSystem } from "../filesystem/index.ts";
import { elf32Header, elfIdentity, elfMachines, elfMagic } from "../bytes/elf/index.ts";
import { imageHeader, x86SetupHeader } from "./kernel-records.ts";
import { efiSubsystems, peHeaderLimitBytes, readPe } from "./pe-file.ts";
import { readParts } from "./read-parts.ts";

/** The machines that kernels are told apart by. */
export type Architecture = "i386" | "x86_64" | "arm64" | "arm" | "riscv64";

/** It has an entry for 64 bits (boot.rst: XLF_KERNEL_64, since protocol 2.12). */
const has64BitEntry = 1;
const loadFlagsSince = 0x20c;

const imageMagics: ReadonlyMap<number, Architecture> = new Map([
  [0x644d5241, "arm64"],
  [0x05435352, "riscv64"],
]);
const peMachines: ReadonlyMap<number, Architecture> = new Map([
  [0x14c, "i386"],
  [0x8664, "x86_64"],
  [0xaa64, "arm64"],
  [0x1c2, "arm"],
  [0x5064, "riscv64"],
]);
const elfNames: ReadonlyMap<number, Architecture> = new Map([
  [elfMachines.i386, "i386"],
  [elfMachines.x86_64, "x86_64"],
  [elfMachines.arm64, "arm64"],
  [40, "arm"],
  [243, "riscv64"],
]);

/** So much of a kernel that is packed as a whole, as those for arm64 may be, is looked into. */
const packedStartBytes = 4096;

/** The machine that a kernel is for, by the header at its start; undefined where it has none that is known. */
export function architectureOf(start: Uint8Array): Architecture | undefined {
  if (isPacked(start)) {
    const unpacked = unpackStart(start);
    return unpacked && architectureOf(unpacked);
  }
  if (isForX86(start)) {
    const { version, loadFlags } = x86SetupHeader.decode(start);
    return version >= loadFlagsSince && (loadFlags & has64BitEntry) !== 0 ? "x86_64" : "i386";
  }
  const pe = readPe(start);
  if (pe !== undefined) return peMachines.get(pe.machine);
  if (start.length < imageHeader.sizeBytes) return undefined;
  if (Buffer.from(elfMagic).equals(elfIdentity.get(start, "magic")))
    return elfNames.get(elf32Header.get(start, "machine"));
  return imageMagics.get(imageHeader.get(start, "magic"));
}

/** A file that a computer or a boot loader starts. */
export interface Startable {
  readonly kind: "linux" | "efi";
  readonly architecture: Architecture;
  /** What a kernel of Linux for x86 says of itself. */
  readonly version?: string;
  /** A kernel for x86 that UEFI starts as well. */
  readonly isEfiProgram?: true;
}

/** Enough of a file's start for `startableOf`. */
export const startableBytes = peHeaderLimitBytes;
const versionLimit = 200;

/** What the start of a file says that it is; undefined where it is neither kernel nor program for UEFI. */
export function startableOf(start: Uint8Array): Startable | undefined {
  if (isPacked(start)) {
    const unpacked = unpackStart(start);
    return unpacked && startableOf(unpacked);
  }
  const architecture = architectureOf(start);
  if (architecture === undefined) return undefined;
  if (isForX86(start)) {
    const version = versionOf(start);
    const asProgram = isEfiProgram(start) ? { isEfiProgram: true as const } : {};
    return { kind: "linux", architecture, ...(version === "" ? {} : { version }), ...asProgram };
  }
  // A kernel with a stub for UEFI is a program as well.
  if (imageMagics.has(imageHeader.get(start, "magic"))) return { kind: "linux", architecture };
  return isEfiProgram(start) ? { kind: "efi", architecture } : undefined;
}

function isEfiProgram(start: Uint8Array): boolean {
  const subsystem = readPe(start)?.subsystem;
  return subsystem !== undefined && efiSubsystems.includes(subsystem);
}

function isForX86(start: Uint8Array): boolean {
  return start.length >= x86SetupHeader.sizeBytes && x86SetupHeader.get(start, "magic") === "HdrS";
}

function isPacked(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** Undefined where it is no gzip after all, or gzip of gzip. */
function unpackStart(packed: Uint8Array): Uint8Array | undefined {
  try {
    const finishFlush = zlib.constants.Z_SYNC_FLUSH;
    const unpacked = zlib.gunzipSync(packed.subarray(0, packedStartBytes), { finishFlush });
    return isPacked(unpacked) ? undefined : unpacked;
  } catch {
    return undefined; // no gzip after all
  }
}

/** What the header of a kernel in a file system tells. */
export interface KernelHeader {
  readonly architecture?: Architecture;
  /** As `uname -r` will print it. Kernels for x86 have it where it can be found. */
  readonly release?: string;
}

/** Reads the header of a kernel in a file system. */
export async function readKernelHeader(fileSystem: FileSystem, id: number): Promise<KernelHeader> {
  const [start = new Uint8Array()] = await readParts(fileSystem, id, [{ at: 0, lengthBytes: peHeaderLimitBytes }]);
  const architecture = architectureOf(start);
  const release = releaseOf(start);
  return { ...(architecture === undefined ? {} : { architecture }), ...(release === undefined ? {} : { release }) };
}

/** The first word of the text that the setup header of x86 points to. */
function releaseOf(start: Uint8Array): string | undefined {
  if (!isForX86(start)) return undefined;
  return /^[\w.+~-]+(?= |$)/.exec(versionOf(start))?.[0];
}

/** The text that the setup header of x86 points to; empty where there is none. */
function versionOf(start: Uint8Array): string {
  const { releaseAt } = x86SetupHeader.decode(start);
  if (releaseAt === 0) return "";
  const text = Buffer.from(start.subarray(releaseAt + 0x200, releaseAt + 0x200 + versionLimit)).toString("latin1");
  return (text.split("\0", 1)[0] ?? "").replace(/[^ -~]/g, "");
}
