import { Failure } from "../../base/index.ts";
import {
  elf32Header,
  elf32Section,
  elfMachine386,
  elfMagic,
  sectionIsAllocated,
  sectionNoBits,
  sectionProgramBits,
} from "./elf-records.ts";

/** Where the kernel for BIOS is linked to run. */
const linkAddress = 0x9000;
/** Code, data and zeroed data have to end below this address (GRUB 2.06 util/mkimage.c). */
const kernelEndAddress = 0x68000;

interface Section {
  readonly type: number;
  readonly at: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** GRUB's kernel for BIOS as it lies in memory from its first address on, without the data that starts as zeros. */
export function loadBiosKernel(elf: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = readSections(elf);
  const data = sections.filter(({ type }) => type === sectionProgramBits);
  const endOf = (some: readonly Section[]): number => Math.max(0, ...some.map(({ at, sizeBytes }) => at + sizeBytes));
  if (endOf(sections) + linkAddress > kernelEndAddress || endOf(data) === 0) throw damaged("its sections do not fit");
  const image = new Uint8Array(endOf(data));
  for (const { at, offset, sizeBytes } of data) {
    if (offset + sizeBytes > elf.length) throw damaged("a section passes its end");
    image.set(elf.subarray(offset, offset + sizeBytes), at);
  }
  return image;
}

/** The sections that take memory, counted from the link address. */
function readSections(elf: Uint8Array): readonly Section[] {
  if (elf.length < elf32Header.sizeBytes) throw damaged("it is too short");
  const header = elf32Header.decode(elf);
  const is386 = header.class === 1 && header.encoding === 1 && header.machine === elfMachine386;
  if (!Buffer.from(elfMagic).equals(header.magic) || !is386) throw damaged("it is no ELF file for i386");
  const { sectionsOffset, sectionEntryBytes, sectionCount } = header;
  if (sectionEntryBytes < elf32Section.sizeBytes || sectionsOffset + sectionEntryBytes * sectionCount > elf.length) {
    throw damaged("its section headers pass its end");
  }
  return Array.from({ length: sectionCount }, (_, n) =>
    elf32Section.decode(elf, sectionsOffset + n * sectionEntryBytes),
  )
    .filter(
      ({ type, flags }) =>
        (flags & sectionIsAllocated) !== 0 && (type === sectionProgramBits || type === sectionNoBits),
    )
    .map(({ type, address, offset, sizeBytes }) => {
      if (address < linkAddress) throw damaged("a section lies before its first address");
      return { type, at: address - linkAddress, offset, sizeBytes };
    });
}

function damaged(what: string): Failure {
  return new Failure("damaged", `cannot read GRUB's "kernel.img": ${what}`);
}
