import { array, ascii, Struct, u16, u32, u64 } from "../bytes/index.ts";

// Microsoft PE format, "MS-DOS stub": where "PE\0\0" and the COFF header are
export const dosHeader = new Struct("DOS header", 64, {
  magic: [0x00, u16],
  peOffset: [0x3c, u32],
});
export const dosMagic = 0x5a4d;
export const peMagic = 0x4550;

// Microsoft PE format, "COFF file header"
export const coffHeader = new Struct("COFF header", 20, {
  machine: [0x00, u16],
  sectionCount: [0x02, u16],
  time: [0x04, u32],
  optionalHeaderBytes: [0x10, u16],
  characteristics: [0x12, u16],
});

// "Optional header standard fields", "… Windows-specific fields", "… data directories": PE32
export const optionalHeader32 = new Struct("PE32 optional header", 224, {
  magic: [0x00, u16],
  codeBytes: [0x04, u32],
  dataBytes: [0x08, u32],
  entryAddress: [0x10, u32],
  codeBase: [0x14, u32],
  dataBase: [0x18, u32],
  sectionAlignment: [0x20, u32],
  fileAlignment: [0x24, u32],
  imageBytes: [0x38, u32],
  headerBytes: [0x3c, u32],
  subsystem: [0x44, u16],
  stackAndHeap: [0x48, array(u32, 4)],
  directoryCount: [0x5c, u32],
  certificatesOffset: [0x80, u32],
  certificatesBytes: [0x84, u32],
  relocationsAddress: [0x88, u32],
  relocationsBytes: [0x8c, u32],
});

// The same: PE32+
export const optionalHeader64 = new Struct("PE32+ optional header", 240, {
  magic: [0x00, u16],
  codeBytes: [0x04, u32],
  dataBytes: [0x08, u32],
  entryAddress: [0x10, u32],
  codeBase: [0x14, u32],
  sectionAlignment: [0x20, u32],
  fileAlignment: [0x24, u32],
  imageBytes: [0x38, u32],
  headerBytes: [0x3c, u32],
  subsystem: [0x44, u16],
  stackAndHeap: [0x48, array(u64, 4)],
  directoryCount: [0x6c, u32],
  certificatesOffset: [0x90, u32],
  certificatesBytes: [0x94, u32],
  relocationsAddress: [0x98, u32],
  relocationsBytes: [0x9c, u32],
});

// "Section table (section headers)"
export const peSection = new Struct("PE section header", 40, {
  name: [0x00, ascii(8)],
  virtualBytes: [0x08, u32],
  virtualAddress: [0x0c, u32],
  rawBytes: [0x10, u32],
  rawOffset: [0x14, u32],
  characteristics: [0x24, u32],
});

// "The .reloc section": a block for each page
export const relocationBlock = new Struct("PE relocation block", 8, {
  pageAddress: [0x0, u32],
  blockBytes: [0x4, u32],
});

// "The attribute certificate table": each entry begins with this
export const certificateEntry = new Struct("PE attribute certificate", 8, {
  entryBytes: [0x0, u32],
  revision: [0x4, u16],
  type: [0x6, u16],
});
/** PKCS#7 SignedData: an Authenticode signature. */
export const signedDataType = 2;
