import type { BlockReader } from "../../device/index.ts";
import type { Extent } from "../file-system.ts";
import { countBitmap } from "./count-bitmap.ts";
import type { ClusterRun, NtfsFileRecord } from "./ntfs-file-record.ts";
import { isWindowsAsleep } from "./ntfs-hibernation.ts";
import { attributeTypes, ntfsBootSector, ntfsVolumeInformation, recordNumbers } from "./ntfs-records.ts";
import { geometryOf, NtfsVolume, type NtfsGeometry } from "./ntfs-volume.ts";
import {
  bytesAt,
  damaged,
  nothingKnown,
  paddedText16,
  Remarks,
  type Recognised,
  type Recogniser,
} from "./recognised.ts";

const signature = "NTFS    ";

/** Flags of $VOLUME_INFORMATION. */
const dirtyFlag = 0x0001;

export const ntfs: Recogniser = { first: recogniseNtfs, second: recogniseBySecond };

async function recogniseNtfs(reader: BlockReader): Promise<Recognised | undefined> {
  const sector = await bytesAt(reader, 0, ntfsBootSector.sizeBytes);
  if (sector === undefined || !isSigned(sector)) return undefined;
  const remarks = new Remarks();
  const geometry = geometryOf(sector);
  if (geometry !== undefined) return described(reader, { sector, geometry, remarks });
  const second = await findSecond(reader);
  if (second !== undefined) {
    remarks.error("the NTFS boot sector is damaged: the one at the end is used");
    return described(reader, { ...second, remarks });
  }
  remarks.error("the NTFS boot sector is damaged, and none is at the end");
  return nothingKnown("ntfs", reader, remarks);
}

async function recogniseBySecond(reader: BlockReader): Promise<Recognised | undefined> {
  const found = await findSecond(reader);
  if (found === undefined) return undefined;
  const remarks = new Remarks();
  remarks.error("the NTFS boot sector is gone: the one at the end is used");
  return described(reader, { ...found, remarks });
}

interface BootSector {
  readonly sector: Uint8Array;
  readonly geometry: NtfsGeometry;
}

/** The boot sector at the end of the device, if it leads to a master file table. */
async function findSecond(reader: BlockReader): Promise<BootSector | undefined> {
  for (const sectorBytes of [512, 1024, 2048, 4096]) {
    const at = (Math.floor(reader.sizeBytes / sectorBytes) - 1) * sectorBytes;
    const sector = await bytesAt(reader, at, ntfsBootSector.sizeBytes);
    if (sector === undefined || !isSigned(sector)) continue;
    const geometry = geometryOf(sector);
    if (geometry?.sectorBytes !== sectorBytes || geometry.sectorCount * sectorBytes > at) continue;
    const volume = new NtfsVolume(reader, geometry);
    const probe = new Remarks();
    const record = await probe.attempt(() => volume.firstRecord(recordNumbers.mft, geometry.mftCluster));
    if (record !== undefined) return { sector, geometry };
  }
  return undefined;
}

function isSigned(sector: Uint8Array): boolean {
  return Buffer.from(ntfsBootSector.get(sector, "signature")).toString("latin1") === signature;
}

async function described(
  reader: BlockReader,
  { sector, geometry, remarks }: BootSector & { readonly remarks: Remarks },
): Promise<Recognised> {
  const { clusterBytes, clusterCount, sectorBytes, sectorCount } = geometry;
  const volume = new NtfsVolume(reader, geometry);
  const facts = await remarks.attempt(() => readVolumeRecord(volume, remarks));
  if (await remarks.attempt(() => isWindowsAsleep(volume))) {
    remarks.note("hibernated: Windows is asleep in it, or was shut down for a fast start");
  }
  const usedClusters = await remarks.attempt(() => countUsed(reader, volume));
  return {
    kind: "ntfs",
    label: facts?.label ?? "",
    uuid: Buffer.from(ntfsBootSector.get(sector, "serial").toReversed()).toString("hex").toUpperCase(),
    sizeBytes: sectorCount * sectorBytes,
    blockSizeBytes: clusterBytes,
    usedBytes: usedClusters === undefined ? undefined : usedClusters * clusterBytes,
    freeBytes: usedClusters === undefined ? undefined : (clusterCount - usedClusters) * clusterBytes,
    features: facts === undefined ? [] : [facts.version],
    ...remarks.told,
  };
}

interface VolumeFacts {
  readonly label: string;
  readonly version: string;
}

/** What the volume says of itself; that it is dirty is noted. */
async function readVolumeRecord(volume: NtfsVolume, remarks: Remarks): Promise<VolumeFacts> {
  const record = await volumeRecord(volume, remarks);
  const information = volume.residentValue(record, attributeTypes.volumeInformation);
  const label = paddedText16(volume.residentValue(record, attributeTypes.volumeName) ?? new Uint8Array(0));
  if (information === undefined || information.length < ntfsVolumeInformation.sizeBytes) {
    throw damaged("the NTFS volume record", "it does not say its version");
  }
  const { major, minor, flags } = ntfsVolumeInformation.decode(information);
  if ((flags & dirtyFlag) !== 0) remarks.note("dirty: Windows will check it at the next start");
  return { label, version: `ntfs ${major}.${minor}` };
}

async function volumeRecord(volume: NtfsVolume, remarks: Remarks): Promise<NtfsFileRecord> {
  const { mftCluster, mirrorCluster } = volume.geometry;
  const inTable = await remarks.attempt(() => volume.firstRecord(recordNumbers.volume, mftCluster));
  return inTable ?? volume.firstRecord(recordNumbers.volume, mirrorCluster);
}

async function countUsed(reader: BlockReader, volume: NtfsVolume): Promise<number> {
  const { mftCluster, clusterBytes, clusterCount } = volume.geometry;
  const record = await volume.firstRecord(recordNumbers.bitmap, mftCluster);
  const runs = await volume.runsOf(record, attributeTypes.data);
  return countBitmap(reader, extentsOf(runs, clusterBytes), clusterCount);
}

function extentsOf(runs: readonly ClusterRun[], clusterBytes: number): Extent[] {
  return runs.map(({ cluster, count }) => ({ startBytes: cluster * clusterBytes, lengthBytes: count * clusterBytes }));
}
