/** The records of ELF files: of GRUB's modules and of kernels, and of the modules of these. */
import { bytes, i32, u16, u32, u64, u8 } from "../fields.ts";
import { Struct } from "../struct.ts";

// System V ABI, edition 4.1, chapter 4
export const elfIdentity = new Struct("ELF identity", 16, {
  magic: [0x0, bytes(4)],
  class: [0x4, u8],
  encoding: [0x5, u8],
});

export const elf32Header = new Struct("ELF32 header", 52, {
  machine: [0x12, u16],
  sectionsOffset: [0x20, u32],
  sectionEntryBytes: [0x2e, u16],
  sectionCount: [0x30, u16],
});

export const elf64Header = new Struct("ELF64 header", 64, {
  machine: [0x12, u16],
  sectionsOffset: [0x28, u64],
  sectionEntryBytes: [0x3a, u16],
  sectionCount: [0x3c, u16],
  namesIndex: [0x3e, u16],
});

export const elf32Section = new Struct("ELF32 section header", 40, {
  type: [0x04, u32],
  flags: [0x08, u32],
  address: [0x0c, u32],
  offset: [0x10, u32],
  sizeBytes: [0x14, u32],
  link: [0x18, u32],
  info: [0x1c, u32],
  alignment: [0x20, u32],
});

export const elf64Section = new Struct("ELF64 section header", 64, {
  name: [0x00, u32],
  type: [0x04, u32],
  flags: [0x08, u64],
  address: [0x10, u64],
  offset: [0x18, u64],
  sizeBytes: [0x20, u64],
  link: [0x28, u32],
  info: [0x2c, u32],
  alignment: [0x30, u64],
});

export const elf32Symbol = new Struct("ELF32 symbol", 16, {
  name: [0x0, u32],
  value: [0x4, u32],
  section: [0xe, u16],
});

export const elf64Symbol = new Struct("ELF64 symbol", 24, {
  name: [0x00, u32],
  section: [0x06, u16],
  value: [0x08, u64],
});

export const elf32Relocation = new Struct("ELF32 relocation", 8, {
  offset: [0x0, u32],
  type: [0x4, u8],
  symbolLow: [0x5, u8],
  symbolHigh: [0x6, u16],
});

/** With an addend, whose two halves are read apart: it is signed. */
export const elf64Relocation = new Struct("ELF64 relocation", 24, {
  offset: [0x00, u64],
  type: [0x08, u32],
  symbol: [0x0c, u32],
  addendLow: [0x10, u32],
  addendHigh: [0x14, i32],
});

export const elfMagic = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);
export const elfMachines = { i386: 3, x86_64: 62, arm64: 183 } as const;
export const sectionTypes = {
  programBits: 1,
  symbols: 2,
  relocationsWithAddend: 4,
  noBits: 8,
  relocations: 9,
} as const;
export const sectionFlags = { allocated: 2, executable: 4 } as const;
export const specialSections = { undefined: 0, absolute: 0xfff1 } as const;
