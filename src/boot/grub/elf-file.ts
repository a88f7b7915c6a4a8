import { Failure } from "../../base/index.ts";
import {
  elf32Header,
  elf32Section,
  elf64Header,
  elf64Section,
  elfIdentity,
  elfMagic,
  elfMachines,
} from "../../bytes/elf/index.ts";

export interface ElfSection {
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
  readonly info: number;
  readonly alignment: number;
}

/** An ELF file that was looked through: no section with bytes in the file passes its end. */
export interface ElfFile {
  readonly bytes: Uint8Array;
  readonly is64: boolean;
  readonly sections: readonly ElfSection[];
}

const noBits = 8;
const alignmentLimit = 65536;

/** Reads the sections of GRUB's kernel. Throws `damaged` where it is no ELF file for that machine. */
export function readElf(bytes: Uint8Array, machineName: keyof typeof elfMachines): ElfFile {
  const is64 = machineName !== "i386";
  const headerStruct = is64 ? elf64Header : elf32Header;
  if (bytes.length < headerStruct.sizeBytes) throw damagedKernel("it is too short");
  const identity = elfIdentity.decode(bytes);
  const { machine, sectionsOffset, sectionEntryBytes, sectionCount } = headerStruct.decode(bytes);
  const isOfMachine =
    identity.class === (is64 ? 2 : 1) && identity.encoding === 1 && machine === elfMachines[machineName];
  if (!Buffer.from(elfMagic).equals(identity.magic) || !isOfMachine) {
    throw damagedKernel(`it is no ELF file for ${machineName}`);
  }
  const section = is64 ? elf64Section : elf32Section;
  if (sectionEntryBytes < section.sizeBytes || sectionsOffset + sectionEntryBytes * sectionCount > bytes.length) {
    throw damagedKernel("its section headers pass its end");
  }
  const sections = Array.from({ length: sectionCount }, (_, n) => {
    return section.decode(bytes, sectionsOffset + n * sectionEntryBytes);
  });
  for (const { type, offset, sizeBytes, alignment } of sections) {
    if (type !== noBits && offset + sizeBytes > bytes.length) throw damagedKernel("a section passes its end");
    if (alignment > alignmentLimit) throw damagedKernel(`a section is aligned to ${alignment} bytes`);
  }
  return { bytes, is64, sections };
}

export function damagedKernel(what: string): Failure {
  return new Failure("damaged", `cannot read GRUB's "kernel.img": ${what}`);
}
