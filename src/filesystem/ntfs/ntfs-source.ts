import { readBytes, type BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { damaged } from "../damaged.ts";
import { attributesOf, decodeRecord, valueOf, type Attribute, type FileRecord } from "./attributes.ts";
import type { NtfsGeometry } from "./geometry.ts";
import { attributeTypes, listEntry, recordNumbers } from "./records.ts";
import { endOf } from "./runs.ts";
import { readStream, streamOf, type Stream } from "./stream.ts";

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB
const listLimitBytes = 256 * 1024; // as Windows limits it
/** The table cannot say that it is in more pieces than this many rounds of finding them. */
const tableRoundLimit = 10_000;

/** A file with all its attributes, wherever they are. */
export interface NtfsFile {
  readonly record: FileRecord;
  readonly attributes: readonly Attribute[];
  /** The records besides its own that it has attributes in. */
  readonly otherRecords: readonly number[];
}

/** What all that reads from one NTFS volume has in hand. */
export class NtfsSource {
  readonly reader: BlockReader;
  readonly geometry: NtfsGeometry;
  /** Records and indexes. */
  readonly structures: ChunkCache;
  /** Small files, apart from the structures. */
  readonly contents: ChunkCache;
  #table: Stream | undefined;

  constructor(reader: BlockReader, geometry: NtfsGeometry) {
    this.reader = reader;
    this.geometry = geometry;
    this.structures = new ChunkCache(reader, chunks);
    this.contents = new ChunkCache(reader, chunks);
  }

  /** The master file table. Throws `damaged` until `openTable` has found it. */
  get table(): Stream {
    if (this.#table !== undefined) return this.#table;
    throw damaged("NTFS", "where its master file table is has not been found");
  }

  /** How many records there are. */
  get recordCount(): number {
    const { clusterBytes, recordBytes } = this.geometry;
    const { validBytes, runs } = this.table;
    return Math.floor(Math.min(validBytes, endOf(runs) * clusterBytes) / recordBytes);
  }

  /** Finds all of the master file table, from its own first record or the copy of it. Throws `damaged`. */
  async openTable(startCluster: number): Promise<void> {
    const own = await this.firstRecord(recordNumbers.mft, startCluster);
    const attributes = attributesOf(own);
    const isData = ({ type, name }: Attribute): boolean => type === attributeTypes.data && name === "";
    // What its own record tells leads to the records that tell of the rest.
    const pieces = attributes.filter(isData);
    this.#setTable(pieces);
    const numbers = await this.#otherRecords(own, attributes, (type) => type === attributeTypes.data);
    if (numbers.length > tableRoundLimit) throw damaged("the master file table", "it is in too many records");
    for (const number of numbers) {
      pieces.push(...attributesOf(await this.record(number)).filter(isData));
      this.#setTable(pieces);
    }
  }

  #setTable(pieces: readonly Attribute[]): void {
    const table = streamOf(pieces, this.geometry, "the master file table");
    if (table === undefined || table.value !== undefined) throw damaged("the master file table", "it has no clusters");
    if (table.runs.some(({ cluster }) => cluster === undefined) || table.unitClusters > 0) {
      throw damaged("the master file table", "it has holes");
    }
    this.#table = table;
  }

  /** One of the first records, which stand at the beginning of the table, or its mirror. Throws `damaged`. */
  async firstRecord(number: number, startCluster: number): Promise<FileRecord> {
    const { clusterBytes, recordBytes } = this.geometry;
    const at = startCluster * clusterBytes + number * recordBytes;
    return decodeRecord(await readBytes(this.reader, at, recordBytes), number);
  }

  /** The bytes of a record as they are on the device. Throws `damaged` where the table has none. */
  async recordBytes(number: number): Promise<Uint8Array> {
    const { recordBytes } = this.geometry;
    if (number >= this.recordCount) throw damaged(`record ${number} of NTFS`, `the table has ${this.recordCount}`);
    return readStream(this, this.table, number * recordBytes, recordBytes);
  }

  /** Any record. Throws `damaged`. */
  async record(number: number): Promise<FileRecord> {
    return decodeRecord(await this.recordBytes(number), number);
  }

  /** A file by the number of its record. Throws `damaged` where that is not in use, or not a file's own. */
  async file(number: number): Promise<NtfsFile> {
    const record = await this.record(number);
    if (!record.isInUse) throw damaged(`file ${number}`, "its record is not in use");
    if (record.base !== undefined) throw damaged(`file ${number}`, `its record belongs to file ${record.base.number}`);
    return this.fileOf(record);
  }

  /** The file that begins in this record. */
  async fileOf(record: FileRecord): Promise<NtfsFile> {
    const attributes = attributesOf(record);
    const otherRecords = await this.#otherRecords(record, attributes, () => true);
    for (const other of otherRecords) {
      const more = await this.record(other);
      if (!more.isInUse || more.base?.number !== record.number || more.base.sequence !== record.sequence) {
        throw damaged(`file ${record.number}`, `record ${other}, which it names, is not its own`);
      }
      attributes.push(...attributesOf(more));
    }
    return { record, attributes, otherRecords };
  }

  /** An attribute of a file as one stream of bytes; undefined where it has none of that name. Throws `damaged`. */
  stream({ attributes, record }: NtfsFile, type: number, name: string): Stream | undefined {
    const pieces = attributes.filter((one) => one.type === type && one.name === name);
    return streamOf(pieces, this.geometry, `file ${record.number}`);
  }

  /** The records besides its own that have attributes of a file, in the order of its list. */
  async #otherRecords(
    record: FileRecord,
    attributes: readonly Attribute[],
    isWanted: (type: number) => boolean,
  ): Promise<number[]> {
    const list = attributes.find(({ type }) => type === attributeTypes.list);
    if (list === undefined) return [];
    const numbers = new Set<number>();
    const bytes = await this.#listBytes(list, record.number);
    for (let at = 0; at + listEntry.sizeBytes <= bytes.length;) {
      const { type, lengthBytes, recordLow, recordHigh } = listEntry.decode(bytes, at);
      if (lengthBytes < listEntry.sizeBytes)
        throw damaged(`file ${record.number}`, "its attribute list makes no sense");
      if (isWanted(type)) numbers.add(recordLow + recordHigh * 2 ** 32);
      at += lengthBytes;
    }
    numbers.delete(record.number);
    return [...numbers];
  }

  async #listBytes(list: Attribute, number: number): Promise<Uint8Array> {
    if (!list.isOutside) return valueOf(list);
    const what = `the attribute list of file ${number}`;
    const stream = streamOf([list], this.geometry, what);
    if (stream === undefined || stream.dataBytes > listLimitBytes) {
      throw damaged(what, `it has ${stream?.dataBytes ?? 0} bytes`);
    }
    return readStream(this, stream, 0, stream.dataBytes);
  }
}
