import { ascii, Struct, u16, u32 } from "../bytes/index.ts";

// Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"
export const x86SetupHeader = new Struct("Linux x86 setup header", 0x268, {
  magic: [0x202, ascii(4)],
  version: [0x206, u16],
  /** Of a text, counted from 0x200; 0: none. */
  releaseAt: [0x20e, u16],
  loadFlags: [0x236, u16],
});

// Linux Documentation/arch/arm64/booting.rst; riscv/boot-image-header.rst has the same place
export const imageHeader = new Struct("Linux Image header", 64, { magic: [0x38, u32] });
