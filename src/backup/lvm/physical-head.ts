import { Failure } from "../../base/index.ts";
import { crc32, ascii, Struct, u32, u64 } from "../../bytes/index.ts";
import type { PhysicalVolume } from "./volume-group.ts";

/** docs/formats/lvm.md */
export const labelHeader = new Struct("LVM label", 32, {
  id: [0, ascii(8)],
  sector: [8, u64],
  crc: [16, u32],
  contentAt: [20, u32],
  type: [24, ascii(8)],
});
export const physicalHeader = new Struct("LVM physical volume header", 40, {
  id: [0, ascii(32)],
  deviceBytes: [32, u64],
});
export const areaPlace = new Struct("LVM area", 16, { at: [0, u64], sizeBytes: [8, u64] });
export const headerExtension = new Struct("LVM header extension", 8, { version: [0, u32], flags: [4, u32] });
export const metadataHeader = new Struct("LVM metadata area", 40, {
  crc: [0, u32],
  magic: [4, ascii(16)],
  version: [20, u32],
  at: [24, u64],
  sizeBytes: [32, u64],
});
export const metadataPlace = new Struct("LVM metadata place", 24, {
  at: [0, u64],
  sizeBytes: [8, u64],
  crc: [16, u32],
  flags: [20, u32],
});

const sectorBytes = 512;
const metadataAt = 4096;
const metadataMagic = " LVM2 x[5A%r0N*>";
const crcStart = 0xf597a6cf;

function lvmCrc(bytes: Uint8Array): number {
  return ~crc32(bytes, ~crcStart >>> 0) >>> 0;
}

/** What stands in front of the extents of a physical volume: its label, and the description of its group. */
export function encodePhysicalHead({ id, deviceBytes, dataAt }: PhysicalVolume, groupText: string): Uint8Array {
  const text = Buffer.from(`${groupText.replaceAll("\0", "")}\0`);
  const sizeBytes = dataAt - metadataAt;
  if (metadataAt + sectorBytes + text.length > dataAt) {
    throw new Failure(
      "unsupported",
      `the description of the LVM group takes ${text.length} bytes, there is no room for it`,
    );
  }
  const bytes = Buffer.alloc(metadataAt + sectorBytes + text.length);
  putLabel(bytes.subarray(sectorBytes, 2 * sectorBytes), { id, deviceBytes, dataAt, sizeBytes });
  const area = bytes.subarray(metadataAt, metadataAt + sectorBytes);
  metadataHeader.patch(area, { magic: metadataMagic, version: 1, at: metadataAt, sizeBytes });
  const place = { at: sectorBytes, sizeBytes: text.length, crc: lvmCrc(text), flags: 0 };
  metadataPlace.patch(area, place, metadataHeader.sizeBytes);
  metadataHeader.patch(area, { crc: lvmCrc(area.subarray(4)) });
  text.copy(bytes, metadataAt + sectorBytes);
  return bytes;
}

function putLabel(
  sector: Buffer,
  place: { readonly id: string; readonly deviceBytes: number; readonly dataAt: number; readonly sizeBytes: number },
): void {
  labelHeader.patch(sector, { id: "LABELONE", sector: 1, contentAt: labelHeader.sizeBytes, type: "LVM2 001" });
  let at = labelHeader.sizeBytes;
  physicalHeader.patch(sector, { id: place.id.replaceAll("-", ""), deviceBytes: place.deviceBytes }, at);
  at += physicalHeader.sizeBytes;
  areaPlace.patch(sector, { at: place.dataAt, sizeBytes: 0 }, at); // up to the end
  at += 2 * areaPlace.sizeBytes; // one of zeros ends a list
  areaPlace.patch(sector, { at: metadataAt, sizeBytes: place.sizeBytes }, at);
  at += 2 * areaPlace.sizeBytes;
  headerExtension.patch(sector, { version: 2, flags: 1 }, at); // it is in use
  labelHeader.patch(sector, { crc: lvmCrc(sector.subarray(20)) });
}
