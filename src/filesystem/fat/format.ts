import type { BlockDevice } from "../../device/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import { bootCode } from "../boot-code.ts";
import {
  bootSector,
  bootSignature,
  extendedSignatureFull,
  infoSector,
  infoSignatures,
  largeTail,
  smallTail,
} from "./boot-sector.ts";
import { shortEntry } from "./directory-entry.ts";
import { timesOf } from "./fat-time.ts";
import { attribute } from "../dos-attributes.ts";
import { firstCluster } from "../cluster-run.ts";
import { sectorBytes, tableCount, type PlannedLayout } from "./plan-layout.ts";
import { encodeEntries, marksOf } from "./table.ts";

/** What a new file system says of itself. */
export interface FormatFacts {
  /** 11 bytes, padded with spaces; undefined: none. */
  readonly label: Uint8Array | undefined;
  readonly volumeId: number;
  readonly now: Timestamp;
  readonly place: { readonly startLba: number; readonly geometry: { heads: number; sectors: number } } | undefined;
}

/** As Microsoft has it: some programs know no other name. */
const oemName = "MSWIN4.1";
const infoSectorAt = 1;
const backupSectorAt = 6;
const firstHardDisk = 0x80;
const usualGeometry = { heads: 255, sectors: 63 };
const noLabel = Buffer.from("NO NAME    ");

/** Writes a file system with nothing in it but its label. */
export async function writeEmpty(device: BlockDevice, layout: PlannedLayout, facts: FormatFacts): Promise<void> {
  const { kind, reservedSectors, tableSectors, rootEntries, clusterSectors } = layout;
  const rootSectors = kind === "fat32" ? clusterSectors : (rootEntries * 32) / sectorBytes;
  const rootAt = (reservedSectors + tableCount * tableSectors) * sectorBytes;
  await device.zero(0, rootAt + rootSectors * sectorBytes);
  const boot = encodeBootSector(layout, facts);
  await device.write(0, boot);
  if (kind === "fat32") {
    await device.write(infoSectorAt * sectorBytes, encodeInfo(layout));
    await device.write(backupSectorAt * sectorBytes, boot);
    await device.write((backupSectorAt + infoSectorAt) * sectorBytes, encodeInfo(layout));
  }
  const entries = encodeEntries(kind, firstEntries(layout));
  for (let table = 0; table < tableCount; table++) {
    await device.write((reservedSectors + table * tableSectors) * sectorBytes, padded(entries));
  }
  if (facts.label === undefined) return;
  const label = { ...timesOf(facts.now), name: facts.label, attributes: attribute.volumeLabel | attribute.archive };
  await device.write(
    rootAt,
    padded(shortEntry.encode({ ...label, createdDate: 0, createdTime: 0, createdHundredths: 0 })),
  );
}

/** The media type, the mark that the file system is closed, and on FAT32 the root directory. */
function firstEntries({ kind, media }: PlannedLayout): Uint32Array {
  const { mask } = marksOf[kind];
  const beginning = [(mask & ~0xff) | media, mask];
  return Uint32Array.from(kind === "fat32" ? [...beginning, mask] : beginning);
}

function encodeBootSector(layout: PlannedLayout, facts: FormatFacts): Uint8Array {
  const { kind, sectorCount, floppy, tableSectors } = layout;
  const isLarge = kind === "fat32";
  const isSmall = !isLarge && sectorCount < 0x10000;
  const { heads, sectors: trackSectors } = facts.place?.geometry ?? usualGeometry;
  const codeAt = isLarge ? 0x5a : 0x3e;
  const sector = bootSector.encode({
    jump: Uint8Array.of(0xeb, codeAt - 2, 0x90),
    oemName,
    sectorBytes,
    clusterSectors: layout.clusterSectors,
    reservedSectors: layout.reservedSectors,
    tableCount,
    rootEntries: layout.rootEntries,
    sectorCount16: isSmall ? sectorCount : 0,
    media: layout.media,
    tableSectors16: isLarge ? 0 : tableSectors,
    trackSectors: floppy?.trackSectors ?? trackSectors,
    heads: floppy?.heads ?? heads,
    hiddenSectors: facts.place?.startLba ?? 0,
    sectorCount32: isSmall ? 0 : sectorCount,
    signature: bootSignature,
  });
  const tail = {
    driveNumber: floppy === undefined ? firstHardDisk : 0,
    extendedSignature: extendedSignatureFull,
    volumeId: facts.volumeId,
    label: facts.label ?? noLabel,
    typeName: Buffer.from(kind.toUpperCase().padEnd(8)),
  };
  if (isLarge) {
    const places = { rootCluster: firstCluster, infoSector: infoSectorAt, backupSector: backupSectorAt };
    largeTail.patch(sector, { ...tail, ...places, tableSectors32: tableSectors });
  } else {
    smallTail.patch(sector, tail);
  }
  sector.set(bootCode(codeAt), codeAt);
  return sector;
}

function encodeInfo({ clusterCount }: PlannedLayout): Uint8Array {
  return infoSector.encode({ ...infoSignatures, freeClusters: clusterCount - 1, nextFree: firstCluster + 1 });
}

/** A whole sector that begins with these bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  const sector = new Uint8Array(sectorBytes);
  sector.set(bytes);
  return sector;
}
