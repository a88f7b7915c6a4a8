import { ascii, bytes, Struct, u32 } from "../../bytes/index.ts";
import { claimed64 } from "../claimed-count.ts";

/*
 * The records of LVM2 as its lib/format_text/layout.h and lib/label/label.c have them. All numbers are little-endian.
 */

/** In one of the first four sectors. */
export const lvmLabel = new Struct("LVM2 label", 32, {
  id: [0, ascii(8)],
  sector: [8, claimed64],
  checksum: [16, u32],
  /** Of the header of the physical volume, from the label on. */
  headerOffset: [20, u32],
  type: [24, ascii(8)],
});

/** With two lists of areas behind it, of data and of metadata; each ends with zeros. */
export const lvmVolumeHeader = new Struct("LVM2 physical volume header", 40, {
  id: [0, ascii(32)],
  deviceBytes: [32, claimed64],
});

export const lvmArea = new Struct("LVM2 area", 16, {
  startBytes: [0, claimed64],
  lengthBytes: [8, claimed64],
});

/** The first sector of a metadata area. */
export const lvmMetadataHeader = new Struct("LVM2 metadata header", 512, {
  checksum: [0, u32],
  magic: [4, bytes(16)],
  version: [20, u32],
  startBytes: [24, claimed64],
  sizeBytes: [32, claimed64],
  /** The text that counts, from the start of the area on; what follows is of no use here. */
  textOffset: [40, claimed64],
  textBytes: [48, claimed64],
  textChecksum: [56, u32],
  textFlags: [60, u32],
});
