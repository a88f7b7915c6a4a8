import { damagedKernel } from "./elf-file.ts";

export type EfiMachine = "i386" | "x86_64" | "arm64";

/** A place in an image, and what is known of it. Addresses count from the base of the image. */
export interface RelocatedPlace {
  /** The image from that place on, as long as the section goes. */
  readonly view: DataView;
  /** The address of the place. */
  readonly address: number;
  /** The symbol's address, with the addend where the file has one. */
  readonly value: number;
}

interface RelocationKind {
  readonly widthBytes: 4 | 8;
  /** The place holds an address, which moves with the image. */
  readonly isAbsolute?: true;
  readonly apply: (place: RelocatedPlace) => void;
}

const absolute64: RelocationKind = {
  widthBytes: 8,
  isAbsolute: true,
  apply: ({ view, value }) =>
    view.setBigUint64(0, BigInt.asUintN(64, view.getBigUint64(0, true) + BigInt(value)), true),
};
const absolute32: RelocationKind = {
  widthBytes: 4,
  isAbsolute: true,
  apply: ({ view, value }) => view.setUint32(0, (view.getUint32(0, true) + value) >>> 0, true),
};
const relative32: RelocationKind = {
  widthBytes: 4,
  apply: ({ view, value, address }) => view.setUint32(0, (view.getUint32(0, true) + value - address) >>> 0, true),
};

/** A field of an instruction of arm64, in place of what it held. */
function field(mask: number, shift: number, of: (place: RelocatedPlace) => number): RelocationKind {
  return {
    widthBytes: 4,
    apply(place) {
      const instruction = place.view.getUint32(0, true);
      const bits = ((of(place) & mask) << shift) >>> 0;
      place.view.setUint32(0, ((instruction & ~(mask << shift)) | bits) >>> 0, true);
    },
  };
}

const branch = field(0x3ff_ffff, 0, ({ value, address }) => Math.floor((value - address) / 4));

/** The distance in pages of 4 KiB: its two lowest bits stand apart from the others. */
const pageDistance: RelocationKind = {
  widthBytes: 4,
  apply({ view, value, address }) {
    const pages = Math.floor(value / 4096) - Math.floor(address / 4096);
    const kept = view.getUint32(0, true) & 0x9f00_001f;
    view.setUint32(0, (kept | ((pages & 3) << 29) | (((pages >> 2) & 0x7_ffff) << 5)) >>> 0, true);
  },
};

/** Relocations by their numbers; 0 is none. */
const kinds: Readonly<Record<EfiMachine, ReadonlyMap<number, RelocationKind>>> = {
  // System V ABI, Intel386 supplement, table 4-9
  i386: new Map([
    [1, absolute32],
    [2, relative32],
  ]),
  // System V ABI, AMD64 supplement, table 4.9: R_X86_64_64, _PC32, _PLT32
  x86_64: new Map([
    [1, absolute64],
    [2, relative32],
    [4, relative32],
  ]),
  // ELF for the Arm 64-bit Architecture, §5.7: R_AARCH64_ABS64, _ADR_PREL_PG_HI21, _ADD_ABS_LO12_NC, _JUMP26, _CALL26, _LDST64_ABS_LO12_NC
  arm64: new Map([
    [257, absolute64],
    [275, pageDistance],
    [277, field(0xfff, 10, ({ value }) => value)],
    [282, branch],
    [283, branch],
    [286, field(0xfff, 10, ({ value }) => (value & 0xfff) >> 3)],
  ]),
};

/** Applies a relocation; true where the place then holds an address that moves with the image. */
export function relocate(machine: EfiMachine, type: number, place: RelocatedPlace): boolean {
  if (type === 0) return false;
  const kind = kinds[machine].get(type);
  if (kind === undefined) throw damagedKernel(`it has relocations of type ${type}, which are not known`);
  if (place.view.byteLength < kind.widthBytes) throw damagedKernel("a relocation passes its section");
  kind.apply(place);
  return kind.isAbsolute ?? false;
}
