import { readBytes, type BlockReader } from "../../device/index.ts";
import {
  attributesOf,
  isUnnamedData,
  nonResident,
  repairedRecord,
  runsIn,
  valueOf,
  type ClusterRun,
  type NtfsFileRecord,
} from "./ntfs-file-record.ts";
import { attributeTypes, ntfsBootSector, ntfsListEntry, recordNumbers } from "./ntfs-records.ts";
import { damaged, isPowerOfTwo } from "./recognised.ts";

/** The sizes and places that a boot sector tells. */
export interface NtfsGeometry {
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly recordBytes: number;
  readonly sectorCount: number;
  readonly clusterCount: number;
  readonly mftCluster: number;
  readonly mirrorCluster: number;
}

/** The geometry in a boot sector; undefined where it cannot be one. */
export function geometryOf(sector: Uint8Array): NtfsGeometry | undefined {
  const boot = ntfsBootSector.decode(sector);
  const { sectorBytes, sectorCount, mftCluster, mirrorCluster } = boot;
  // Above 128 it is a power of two, negated; so are records smaller than a cluster.
  const perCluster = boot.sectorsPerCluster > 128 ? 2 ** (256 - boot.sectorsPerCluster) : boot.sectorsPerCluster;
  const clusterBytes = sectorBytes * perCluster;
  const { clustersPerRecord } = boot;
  const recordBytes = clustersPerRecord > 127 ? 2 ** (256 - clustersPerRecord) : clustersPerRecord * clusterBytes;
  if (!isPowerOfTwo(sectorBytes, 256, 4096) || !isPowerOfTwo(clusterBytes, sectorBytes, 2 ** 21)) return undefined;
  if (!isPowerOfTwo(recordBytes, 512, 65_536) || sectorCount < perCluster) return undefined;
  const clusterCount = Math.floor(sectorCount / perCluster);
  if (mftCluster === 0 || mftCluster >= clusterCount || mirrorCluster >= clusterCount) return undefined;
  return { sectorBytes, clusterBytes, recordBytes, sectorCount, clusterCount, mftCluster, mirrorCluster };
}

/** How many entries an attribute list, and how many runs a file may have here. */
const listEntryLimit = 1000;
const runLimit = 1_000_000;
const listLimitBytes = 256 * 1024; // as Windows limits it

/** The master file table of an NTFS volume, as far as its own records are wanted. */
export class NtfsVolume {
  readonly geometry: NtfsGeometry;
  readonly #reader: BlockReader;
  #tableRuns: readonly ClusterRun[] | undefined;

  constructor(reader: BlockReader, geometry: NtfsGeometry) {
    this.#reader = reader;
    this.geometry = geometry;
  }

  /** One of the first records, which stand at the beginning of the table, or its mirror. Throws `damaged`. */
  async firstRecord(number: number, startCluster: number): Promise<NtfsFileRecord> {
    const { clusterBytes, recordBytes } = this.geometry;
    const bytes = await readBytes(this.#reader, startCluster * clusterBytes + number * recordBytes, recordBytes);
    return repairedRecord(bytes, number);
  }

  /** The value of an attribute without a name that stands in its record; undefined where there is none. */
  residentValue(record: NtfsFileRecord, type: number): Uint8Array | undefined {
    const attribute = attributesOf(record).find((one) => one.type === type && !one.hasName && !one.isOutside);
    return attribute === undefined ? undefined : valueOf(attribute);
  }

  /** Where the data of a file without a name is, and how long it is. Throws `damaged`. */
  async dataRuns(
    record: NtfsFileRecord,
  ): Promise<{ readonly runs: readonly ClusterRun[]; readonly dataBytes: number }> {
    const pieces = attributesOf(record).filter(isUnnamedData);
    for (const number of await this.#recordsWithMoreData(record)) {
      pieces.push(...attributesOf(await this.#record(number)).filter(isUnnamedData));
    }
    const decoded = pieces.map(({ bytes }) => ({ ...nonResident(bytes), bytes }));
    const sorted = decoded.toSorted((a, b) => a.firstCluster - b.firstCluster);
    const runs: ClusterRun[] = [];
    let next = 0;
    for (const piece of sorted) {
      if (piece.firstCluster !== next) throw damaged("a file of NTFS", `it has no clusters from ${next} on`);
      for (const run of runsIn(piece.bytes.subarray(piece.runsOffset), this.geometry.clusterCount)) {
        runs.push(run);
        next += run.count;
        if (runs.length > runLimit) throw damaged("a file of NTFS", `it is in more than ${runLimit} pieces`);
      }
    }
    return { runs, dataBytes: sorted[0]?.dataBytes ?? 0 };
  }

  /** The records besides its own that have pieces of a file's data, by its attribute list. */
  async #recordsWithMoreData(record: NtfsFileRecord): Promise<Set<number>> {
    const numbers = new Set<number>();
    const list = await this.#attributeList(record);
    let count = 0;
    for (let at = 0; at + ntfsListEntry.sizeBytes <= list.length;) {
      const entry = ntfsListEntry.decode(list, at);
      if (entry.lengthBytes < ntfsListEntry.sizeBytes || ++count > listEntryLimit) break;
      const number = entry.recordLow + entry.recordHigh * 2 ** 32;
      if (entry.type === attributeTypes.data && entry.nameUnits === 0) numbers.add(number);
      at += entry.lengthBytes;
    }
    numbers.delete(record.number);
    return numbers;
  }

  async #attributeList(record: NtfsFileRecord): Promise<Uint8Array> {
    const attribute = attributesOf(record).find(({ type }) => type === attributeTypes.list);
    if (attribute === undefined) return new Uint8Array(0);
    if (!attribute.isOutside) return valueOf(attribute);
    const { dataBytes, runsOffset } = nonResident(attribute.bytes);
    if (dataBytes > listLimitBytes) throw damaged("an attribute list of NTFS", `it has ${dataBytes} bytes`);
    const pieces: Uint8Array[] = [];
    let left = dataBytes;
    for (const { cluster, count } of runsIn(attribute.bytes.subarray(runsOffset), this.geometry.clusterCount)) {
      const lengthBytes = Math.min(left, count * this.geometry.clusterBytes);
      if (lengthBytes > 0)
        pieces.push(await readBytes(this.#reader, cluster * this.geometry.clusterBytes, lengthBytes));
      left -= lengthBytes;
    }
    return Buffer.concat(pieces);
  }

  /** Any record, by the runs of the table that its own first record has. */
  async #record(number: number): Promise<NtfsFileRecord> {
    const { clusterBytes, recordBytes, mftCluster } = this.geometry;
    this.#tableRuns ??= this.#ownRuns(await this.firstRecord(recordNumbers.mft, mftCluster));
    let skip = number * recordBytes;
    for (const { cluster, count } of this.#tableRuns) {
      if (skip < count * clusterBytes) {
        return repairedRecord(await readBytes(this.#reader, cluster * clusterBytes + skip, recordBytes), number);
      }
      skip -= count * clusterBytes;
    }
    throw damaged(`record ${number} of NTFS`, "the master file table does not reach there");
  }

  #ownRuns(record: NtfsFileRecord): ClusterRun[] {
    const data = attributesOf(record).find(isUnnamedData);
    if (data === undefined) throw damaged("the master file table of NTFS", "it does not say where it is");
    return [...runsIn(data.bytes.subarray(nonResident(data.bytes).runsOffset), this.geometry.clusterCount)];
  }
}
