import * as zlib from "node:zlib";
import { ascii, Struct, u16, u32, u8 } from "../../bytes/index.ts";
import type { Architecture } from "./boot-entry.ts";

// Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"
export const setupHeader = new Struct("Linux x86 setup header", 0x268, {
  setupSectors: [0x1f1, u8],
  bootFlag: [0x1fe, u16],
  magic: [0x202, ascii(4)],
  version: [0x206, u16],
  versionText: [0x20e, u16],
  loadFlags: [0x211, u8],
  extendedLoadFlags: [0x236, u16],
});

// Linux Documentation/arch/arm64/booting.rst
export const armImageHeader = new Struct("Linux arm64 Image header", 64, { magic: [0x38, u32] });

// Microsoft PE format, "MS-DOS stub", "COFF file header", "Optional header"
export const dosHeader = new Struct("DOS header", 64, { magic: [0x00, ascii(2)], peOffset: [0x3c, u32] });
export const peHeader = new Struct("PE header", 24 + 70, {
  signature: [0, ascii(4)],
  machine: [4, u16],
  subsystem: [24 + 68, u16],
});

/** A file that a computer or a boot loader starts. */
export interface Startable {
  readonly kind: "linux" | "efi";
  readonly architecture: Architecture;
  /** What a kernel of Linux says of itself. */
  readonly version?: string;
}

/** Enough of a file's start to tell what it is. */
export const startableBytes = 64 * 1024;
/** Unpacks to a header in any case, and to no more than some MB. */
const packedStartBytes = 4096;
const bootFlag = 0xaa55;
/** XLF_KERNEL_64, since protocol 2.12. */
const has64BitEntry = 1;
const extendedFlagsSince = 0x20c;
const armMagic = 0x644d5241;
const efiSubsystems = [10, 11, 12];
const peMachines: Readonly<Record<number, Architecture>> = { 0x14c: "i386", 0x8664: "x86_64", 0xaa64: "arm64" };
const versionLimit = 200;

/** What the start of a file says that it is; undefined where it is neither kernel nor program for UEFI. */
export function startableOf(start: Uint8Array): Startable | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b) {
    const unpacked = unpackedStart(start);
    return unpacked?.[0] === 0x1f ? undefined : unpacked && startableOf(unpacked);
  }
  const linux = linuxOf(start);
  if (linux !== undefined) return linux;
  if (start.length >= armImageHeader.sizeBytes && armImageHeader.get(start, "magic") === armMagic)
    return { kind: "linux", architecture: "arm64" };
  return efiProgramOf(start);
}

/** Kernels for arm64 may be packed as a whole; GRUB unpacks them. */
function unpackedStart(packed: Uint8Array): Uint8Array | undefined {
  try {
    return zlib.gunzipSync(packed.subarray(0, packedStartBytes), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  } catch {
    return undefined; // no gzip after all
  }
}

function linuxOf(start: Uint8Array): Startable | undefined {
  if (start.length < setupHeader.sizeBytes) return undefined;
  const header = setupHeader.decode(start);
  if (header.magic !== "HdrS" || header.bootFlag !== bootFlag) return undefined;
  const is64Bit = header.version >= extendedFlagsSince && (header.extendedLoadFlags & has64BitEntry) !== 0;
  const version = header.versionText === 0 ? "" : textAt(start, header.versionText + 0x200);
  return { kind: "linux", architecture: is64Bit ? "x86_64" : "i386", ...(version === "" ? {} : { version }) };
}

function textAt(bytes: Uint8Array, at: number): string {
  const text =
    Buffer.from(bytes.subarray(at, at + versionLimit))
      .toString("latin1")
      .split("\0", 1)[0] ?? "";
  return text.replace(/[^ -~]/g, "");
}

function efiProgramOf(start: Uint8Array): Startable | undefined {
  if (start.length < dosHeader.sizeBytes) return undefined;
  const { magic, peOffset } = dosHeader.decode(start);
  if (magic !== "MZ" || peOffset + peHeader.sizeBytes > start.length) return undefined;
  const { signature, machine, subsystem } = peHeader.decode(start, peOffset);
  const architecture = peMachines[machine];
  if (!signature.startsWith("PE") || architecture === undefined || !efiSubsystems.includes(subsystem)) return undefined;
  return { kind: "efi", architecture };
}
