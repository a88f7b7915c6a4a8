import type { JobOptions } from "../../base/index.ts";
import { FileReader, readBytes, SliceReader, type BlockReader } from "../../device/index.ts";
import { recognise } from "../../filesystem/index.ts";
import { openPartitionReader, readTable, type PartitionTable } from "../../partition/index.ts";
import { BackupUse } from "../backup-use.ts";
import { chooseDisk } from "../choose-disk.ts";
import {
  partitionNumber,
  readFolder,
  readSmallFile,
  type BackupDisk,
  type BackupFolder,
  type BackupPart,
  type BackupSwap,
} from "../clonezilla/index.ts";
import { openPart, packedDataOf } from "../open-part.ts";
import { openStore, type StoreAccess } from "../store/index.ts";
import { comparePart } from "./compare-part.ts";
import { tableDifferences } from "./table-differences.ts";

export interface CompareRequest extends StoreAccess {
  readonly backup: string;
  /** A disk, a partition of one, or an image. */
  readonly source: string;
  /** Of several disks in one backup. */
  readonly disk?: string;
}

/** One way in which a source is not what was saved. */
export interface Difference {
  /** `table`, `boot code`, `sda2` */
  readonly where: string;
  readonly message: string;
  /** Files of the source that have data where it differs, the first of them. */
  readonly files?: readonly string[];
}

export interface ComparedBackup {
  /** Partitions that are as they were. */
  readonly same: readonly string[];
  readonly differences: readonly Difference[];
}

const bootCodeBytes = 440;

/** Compares what a backup has with a disk or image: what no file system used is not looked at. Changes nothing. */
export async function compareBackup(request: CompareRequest, job: JobOptions = {}): Promise<ComparedBackup> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStore(request.backup, request));
  stack.use(new BackupUse(request.backup));
  const folder = await readFolder(store);
  await using source = await FileReader.openAtRest(request.source);
  const disk = folder.disks.length === 0 ? undefined : chooseDisk(folder, request.disk);
  const comparison = new Comparison(request, folder, { reader: source, table: await readTable(source) }, job);
  return await comparison.run(disk);
}

interface OpenSource {
  readonly reader: BlockReader;
  readonly table: PartitionTable | undefined;
}

class Comparison {
  readonly #request: CompareRequest;
  readonly #folder: BackupFolder;
  readonly #source: OpenSource;
  readonly #job: JobOptions;
  readonly #same: string[] = [];
  readonly #differences: Difference[] = [];
  #doneBytes = 0;

  constructor(request: CompareRequest, folder: BackupFolder, source: OpenSource, job: JobOptions) {
    this.#request = request;
    this.#folder = folder;
    this.#source = source;
    this.#job = job;
  }

  async run(disk: BackupDisk | undefined): Promise<ComparedBackup> {
    if (disk !== undefined) await this.#compareDisk(disk);
    for (const part of this.#folder.parts) {
      const isOther = disk !== undefined && partitionNumber(disk.name, part.name) === undefined;
      const place = isOther ? undefined : this.#place(part.name, disk);
      if (!isOther) await this.#comparePart(part, place);
    }
    for (const swap of this.#folder.swaps) {
      const isOther = disk !== undefined && partitionNumber(disk.name, swap.name) === undefined;
      if (!isOther) await this.#compareSwap(swap, this.#place(swap.name, disk));
    }
    return { same: this.#same, differences: this.#differences };
  }

  async #compareDisk(disk: BackupDisk): Promise<void> {
    const { reader, table } = this.#source;
    if (reader.sizeBytes !== disk.sizeBytes) {
      this.#differs("disk", `it has ${reader.sizeBytes} bytes, it had ${disk.sizeBytes}`);
    }
    for (const message of tableDifferences(table, disk)) this.#differs("table", message);
    const code = await readSmallFile(this.#folder, `${disk.name}-mbr`);
    if (code === undefined || reader.sizeBytes < bootCodeBytes) return;
    const now = Buffer.from(await readBytes(reader, 0, bootCodeBytes));
    if (!now.equals(code.subarray(0, bootCodeBytes))) this.#differs("boot code", "it is another one");
  }

  /** Where a saved partition is in the source; undefined where it is not there. */
  #place(name: string, disk: BackupDisk | undefined): BlockReader | undefined {
    const { reader, table } = this.#source;
    if (table === undefined && disk === undefined) return new SliceReader(reader, 0, reader.sizeBytes);
    const number = disk === undefined ? Number(/(\d+)$/.exec(name)?.[1] ?? "0") : partitionNumber(disk.name, name);
    const partition = table?.partitions.find((one) => one.number === number);
    return partition === undefined ? undefined : openPartitionReader(reader, partition);
  }

  async #comparePart(part: BackupPart, place: BlockReader | undefined): Promise<void> {
    const { name, kind } = part;
    if (place === undefined) return this.#differs(name, "it is not there");
    const totalBytes = this.#folder.parts.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    const data = packedDataOf(this.#folder, part, this.#request.env);
    await using stream = await openPart(data, kind, (bytes) => {
      this.#doneBytes = Math.min(totalBytes, this.#doneBytes + bytes);
      this.#job.onProgress?.({ phase: `comparing ${name}`, doneBytes: this.#doneBytes, totalBytes });
    });
    const found = await comparePart(stream, place, this.#job);
    if (found === undefined) {
      this.#same.push(name);
      return undefined;
    }
    const { blocks, files, hasMoreFiles } = found;
    const count = blocks === 1 ? "a block differs" : `${blocks} blocks differ`;
    const inFiles = files.length === 0 ? ", in no file that could be found" : "";
    this.#differs(name, `${count}${inFiles}`, hasMoreFiles && files.length > 0 ? [...files, "…"] : files);
  }

  async #compareSwap({ name, uuid, label }: BackupSwap, place: BlockReader | undefined): Promise<void> {
    if (place === undefined) return this.#differs(name, "it is not there");
    const found = await recognise(place);
    if (found?.kind !== "swap") return this.#differs(name, "it is no swap");
    const isSame = (uuid === undefined || found.uuid === uuid.toLowerCase()) && found.label === label;
    if (isSame) this.#same.push(name);
    else this.#differs(name, `its UUID is ${found.uuid ?? "missing"}, its label "${found.label}"`);
  }

  #differs(where: string, message: string, files: readonly string[] = []): void {
    this.#differences.push({ where, message, ...(files.length === 0 ? {} : { files }) });
  }
}
