import { readBytes, type BlockReader } from "../../device/index.ts";
import type { Extent } from "../file-system.ts";
import { countBitmap } from "./count-bitmap.ts";
import {
  exfatBitmapEntry,
  exfatBootSector,
  exfatEntry,
  exfatEntryTypes,
  exfatFlags,
  exfatLabelEntry,
} from "./exfat-records.ts";
import {
  bytesAt,
  damaged,
  nothingKnown,
  paddedText16,
  Remarks,
  type Recognised,
  type Recogniser,
} from "./recognised.ts";

const signature = "EXFAT   ";
/** The boot region, and the copy of it that follows (§3). */
const regionSectors = 12;
const checkedSectors = 11;
const sectorSizeLog2s = [9, 10, 11, 12];
/** Of the checksum's own reckoning: what is changed while the volume is in use (§3.4). */
const uncheckedOffsets = new Set([106, 107, 112]);

/** Directories end at 256 MiB (§7.4); nobody has a root of more than this. */
const rootLimitBytes = 16 * 1024 * 1024;
const firstCluster = 2;
const lastClusterMark = 0xfffffff7;

export const exfat: Recogniser = { first: recogniseExfat, second: recogniseBySecond };

async function recogniseExfat(reader: BlockReader): Promise<Recognised | undefined> {
  const sector = await bytesAt(reader, 0, exfatBootSector.sizeBytes);
  if (sector === undefined || !isSigned(sector)) return undefined;
  const remarks = new Remarks();
  const geometry = geometryOf(sector);
  const isFirstSound = geometry !== undefined && (await isRegionSound(reader, 0, geometry.sectorBytes));
  const second = await findSecond(reader, geometry?.sectorBytes);
  if (isFirstSound) {
    if (second === undefined) remarks.warn("the second boot region of exFAT is damaged");
    return described(reader, geometry, remarks);
  }
  if (second !== undefined) {
    remarks.error("the checksum of the exFAT boot region does not match: the second one is used");
    return described(reader, second, remarks);
  }
  remarks.error("the checksums of both exFAT boot regions do not match");
  if (geometry !== undefined) return described(reader, geometry, remarks);
  return nothingKnown("exfat", reader, remarks);
}

async function recogniseBySecond(reader: BlockReader): Promise<Recognised | undefined> {
  const second = await findSecond(reader);
  if (second === undefined) return undefined;
  const remarks = new Remarks();
  remarks.error("the exFAT boot region is gone: the second one is used");
  return described(reader, second, remarks);
}

/** The geometry of the second boot region, if that is sound. */
async function findSecond(reader: BlockReader, knownSectorBytes?: number): Promise<ExfatGeometry | undefined> {
  const sizes = knownSectorBytes === undefined ? sectorSizeLog2s.map((log2) => 2 ** log2) : [knownSectorBytes];
  for (const sectorBytes of sizes) {
    const sector = await bytesAt(reader, regionSectors * sectorBytes, exfatBootSector.sizeBytes);
    if (sector === undefined || !isSigned(sector)) continue;
    const geometry = geometryOf(sector);
    if (geometry?.sectorBytes !== sectorBytes) continue;
    if (await isRegionSound(reader, regionSectors * sectorBytes, sectorBytes)) return geometry;
  }
  return undefined;
}

function isSigned(sector: Uint8Array): boolean {
  return Buffer.from(exfatBootSector.get(sector, "signature")).toString("latin1") === signature;
}

interface ExfatGeometry {
  readonly boot: ReturnType<typeof exfatBootSector.decode>;
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly fatAt: number;
  readonly heapAt: number;
}

/** The geometry in a boot sector; undefined where it cannot be one. */
function geometryOf(sector: Uint8Array): ExfatGeometry | undefined {
  const boot = exfatBootSector.decode(sector);
  const { sectorBytesLog2, clusterSectorsLog2, clusterCount, rootCluster, fatSectors, fatCount, flags } = boot;
  if (!sectorSizeLog2s.includes(sectorBytesLog2) || sectorBytesLog2 + clusterSectorsLog2 > 25) return undefined;
  if (clusterCount === 0 || rootCluster < firstCluster || rootCluster >= clusterCount + firstCluster) return undefined;
  const sectorBytes = 2 ** sectorBytesLog2;
  const isSecondFat = fatCount === 2 && (flags & exfatFlags.secondFatIsActive) !== 0;
  return {
    boot,
    sectorBytes,
    clusterBytes: 2 ** (sectorBytesLog2 + clusterSectorsLog2),
    fatAt: (boot.fatSector + (isSecondFat ? fatSectors : 0)) * sectorBytes,
    heapAt: boot.heapSector * sectorBytes,
  };
}

/** §3.4: the last sector of a boot region has the checksum of the others, again and again. */
async function isRegionSound(reader: BlockReader, at: number, sectorBytes: number): Promise<boolean> {
  const region = await bytesAt(reader, at, regionSectors * sectorBytes);
  if (region === undefined) return false;
  const checkedBytes = checkedSectors * sectorBytes;
  let checksum = 0;
  for (let n = 0; n < checkedBytes; n++) {
    if (uncheckedOffsets.has(n)) continue;
    checksum = (((checksum << 31) | (checksum >>> 1)) + (region[n] ?? 0)) >>> 0;
  }
  const view = new DataView(region.buffer, region.byteOffset, region.length);
  for (let n = checkedBytes; n < region.length; n += 4) if (view.getUint32(n, true) !== checksum) return false;
  return true;
}

async function described(reader: BlockReader, geometry: ExfatGeometry, remarks: Remarks): Promise<Recognised> {
  const { boot, clusterBytes, sectorBytes } = geometry;
  const { clusterCount, percentInUse } = boot;
  const root = await remarks.attempt(() => readRoot(reader, geometry));
  let usedClusters = await remarks.attempt(() => countUsed(reader, geometry, root?.bitmap));
  if (usedClusters === undefined && percentInUse <= 100) {
    usedClusters = Math.round((clusterCount * percentInUse) / 100);
    remarks.note(`what is used is told by its own ${percentInUse} percent`);
  }
  if ((boot.flags & exfatFlags.dirty) !== 0) remarks.note("dirty: it was not unmounted cleanly");
  if ((boot.flags & exfatFlags.mediaFailure) !== 0) remarks.note("its medium has failed before");
  const serial = boot.serial.toString(16).padStart(8, "0").toUpperCase();
  return {
    kind: "exfat",
    label: root?.label ?? "",
    uuid: `${serial.slice(0, 4)}-${serial.slice(4)}`,
    sizeBytes: boot.sectorCount * sectorBytes,
    blockSizeBytes: clusterBytes,
    usedBytes: usedClusters === undefined ? undefined : usedClusters * clusterBytes,
    freeBytes: usedClusters === undefined ? undefined : (clusterCount - usedClusters) * clusterBytes,
    features: [],
    ...remarks.told,
  };
}

type BitmapEntry = ReturnType<typeof exfatBitmapEntry.decode>;

interface ExfatRoot {
  readonly label: string;
  readonly bitmap: BitmapEntry | undefined;
}

/** What stands of the volume itself in its root directory. */
async function readRoot(reader: BlockReader, geometry: ExfatGeometry): Promise<ExfatRoot> {
  let label = "";
  let bitmap: BitmapEntry | undefined;
  const wantedBitmap = (geometry.boot.flags & exfatFlags.secondFatIsActive) === 0 ? 0 : 1;
  for await (const { startBytes, lengthBytes } of chainFrom(
    reader,
    geometry,
    geometry.boot.rootCluster,
    rootLimitBytes,
  )) {
    const bytes = await readBytes(reader, startBytes, lengthBytes);
    for (let at = 0; at < bytes.length; at += exfatEntry.sizeBytes) {
      const type = exfatEntry.get(bytes, "type", at);
      if (type === exfatEntryTypes.end) return { label, bitmap };
      if (type === exfatEntryTypes.label) {
        const entry = exfatLabelEntry.decode(bytes, at);
        label = paddedText16(entry.label.subarray(0, entry.unitCount * 2));
      } else if (type === exfatEntryTypes.bitmap) {
        const entry = exfatBitmapEntry.decode(bytes, at);
        if ((entry.flags & 1) === wantedBitmap || bitmap === undefined) bitmap = entry;
      }
    }
  }
  return { label, bitmap };
}

async function countUsed(
  reader: BlockReader,
  geometry: ExfatGeometry,
  bitmap: BitmapEntry | undefined,
): Promise<number> {
  if (bitmap === undefined) throw damaged("the exFAT root directory", "it does not say where the bitmap is");
  const { clusterCount } = geometry.boot;
  const neededBytes = Math.ceil(clusterCount / 8);
  return countBitmap(reader, chainFrom(reader, geometry, bitmap.firstCluster, neededBytes), clusterCount);
}

/** The clusters of a chain one after the other, till so many bytes are there. Throws `damaged` where it leads astray. */
async function* chainFrom(
  reader: BlockReader,
  { boot, clusterBytes, fatAt, heapAt }: ExfatGeometry,
  start: number,
  limitBytes: number,
): AsyncGenerator<Extent> {
  let cluster = start;
  for (let doneBytes = 0; doneBytes < limitBytes && cluster < lastClusterMark; doneBytes += clusterBytes) {
    if (cluster < firstCluster || cluster >= boot.clusterCount + firstCluster) {
      throw damaged("a chain of exFAT", `it leads to cluster ${cluster} of ${boot.clusterCount}`);
    }
    yield { startBytes: heapAt + (cluster - firstCluster) * clusterBytes, lengthBytes: clusterBytes };
    const next = await readBytes(reader, fatAt + cluster * 4, 4);
    cluster = new DataView(next.buffer).getUint32(0, true);
  }
}
