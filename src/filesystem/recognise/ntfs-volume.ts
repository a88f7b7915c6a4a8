import { readBytes, type BlockReader } from "../../device/index.ts";
import {
  attributesOf,
  nonResident,
  repairedRecord,
  runsIn,
  valueOf,
  type ClusterRun,
  type NtfsAttribute,
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
const runLimit = 100_000;
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

  /** The value of an attribute that stands in its record; undefined where there is none. Throws `damaged`. */
  residentValue(record: NtfsFileRecord, type: number): Uint8Array | undefined {
    const hasName = type === attributeTypes.indexRoot;
    const attribute = attributesOf(record).find(
      (one) => one.type === type && one.hasName === hasName && !one.isOutside,
    );
    return attribute === undefined ? undefined : valueOf(attribute);
  }

  /** Where an attribute is that stands in clusters outside, in the order of its bytes. Throws `damaged`. */
  async runsOf(record: NtfsFileRecord, type: ContentType): Promise<readonly ClusterRun[]> {
    const isPiece = isPieceOf(type);
    const pieces = attributesOf(record).filter(isPiece);
    for (const number of await this.#recordsWithMore(record, type)) {
      pieces.push(...attributesOf(await this.record(number)).filter(isPiece));
    }
    const decoded = pieces.map(({ bytes }) => ({ ...nonResident(bytes), bytes }));
    const runs: ClusterRun[] = [];
    let next = 0;
    for (const piece of decoded.toSorted((a, b) => a.firstCluster - b.firstCluster)) {
      if (piece.firstCluster !== next) throw damaged("a file of NTFS", `it has no clusters from ${next} on`);
      for (const run of runsIn(piece.bytes.subarray(piece.runsOffset), this.geometry.clusterCount)) {
        runs.push(run);
        next += run.count;
        if (runs.length > runLimit) throw damaged("a file of NTFS", `it is in more than ${runLimit} pieces`);
      }
    }
    return runs;
  }

  /** Bytes of what stands in these runs. Throws `damaged` where they pass their end. */
  async readRuns(runs: readonly ClusterRun[], at: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    let skip = at;
    let done = 0;
    for (const { cluster, count } of runs) {
      const runBytes = count * this.geometry.clusterBytes;
      if (skip < runBytes && done < lengthBytes) {
        const piece = bytes.subarray(done, done + Math.min(lengthBytes - done, runBytes - skip));
        await this.#reader.read(cluster * this.geometry.clusterBytes + skip, piece);
        done += piece.length;
      }
      skip = Math.max(0, skip - runBytes);
    }
    if (done < lengthBytes) throw damaged("a file of NTFS", `it has no byte ${at + done}`);
    return bytes;
  }

  /** Any record, by what the table says of itself. Throws `damaged`. */
  async record(number: number): Promise<NtfsFileRecord> {
    const { recordBytes, mftCluster } = this.geometry;
    if (this.#tableRuns === undefined) {
      const own = await this.firstRecord(recordNumbers.mft, mftCluster);
      // What its own record tells leads to the records that tell of the rest.
      this.#tableRuns = attributesOf(own)
        .filter(isPieceOf(attributeTypes.data))
        .flatMap(({ bytes }) => {
          return [...runsIn(bytes.subarray(nonResident(bytes).runsOffset), this.geometry.clusterCount)];
        });
      this.#tableRuns = await this.runsOf(own, attributeTypes.data);
    }
    return repairedRecord(await this.readRuns(this.#tableRuns, number * recordBytes, recordBytes), number);
  }

  /** The records besides its own that have pieces of an attribute, by the attribute list. */
  async #recordsWithMore(record: NtfsFileRecord, type: ContentType): Promise<Set<number>> {
    const numbers = new Set<number>();
    const list = await this.#attributeList(record);
    let count = 0;
    for (let at = 0; at + ntfsListEntry.sizeBytes <= list.length;) {
      const entry = ntfsListEntry.decode(list, at);
      if (entry.lengthBytes < ntfsListEntry.sizeBytes || ++count > listEntryLimit) break;
      const number = entry.recordLow + entry.recordHigh * 2 ** 32;
      if (entry.type === type && entry.nameUnits > 0 === isNamed(type)) numbers.add(number);
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
    const runs = [...runsIn(attribute.bytes.subarray(runsOffset), this.geometry.clusterCount)];
    return this.readRuns(runs, 0, dataBytes);
  }
}

/** The data of a file, or what the index of a directory has outside of its record. */
type ContentType = typeof attributeTypes.data | typeof attributeTypes.indexAllocation;

/** The attributes of an index are called `$I30`; data has no name. */
function isNamed(type: ContentType): boolean {
  return type !== attributeTypes.data;
}

function isPieceOf(type: ContentType): (attribute: NtfsAttribute) => boolean {
  return (attribute) => attribute.type === type && attribute.hasName === isNamed(type) && attribute.isOutside;
}
