import { damagedKernel, readElf, type ElfSection } from "./elf-file.ts";
import { sectionFlags, sectionTypes } from "../../bytes/elf/index.ts";

/** Where the kernel for BIOS is linked to run. */
const linkAddress = 0x9000;
/** Code, data and zeroed data have to end below this address (GRUB 2.06 util/mkimage.c). */
const kernelEndAddress = 0x68000;

/** GRUB's kernel for BIOS as it lies in memory from its first address on, without the data that starts as zeros. */
export function loadBiosKernel(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = readElf(bytes, "i386").sections.filter(takesMemory);
  const data = sections.filter(({ type }) => type === sectionTypes.programBits);
  if (sections.some(({ address }) => address < linkAddress))
    throw damagedKernel("a section lies before its first address");
  if (endOf(sections) > kernelEndAddress || data.length === 0) throw damagedKernel("its sections do not fit");
  const image = new Uint8Array(endOf(data) - linkAddress);
  for (const { address, offset, sizeBytes } of data) {
    image.set(bytes.subarray(offset, offset + sizeBytes), address - linkAddress);
  }
  return image;
}

function takesMemory({ type, flags }: ElfSection): boolean {
  return (flags & sectionFlags.allocated) !== 0 && (type === sectionTypes.programBits || type === sectionTypes.noBits);
}

function endOf(sections: readonly ElfSection[]): number {
  return Math.max(0, ...sections.map(({ address, sizeBytes }) => address + sizeBytes));
}
