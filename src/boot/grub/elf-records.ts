import { Struct, u16, u32, u8, bytes } from "../../bytes/index.ts";

// System V ABI, edition 4.1, chapter 4
export const elf32Header = new Struct("ELF32 header", 52, {
  magic: [0x00, bytes(4)],
  class: [0x04, u8],
  encoding: [0x05, u8],
  machine: [0x12, u16],
  sectionsOffset: [0x20, u32],
  sectionEntryBytes: [0x2e, u16],
  sectionCount: [0x30, u16],
});

export const elf32Section = new Struct("ELF32 section header", 40, {
  type: [0x04, u32],
  flags: [0x08, u32],
  address: [0x0c, u32],
  offset: [0x10, u32],
  sizeBytes: [0x14, u32],
  alignment: [0x20, u32],
});

export const elfMagic = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);
export const elfMachine386 = 3;
export const sectionProgramBits = 1;
export const sectionNoBits = 8;
export const sectionIsAllocated = 2;
