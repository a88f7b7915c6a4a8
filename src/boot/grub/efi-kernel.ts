import { damagedKernel, readElf, type ElfFile, type ElfSection } from "./elf-file.ts";
import {
  elf32Relocation,
  elf32Symbol,
  elf64Relocation,
  elf64Symbol,
  sectionFlags,
  sectionTypes,
  specialSections,
} from "../../bytes/elf/index.ts";
import { relocate, type EfiMachine } from "./relocate.ts";

/** Sections and headers of the image are aligned to pages, in the file as in memory; the headers take one. */
export const pageBytes = 4096;

/** GRUB's kernel for EFI, linked to lie one page above the base of its image. */
export interface EfiKernel {
  /** Code up to `codeBytes`, then data, zeroed data included. */
  readonly image: Uint8Array<ArrayBuffer>;
  readonly codeBytes: number;
  readonly entryAddress: number;
  /** Addresses, counted from the base of the image, of the words to which that base is to be added; in order of the file. */
  readonly fixups: readonly number[];
}

/** The whole of a kernel takes some hundred kilobytes. */
const kernelLimitBytes = 16 * 1024 * 1024;

interface Layout {
  /** By number of the section, from the first byte behind the headers; undefined for what is left out. */
  readonly addresses: readonly (number | undefined)[];
  readonly codeBytes: number;
  readonly zeroedAt: number;
  readonly sizeBytes: number;
}

interface Relocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: number;
}

/** Lays out and links `kernel.img`, which is an object file for EFI. */
export function linkEfiKernel(bytes: Uint8Array, machine: EfiMachine): EfiKernel {
  try {
    return link(readElf(bytes, machine), machine);
  } catch (error) {
    if (error instanceof RangeError) throw damagedKernel("a field of it is out of all bounds"); // 64-bit sizes
    throw error;
  }
}

function link(elf: ElfFile, machine: EfiMachine): EfiKernel {
  const layout = layOut(elf.sections);
  const image = new Uint8Array(layout.sizeBytes);
  for (const [n, { type, offset, sizeBytes }] of elf.sections.entries()) {
    const address = layout.addresses[n];
    if (address !== undefined && type !== sectionTypes.noBits)
      image.set(elf.bytes.subarray(offset, offset + sizeBytes), address);
  }
  const { values, entryAddress } = locateSymbols(elf, layout);
  const fixups: number[] = [];
  for (const section of elf.sections) {
    if (section.type !== sectionTypes.relocations && section.type !== sectionTypes.relocationsWithAddend) continue;
    const base = layout.addresses[section.info];
    if (base === undefined) continue;
    const limit = elf.sections[section.info]?.sizeBytes ?? 0;
    for (const relocation of relocationsOf(elf, section)) {
      const value = values[relocation.symbol];
      if (value === undefined) throw damagedKernel("a relocation names no symbol");
      const { type, offset, addend } = relocation;
      if (offset > limit) throw damagedKernel("a relocation passes its section");
      const view = new DataView(image.buffer, base + offset, limit - offset);
      const address = base + offset + pageBytes;
      if (relocate(machine, type, { view, address, value: value + addend })) fixups.push(address);
    }
  }
  return { image, codeBytes: layout.codeBytes, entryAddress, fixups };
}

/** Code first, then data from a new page on, then zeroed data. */
function layOut(sections: readonly ElfSection[]): Layout {
  const addresses: (number | undefined)[] = sections.map(() => undefined);
  let end = 0;
  const place = (isWanted: (section: ElfSection) => boolean): void => {
    for (const [n, section] of sections.entries()) {
      if ((section.flags & sectionFlags.allocated) === 0 || !isWanted(section)) continue;
      const at = alignUp(end, Math.max(1, section.alignment));
      addresses[n] = at;
      end = at + section.sizeBytes;
      if (end > kernelLimitBytes) throw damagedKernel("its sections do not fit");
    }
  };
  const isCode = ({ flags }: ElfSection): boolean => (flags & sectionFlags.executable) !== 0;
  const isZeroed = ({ type }: ElfSection): boolean => type === sectionTypes.noBits;
  place(isCode);
  end = alignUp(end, pageBytes);
  const codeBytes = end;
  place((section) => !isCode(section) && !isZeroed(section));
  const zeroedAt = end;
  place((section) => !isCode(section) && isZeroed(section));
  return { addresses, codeBytes, zeroedAt, sizeBytes: alignUp(end, pageBytes) };
}

/** The value of every symbol, counted from the base of the image; undefined for those of sections that are left out. */
function locateSymbols(
  { bytes, is64, sections }: ElfFile,
  layout: Layout,
): { readonly values: readonly (number | undefined)[]; readonly entryAddress: number } {
  const table = sections.find(({ type }) => type === sectionTypes.symbols);
  const names = table === undefined ? undefined : sections[table.link];
  if (table === undefined || names === undefined) throw damagedKernel("it has no symbols");
  const struct = is64 ? elf64Symbol : elf32Symbol;
  let entryAddress: number | undefined;
  const values = Array.from({ length: Math.floor(table.sizeBytes / struct.sizeBytes) }, (_, n) => {
    const symbol = struct.decode(bytes, table.offset + n * struct.sizeBytes);
    const name = nameAt(bytes.subarray(names.offset, names.offset + names.sizeBytes), symbol.name);
    const value = valueOf(symbol, name, layout);
    if (name === "_start" || name === "start") entryAddress ??= value;
    return value;
  });
  if (entryAddress === undefined) throw damagedKernel("it has no start");
  return { values, entryAddress };
}

function valueOf(
  symbol: { readonly section: number; readonly value: number },
  name: string,
  layout: Layout,
): number | undefined {
  if (symbol.section === specialSections.absolute) return symbol.value;
  if (symbol.section === specialSections.undefined) {
    // GRUB's own two, which its tools leave without the page of the headers.
    if (name === "__bss_start") return layout.zeroedAt;
    if (name === "_end") return layout.sizeBytes;
    if (name === "") return symbol.value;
    throw damagedKernel(`it needs "${name}", which it does not have`);
  }
  const address = layout.addresses[symbol.section];
  return address === undefined ? undefined : symbol.value + address + pageBytes;
}

function nameAt(names: Uint8Array, at: number): string {
  const end = names.indexOf(0, at);
  return Buffer.from(names.subarray(at, end === -1 ? names.length : end)).toString("latin1");
}

function* relocationsOf({ bytes, is64 }: ElfFile, section: ElfSection): Generator<Relocation> {
  if (is64 !== (section.type === sectionTypes.relocationsWithAddend))
    throw damagedKernel("its relocations are of another kind");
  const entryBytes = is64 ? elf64Relocation.sizeBytes : elf32Relocation.sizeBytes;
  for (let at = section.offset; at + entryBytes <= section.offset + section.sizeBytes; at += entryBytes) {
    if (is64) {
      const { offset, type, symbol, addendLow, addendHigh } = elf64Relocation.decode(bytes, at);
      yield { offset, type, symbol, addend: addendHigh * 2 ** 32 + addendLow };
    } else {
      const { offset, type, symbolLow, symbolHigh } = elf32Relocation.decode(bytes, at);
      yield { offset, type, symbol: symbolHigh * 256 + symbolLow, addend: 0 };
    }
  }
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
