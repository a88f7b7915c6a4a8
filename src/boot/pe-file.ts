import {
  coffHeader,
  dosHeader,
  dosMagic,
  optionalHeader32,
  optionalHeader64,
  peMagic,
  peSection,
} from "./pe-records.ts";

export interface PeSection {
  readonly name: string;
  readonly offset: number;
  /** In the file; what is behind `usedBytes` fills it up. */
  readonly sizeBytes: number;
  readonly usedBytes: number;
}

/** What the headers of a program for UEFI say of it. */
export interface PeFile {
  /** As COFF numbers machines: 0x8664, 0xaa64, 0x14c. */
  readonly machine: number;
  /** What it is made for: `efiSubsystems` are programs and drivers for UEFI. */
  readonly subsystem: number;
  readonly sections: readonly PeSection[];
  /** Where its signatures are in the file; 0 bytes where it has none. */
  readonly certificates: { readonly offset: number; readonly sizeBytes: number };
}

/** Headers lie within as many bytes from the start of a file; those of kernels take some hundred. */
export const peHeaderLimitBytes = 64 * 1024;
/** Microsoft PE format, "Windows Subsystem": application, boot service driver, runtime driver. */
export const efiSubsystems: readonly number[] = [10, 11, 12];
const sectionLimit = 96; // as Windows' loader has it; ukify makes a dozen

/** The headers at the start of a PE file; undefined where it is none, or they are damaged. */
export function readPe(start: Uint8Array): PeFile | undefined {
  if (start.length < dosHeader.sizeBytes) return undefined;
  const { magic, peOffset } = dosHeader.decode(start);
  const coffAt = peOffset + 4;
  const optionalAt = coffAt + coffHeader.sizeBytes;
  if (magic !== dosMagic || optionalAt + optionalHeader64.sizeBytes > Math.min(start.length, peHeaderLimitBytes))
    return undefined;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (view.getUint32(peOffset, true) !== peMagic) return undefined;
  const { machine, sectionCount, optionalHeaderBytes } = coffHeader.decode(start, coffAt);
  const optional = view.getUint16(optionalAt, true) === 0x20b ? optionalHeader64 : optionalHeader32;
  const sectionsAt = optionalAt + optionalHeaderBytes;
  if (sectionCount > sectionLimit || sectionsAt + sectionCount * peSection.sizeBytes > start.length) return undefined;
  const sections = Array.from({ length: sectionCount }, (_, n): PeSection => {
    const { name, rawOffset, rawBytes, virtualBytes } = peSection.decode(start, sectionsAt + n * peSection.sizeBytes);
    return { name, offset: rawOffset, sizeBytes: rawBytes, usedBytes: Math.min(rawBytes, virtualBytes) };
  });
  const hasCertificates = optional.get(start, "directoryCount", optionalAt) > 4;
  const certificates = {
    offset: optional.get(start, "certificatesOffset", optionalAt),
    sizeBytes: hasCertificates ? optional.get(start, "certificatesBytes", optionalAt) : 0,
  };
  return { machine, subsystem: optional.get(start, "subsystem", optionalAt), sections, certificates };
}
