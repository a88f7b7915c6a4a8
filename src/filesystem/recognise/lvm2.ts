import { formatSize } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { useOfVolume, type LvmUse } from "./lvm2-group.ts";
import { lvmArea, lvmLabel, lvmMetadataHeader, lvmVolumeHeader } from "./lvm2-records.ts";
import { parseLvmText } from "./lvm2-text.ts";
import { rawCrc32 } from "./raw-crc32.ts";
import { bytesAt, damaged, Remarks, type Recognised, type Recogniser } from "./recognised.ts";

const labelId = "LABELONE";
const labelType = "LVM2 001";
const metadataMagic = " LVM2 x[5A%r0N*>";
const sectorBytes = 512;
const labelSectors = 4;
const checksumSeed = 0xf597a6cf;
/** From here on a label has a checksum. */
const labelCheckedFrom = 20;
const metadataCheckedFrom = 4;
/** A volume group's metadata is some KiB; a metadata area is 1 MiB unless told. */
const textLimitBytes = 16 * 1024 * 1024;

export const lvm2: Recogniser = { first: recogniseLvm2 };

async function recogniseLvm2(reader: BlockReader): Promise<Recognised | undefined> {
  const start = await bytesAt(reader, 0, labelSectors * sectorBytes);
  if (start === undefined) return undefined;
  for (let number = 0; number < labelSectors; number++) {
    const sector = start.subarray(number * sectorBytes, (number + 1) * sectorBytes);
    const { id, type } = lvmLabel.decode(sector);
    if (id === labelId && type === labelType) return described(reader, sector, number);
  }
  return undefined;
}

async function described(reader: BlockReader, sector: Uint8Array, number: number): Promise<Recognised> {
  const remarks = new Remarks();
  const label = lvmLabel.decode(sector);
  if (rawCrc32(sector.subarray(labelCheckedFrom), checksumSeed) !== label.checksum || label.sector !== number) {
    remarks.error("the checksum of the LVM2 label does not match");
  }
  const header = volumeHeader(sector, label.headerOffset);
  if (header === undefined) remarks.error("the header of the LVM2 physical volume makes no sense");
  const use = header === undefined ? undefined : await readUse(reader, header, remarks);
  if (use !== undefined) remarks.note(useWords(use));
  const extentBytes = use?.extentBytes ?? 0;
  return {
    kind: "lvm2",
    label: use?.groupName ?? "",
    uuid: header === undefined ? undefined : dashed(header.id),
    sizeBytes: header?.deviceBytes ?? reader.sizeBytes,
    blockSizeBytes: extentBytes > 0 ? extentBytes : sectorBytes,
    usedBytes: use === undefined ? undefined : use.allocatedExtents * extentBytes,
    freeBytes: use === undefined ? undefined : (use.extentCount - use.allocatedExtents) * extentBytes,
    features: [],
    ...remarks.told,
  };
}

function useWords(use: LvmUse): string {
  const { groupName, allocatedExtents, extentCount, extentBytes, volumeCount } = use;
  const volumes = volumeCount === 1 ? "1 logical volume" : `${volumeCount} logical volumes`;
  const extents = `${allocatedExtents} of ${extentCount} extents of ${formatSize(extentBytes)} in use`;
  return `physical volume of the volume group "${groupName}" with ${volumes}: ${extents}`;
}

/** As LVM and blkid print it. */
function dashed(id: string): string {
  return id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/su, "$1-$2-$3-$4-$5-$6-$7");
}

interface Area {
  readonly startBytes: number;
  readonly lengthBytes: number;
}

interface VolumeHeader {
  readonly id: string;
  readonly deviceBytes: number;
  readonly metadataAreas: readonly Area[];
}

/** The header of the physical volume, which stands in the sector of the label; undefined where it cannot be one. */
function volumeHeader(sector: Uint8Array, offset: number): VolumeHeader | undefined {
  if (offset < lvmLabel.sizeBytes || offset + lvmVolumeHeader.sizeBytes > sector.length) return undefined;
  const { id, deviceBytes } = lvmVolumeHeader.decode(sector, offset);
  if (!/^[\w!#]{32}$/.test(id)) return undefined;
  const areas: Area[][] = [[], []];
  let list = 0;
  let at = offset + lvmVolumeHeader.sizeBytes;
  for (; list < areas.length && at + lvmArea.sizeBytes <= sector.length; at += lvmArea.sizeBytes) {
    const area = lvmArea.decode(sector, at);
    if (area.startBytes === 0) list++;
    else areas[list]?.push(area);
  }
  return { id, deviceBytes, metadataAreas: areas[1] ?? [] };
}

/** By the newest metadata that is sound. */
async function readUse(reader: BlockReader, header: VolumeHeader, remarks: Remarks): Promise<LvmUse | undefined> {
  if (header.metadataAreas.length === 0) {
    remarks.note("physical volume without metadata: another one of its volume group has it");
    return undefined;
  }
  let newest: LvmUse | undefined;
  let isInGroup = false;
  for (const area of header.metadataAreas) {
    const text = await remarks.attempt(() => readMetadata(reader, area));
    if (text === undefined || text !== "") isInGroup = true;
    if (text === undefined || text === "") continue;
    const use = await remarks.attempt(async () => useOfVolume(parseLvmText(text), dashed(header.id)));
    if (use !== undefined && (newest === undefined || use.sequence > newest.sequence)) newest = use;
  }
  if (!isInGroup) remarks.note("physical volume of no volume group");
  else if (newest === undefined) remarks.warn("the metadata of LVM2 does not know this physical volume");
  return newest;
}

/** The text of a metadata area; empty where there is none yet. Throws `damaged`. */
async function readMetadata(reader: BlockReader, area: Area): Promise<string> {
  const what = `the LVM2 metadata at byte ${area.startBytes}`;
  const sector = await readBytes(reader, area.startBytes, lvmMetadataHeader.sizeBytes);
  const header = lvmMetadataHeader.decode(sector);
  const isSound =
    Buffer.from(header.magic).toString("latin1") === metadataMagic &&
    rawCrc32(sector.subarray(metadataCheckedFrom), checksumSeed) === header.checksum &&
    header.startBytes === area.startBytes;
  if (!isSound) throw damaged(what, "the checksum of its header does not match");
  const { textOffset, textBytes, sizeBytes } = header;
  if (textOffset === 0 || textBytes === 0) return "";
  const isWithin = textOffset >= lvmMetadataHeader.sizeBytes && textOffset < sizeBytes && textBytes < sizeBytes;
  if (!isWithin || textBytes > textLimitBytes) throw damaged(what, `its text has ${textBytes} bytes at ${textOffset}`);
  // The area is a ring: text that comes to its end goes on behind its header.
  const headBytes = Math.min(textBytes, sizeBytes - textOffset);
  const pieces = [await readBytes(reader, area.startBytes + textOffset, headBytes)];
  if (headBytes < textBytes) {
    const tailAt = area.startBytes + lvmMetadataHeader.sizeBytes;
    pieces.push(await readBytes(reader, tailAt, textBytes - headBytes));
  }
  const text = Buffer.concat(pieces);
  if (rawCrc32(text, checksumSeed) !== header.textChecksum)
    throw damaged(what, "the checksum of its text does not match");
  return text.toString("utf8");
}
