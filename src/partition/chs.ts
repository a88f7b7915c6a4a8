import type { FieldType } from "../bytes/index.ts";

/** How a BIOS divides a disk: tracks of `sectors`, cylinders of `heads` tracks. */
export interface Geometry {
  /** 1 to 255. */
  readonly heads: number;
  /** Sectors of a track, 1 to 63. */
  readonly sectors: number;
}

/** A place on the disk as a BIOS counts: cylinder and head from 0, sector from 1. */
export interface Chs {
  readonly cylinder: number;
  readonly head: number;
  readonly sector: number;
}

/** What every BIOS since the nineties reports for a disk above 8 GB. */
export const defaultGeometry: Geometry = { heads: 255, sectors: 63 };

/** Ten bits hold the cylinder, so this is the last that can be written. */
export const lastCylinder = 1023;
export const headLimit = 255;
export const trackSectorLimit = 63;

export function cylinderSectors(geometry: Geometry): number {
  return geometry.heads * geometry.sectors;
}

/** How many whole cylinders of 512-byte sectors fit a size. */
export function cylindersOf(sizeBytes: number, geometry: Geometry = defaultGeometry): number {
  return Math.floor(sizeBytes / (cylinderSectors(geometry) * 512));
}

/** The place of a sector; beyond the last cylinder the customary "look at the LBA" value: 1023/254/63 for 255×63. */
export function chsOfLba(lba: number, geometry: Geometry = defaultGeometry): Chs {
  const cylinder = Math.floor(lba / cylinderSectors(geometry));
  if (cylinder > lastCylinder) {
    return { cylinder: lastCylinder, head: geometry.heads - 1, sector: geometry.sectors };
  }
  const inCylinder = lba % cylinderSectors(geometry);
  return {
    cylinder,
    head: Math.floor(inCylinder / geometry.sectors),
    sector: (inCylinder % geometry.sectors) + 1,
  };
}

/** The sector at a place. */
export function lbaOfChs(place: Chs, geometry: Geometry = defaultGeometry): number {
  return (place.cylinder * geometry.heads + place.head) * geometry.sectors + place.sector - 1;
}

/** Three bytes: head; sector in six bits with the cylinder's two highest above it; the cylinder's lowest eight. */
export const chs: FieldType<Chs> = {
  sizeBytes: 3,
  decode(view, at) {
    const mixed = view.getUint8(at + 1);
    return {
      cylinder: ((mixed & 0xc0) << 2) | view.getUint8(at + 2),
      head: view.getUint8(at),
      sector: mixed & 0x3f,
    };
  },
  encode(view, at, { cylinder, head, sector }) {
    if (cylinder > lastCylinder || head > 0xff || sector > 0x3f) {
      throw new RangeError(`${cylinder}/${head}/${sector} does not fit a CHS field`);
    }
    view.setUint8(at, head);
    view.setUint8(at + 1, ((cylinder >> 2) & 0xc0) | sector);
    view.setUint8(at + 2, cylinder & 0xff);
  },
};
