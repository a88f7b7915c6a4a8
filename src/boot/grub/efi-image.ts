import { linkEfiKernel, pageBytes } from "./efi-kernel.ts";
import { makeModuleArea, type ImageRequest } from "./module-area.ts";
import { coffHeader, optionalHeader32, optionalHeader64, peSection, relocationBlock } from "../pe-records.ts";
import { platformFile, type EfiPlatform, type PlatformFiles } from "./platform-files.ts";
import type { EfiMachine } from "./relocate.ts";

/** 2015-01-01, what grub-mkimage gives every image so that the same input makes the same bytes. */
const stockTime = 1_420_070_400;
const dosStubBytes = 0x80;
const dosMessage = "This program cannot be run in DOS mode.\r\r\n$";
const efiApplication = 10;
const characteristics = { executable: 2, noLines: 4, noLocalSymbols: 8, machine32: 0x100, noDebug: 0x200 } as const;
const sectionKinds = { code: 0x6000_0020, data: 0xc000_0040, relocations: 0x4200_0040 } as const;

interface Machine {
  readonly is64: boolean;
  readonly coffMachine: number;
  readonly relocationType: number;
}

const machines: Readonly<Record<EfiMachine, Machine>> = {
  i386: { is64: false, coffMachine: 0x14c, relocationType: 3 },
  x86_64: { is64: true, coffMachine: 0x8664, relocationType: 10 },
  arm64: { is64: true, coffMachine: 0xaa64, relocationType: 10 },
};
const machineOf: Readonly<Record<EfiPlatform, EfiMachine>> = {
  "i386-efi": "i386",
  "x86_64-efi": "x86_64",
  "arm64-efi": "arm64",
};

/** GRUB as a program for UEFI: the bytes that `grub-mkimage -O x86_64-efi` and its kin make of the same files. */
export function makeEfiImage(grub: PlatformFiles, request: ImageRequest): Uint8Array<ArrayBuffer> {
  if (grub.platform === "i386-pc") throw new RangeError("i386-pc has no programs for UEFI");
  const machineName = machineOf[grub.platform];
  const machine = machines[machineName];
  const kernel = linkEfiKernel(platformFile(grub, "kernel.img"), machineName);
  const modules = makeModuleArea(grub, request, machine.is64 ? 8 : 4);
  const relocations = makeRelocations(kernel.fixups, machine.relocationType);
  const dataBytes = kernel.image.length - kernel.codeBytes;
  const modulesAt = pageBytes + kernel.image.length;
  const relocationsAt = modulesAt + alignToPage(modules.length);
  const image = new Uint8Array(relocationsAt + relocations.length);
  image.set(kernel.image, pageBytes);
  image.set(modules, modulesAt);
  image.set(relocations, relocationsAt);
  const sections = [
    { name: ".text", at: pageBytes, sizeBytes: kernel.codeBytes, kind: sectionKinds.code },
    { name: ".data", at: pageBytes + kernel.codeBytes, sizeBytes: dataBytes, kind: sectionKinds.data },
    { name: "mods", at: modulesAt, sizeBytes: relocationsAt - modulesAt, kind: sectionKinds.data },
    { name: ".reloc", at: relocationsAt, sizeBytes: relocations.length, kind: sectionKinds.relocations },
  ];
  const optional = optionalHeader(machine, {
    codeBytes: kernel.codeBytes,
    dataBytes: dataBytes + relocationsAt - modulesAt,
    entryAddress: kernel.entryAddress,
    imageBytes: image.length,
    relocationsAddress: relocationsAt,
    relocationsBytes: relocations.length,
  });
  const { executable, noLines, noLocalSymbols, machine32, noDebug } = characteristics;
  const header = Buffer.concat([
    dosStub(),
    Buffer.from("PE\0\0"),
    coffHeader.encode({
      machine: machine.coffMachine,
      sectionCount: sections.length,
      time: stockTime,
      optionalHeaderBytes: optional.length,
      characteristics: executable | noLines | noLocalSymbols | noDebug | (machine.is64 ? 0 : machine32),
    }),
    optional,
    ...sections.map(({ name, at, sizeBytes, kind }) => {
      const place = { virtualBytes: sizeBytes, virtualAddress: at, rawBytes: sizeBytes, rawOffset: at };
      return peSection.encode({ name, ...place, characteristics: kind });
    }),
  ]);
  image.set(header);
  return image;
}

function optionalHeader(
  { is64 }: Machine,
  facts: {
    readonly codeBytes: number;
    readonly dataBytes: number;
    readonly entryAddress: number;
    readonly imageBytes: number;
    readonly relocationsAddress: number;
    readonly relocationsBytes: number;
  },
): Uint8Array {
  const all = {
    ...facts,
    codeBase: pageBytes,
    headerBytes: pageBytes,
    sectionAlignment: pageBytes,
    fileAlignment: pageBytes,
    subsystem: efiApplication,
    stackAndHeap: [0x10000, 0x10000, 0x10000, 0x10000],
    directoryCount: 16,
  };
  if (is64) return optionalHeader64.encode({ ...all, magic: 0x20b });
  return optionalHeader32.encode({ ...all, magic: 0x10b, dataBase: pageBytes + facts.codeBytes });
}

/** A block for each page that the fixups come to, in their order; the last one fills up a page of the file. */
function makeRelocations(fixups: readonly number[], type: number): Uint8Array {
  const blocks: { readonly page: number; readonly entries: number[] }[] = [];
  for (const address of fixups) {
    const page = address - (address % pageBytes);
    if (blocks.at(-1)?.page !== page) blocks.push({ page, entries: [] });
    blocks.at(-1)?.entries.push((type << 12) | (address - page));
  }
  const parts: Buffer[] = [];
  let total = 0;
  for (const [n, { page, entries }] of blocks.entries()) {
    const plain = relocationBlock.sizeBytes + 2 * entries.length;
    const blockBytes = n === blocks.length - 1 ? alignToPage(total + plain) - total : Math.ceil(plain / 8) * 8;
    const part = Buffer.alloc(blockBytes);
    relocationBlock.patch(part, { pageAddress: page, blockBytes });
    for (const [k, entry] of entries.entries()) part.writeUInt16LE(entry, relocationBlock.sizeBytes + 2 * k);
    parts.push(part);
    total += blockBytes;
  }
  return Buffer.concat(parts);
}

/** What DOS runs of a PE file: it prints a line. The header says that the PE header lies at 0x80. */
function dosStub(): Uint8Array {
  const stub = Buffer.alloc(dosStubBytes);
  stub.set([0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0xff, 0xff, 0, 0, 0xb8]);
  stub.writeUInt8(0x40, 0x18);
  stub.writeUInt32LE(dosStubBytes, 0x3c);
  stub.set([0x0e, 0x1f, 0xba, 0x0e, 0x00, 0xb4, 0x09, 0xcd, 0x21, 0xb8, 0x01, 0x4c, 0xcd, 0x21], 0x40);
  stub.write(dosMessage, 0x4e, "latin1");
  return stub;
}

function alignToPage(value: number): number {
  return Math.ceil(value / pageBytes) * pageBytes;
}
