import { Failure } from "../../base/index.ts";
import { Bitmap } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { decodeRecord, type Attribute, type FileRecord } from "./attributes.ts";
import type { ClusterClaims } from "./cluster-claims.ts";
import { whatIs } from "./ntfs-file.ts";
import type { NtfsFile, NtfsSource } from "./ntfs-source.ts";
import { error, warning } from "./problems.ts";
import { attributeTypes, outsideHeader, recordHeader, recordNumbers, recordSignature } from "./records.ts";
import { endOf } from "./runs.ts";
import { readStream, streamOf } from "./stream.ts";

/** What the records were found to be, for what refers to them. */
export interface FoundRecords {
  readonly count: number;
  /** In use, and the beginning of a file. */
  readonly files: Bitmap;
  readonly directories: Bitmap;
  /** How often it was used, by the number of a record. */
  readonly sequences: Uint16Array;
  /** How many names a file has, short ones included. */
  readonly names: Uint16Array;
  /** Whether some could not be read. */
  readonly isTorn: boolean;
}

const lastSystemRecord = 11;
const firstFileRecord = 24;
/** A table of more records than this takes too much memory; Windows' own limit is 2³². */
const recordLimit = 2 ** 28;

/** Goes through all records: gives what they are, and claims the clusters of everything. */
export async function* checkRecords(source: NtfsSource, claims: ClusterClaims): AsyncGenerator<Problem, FoundRecords> {
  if (source.recordCount > recordLimit) {
    yield error(`the table has ${source.recordCount} records, at most ${recordLimit} are looked through`);
  }
  const check = new RecordCheck(source, claims);
  yield* check.run();
  return check.found;
}

class RecordCheck {
  readonly #source: NtfsSource;
  readonly #claims: ClusterClaims;
  readonly #count: number;
  readonly #files: Bitmap;
  readonly #directories: Bitmap;
  readonly #sequences: Uint16Array;
  readonly #names: Uint16Array;
  /** Records that add to another, and those of them that the other names. */
  readonly #additions: Bitmap;
  readonly #named: Bitmap;
  #isTorn = false;
  #badClusters = 0;

  constructor(source: NtfsSource, claims: ClusterClaims) {
    this.#source = source;
    this.#claims = claims;
    this.#count = Math.min(source.recordCount, recordLimit);
    this.#files = new Bitmap(this.#count);
    this.#directories = new Bitmap(this.#count);
    this.#additions = new Bitmap(this.#count);
    this.#named = new Bitmap(this.#count);
    this.#sequences = new Uint16Array(this.#count);
    this.#names = new Uint16Array(this.#count);
  }

  get found(): FoundRecords {
    return {
      count: this.#count,
      files: this.#files,
      directories: this.#directories,
      sequences: this.#sequences,
      names: this.#names,
      isTorn: this.#isTorn,
    };
  }

  async *run(): AsyncGenerator<Problem> {
    const used = yield* this.#usedRecords();
    for (let number = 0; number < this.#count; number++) yield* this.#checkRecord(number, used);
    let lost = 0;
    for (let n = this.#additions.nextSet(0); n >= 0; n = this.#additions.nextSet(n + 1)) {
      if (!this.#named.has(n)) lost++;
    }
    if (lost > 0) yield warning(`${lost} records are in use that no file names`);
    if (this.#badClusters > 0) yield warning(`${this.#badClusters} clusters are marked bad`);
  }

  /** Which records are in use, as the table's own bitmap has it; undefined where that cannot be read. */
  async *#usedRecords(): AsyncGenerator<Problem, Bitmap | undefined> {
    try {
      const stream = this.#source.stream(await this.#source.file(recordNumbers.mft), attributeTypes.bitmap, "");
      const neededBytes = Math.ceil(this.#count / 8);
      if (stream !== undefined && stream.dataBytes >= neededBytes) {
        return new Bitmap(this.#count, await readStream(this.#source, stream, 0, neededBytes));
      }
      yield error(`the bitmap of records has ${stream?.dataBytes ?? 0} bytes, ${neededBytes} are needed`);
    } catch (failure) {
      yield told(failure);
    }
    return undefined;
  }

  async *#checkRecord(number: number, used: Bitmap | undefined): AsyncGenerator<Problem> {
    const isUsed = used?.has(number);
    try {
      const bytes = await this.#source.recordBytes(number);
      // A record that was never used may be anything.
      const mayBeNone = isUsed !== true || isReserved(number);
      if (mayBeNone && recordHeader.get(bytes, "signature") !== recordSignature) return;
      const record = decodeRecord(bytes, number);
      this.#sequences[number] = record.sequence;
      if (isUsed !== undefined && isUsed !== record.isInUse && !isReserved(number)) {
        const [said, is] = isUsed ? ["in use", "not"] : ["free", "in use"];
        yield error(`record ${number} is ${said} by the bitmap of records, and ${is} by itself`);
      }
      if (!record.isInUse) return;
      if (record.base !== undefined) this.#additions.set(number);
      else yield* this.#checkFile(record);
    } catch (failure) {
      if (isUsed === false) return;
      this.#isTorn = true;
      yield told(failure);
    }
  }

  async *#checkFile(record: FileRecord): AsyncGenerator<Problem> {
    const { number } = record;
    this.#files.set(number);
    if (record.isDirectory) this.#directories.set(number);
    const file = await this.#source.fileOf(record);
    for (const other of file.otherRecords) this.#named.set(other);
    this.#names[number] = file.attributes.filter(({ type }) => type === attributeTypes.fileName).length;
    const what = whatIs(file);
    for (const pieces of outsidePieces(file)) yield* this.#checkOutside(pieces, what, number);
  }

  async *#checkOutside(pieces: readonly Attribute[], what: string, number: number): AsyncGenerator<Problem> {
    const { clusterBytes } = this.#source.geometry;
    const [first] = pieces;
    try {
      const stream = streamOf(pieces, this.#source.geometry, what);
      if (stream === undefined || first === undefined) return;
      if (number === recordNumbers.badClusters && stream.name === "$Bad") {
        for (const { cluster, count } of stream.runs) if (cluster !== undefined) this.#badClusters += count;
      }
      const shared = this.#claims.take(stream.runs);
      if (shared !== undefined) yield error(`cluster ${shared} belongs to another file too: ${what}`);
      const thereBytes = endOf(stream.runs) * clusterBytes;
      const isBadList = number === recordNumbers.badClusters;
      if (thereBytes < stream.dataBytes && !isBadList) {
        yield error(`its clusters end at byte ${thereBytes} of ${stream.dataBytes}: ${what}`);
      }
      const start = pieces.find(({ bytes }) => outsideHeader.get(bytes, "firstCluster") === 0) ?? first;
      const { validBytes, dataBytes } = outsideHeader.decode(start.bytes);
      if (validBytes > dataBytes) {
        yield warning(`${validBytes} bytes of it are said to be valid, it has ${dataBytes}: ${what}`);
      }
    } catch (failure) {
      this.#isTorn = true;
      yield told(failure);
    }
  }
}

/** Records that are kept for the system: Windows and others mark them in use or not, whatever is in them. */
function isReserved(number: number): boolean {
  return number > lastSystemRecord && number < firstFileRecord;
}

/** The attributes of a file whose values are in clusters, each with all its pieces. */
function outsidePieces({ attributes }: NtfsFile): Iterable<readonly Attribute[]> {
  const pieces = new Map<string, Attribute[]>();
  for (const one of attributes) {
    if (!one.isOutside) continue;
    const key = `${one.type}:${one.name}`;
    const others = pieces.get(key);
    if (others === undefined) pieces.set(key, [one]);
    else others.push(one);
  }
  return pieces.values();
}

/** A failure as a problem; anything else is thrown on. */
function told(failure: unknown): Problem {
  if (failure instanceof Failure) return error(failure.message);
  throw failure;
}
