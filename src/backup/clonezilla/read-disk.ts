import { Failure } from "../../base/index.ts";
import { MemoryDevice } from "../../device/index.ts";
import { readTable } from "../../partition/index.ts";
import { readSmallFile, textOf, type FolderFiles } from "./small-files.ts";
import { parseDump, type DumpedPartition, type TableDump } from "./table-dump.ts";

export interface BackupDisk {
  /** `sda` */
  readonly name: string;
  readonly dump: TableDump;
  readonly sizeBytes: number;
}

const sectorBytes = 512;

/** What a backup tells of a disk; undefined where it has no table of it. Throws `damaged`, `unsupported`. */
export async function readDisk(folder: FolderFiles, name: string): Promise<BackupDisk | undefined> {
  const text = (await readSmallFile(folder, dumpName(name)))?.toString();
  if (text === undefined) return undefined;
  const dump = (await gptOfOldDump(folder, name, text)) ?? parseDump(text, name);
  const whole = { ...dump, diskId: dump.diskId ?? (await oldSignature(folder, name)) };
  return { name, dump: whole, sizeBytes: (await diskBytes(folder, name)) ?? leastDiskBytes(dump) };
}

export function dumpName(disk: string): string {
  return `${disk}-pt.sf`;
}

/** Names of all disks whose tables are in a backup. */
export function disksWithTables({ files }: FolderFiles): string[] {
  const ending = dumpName("");
  return [...files.keys()].filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
}

/** An sfdisk before 2.26 (2014) saw of a GPT only what protects it: then its copy is the table. */
async function gptOfOldDump(folder: FolderFiles, name: string, text: string): Promise<TableDump | undefined> {
  if (/^label:/m.test(text) || !/^\/dev\/.*\bid= *ee\b/im.test(text)) return undefined;
  const copy = await gptCopy(folder, name);
  if (copy === undefined) return undefined;
  const table = await readTable(new MemoryDevice(copy));
  if (table?.gpt === undefined) throw new Failure("damaged", "the copy of its GPT has no table");
  const partitions = table.partitions.map((partition): DumpedPartition => {
    const { number, startBytes, sizeBytes, typeCode, active, guid, label, attributes } = partition;
    return {
      number,
      startLba: startBytes / sectorBytes,
      sectorCount: sizeBytes / sectorBytes,
      type: String(typeCode),
      active,
      ...(guid === undefined ? {} : { guid }),
      ...(label === undefined ? {} : { label }),
      attributes,
    };
  });
  const { entryCount, firstUsableLba: firstLba } = table.gpt;
  return { kind: "gpt", diskId: table.diskId, firstLba, entryCount, partitions };
}

/** The first sectors of the disk; sgdisk's own file has the second header between the first one and the entries. */
async function gptCopy(folder: FolderFiles, name: string): Promise<Buffer | undefined> {
  const first = await readSmallFile(folder, `${name}-gpt-1st`);
  if (first !== undefined) return first;
  const saved = await readSmallFile(folder, `${name}-gpt.gdisk`);
  if (saved === undefined || saved.length < 4 * sectorBytes) return undefined;
  return Buffer.concat([saved.subarray(0, 2 * sectorBytes), saved.subarray(3 * sectorBytes)]);
}

/** Those sfdisks did not tell what tells a disk with an MBR from others, either. */
async function oldSignature(folder: FolderFiles, name: string): Promise<string | undefined> {
  const bootSector = await readSmallFile(folder, `${name}-mbr`);
  if (bootSector === undefined || bootSector.length < sectorBytes) return undefined;
  return `0x${bootSector.readUInt32LE(440).toString(16).padStart(8, "0")}`;
}

/** parted tells how large a disk is, sfdisk does not. */
async function diskBytes(folder: FolderFiles, name: string): Promise<number | undefined> {
  const text = await textOf(folder, `${name}-pt.parted`);
  const sectors = Number(/^Disk \S+: (\d{1,13})s$/m.exec(text)?.[1] ?? "0");
  return sectors > 0 ? sectors * sectorBytes : undefined;
}

function leastDiskBytes({ kind, partitions }: TableDump): number {
  const end = partitions.reduce((last, { startLba, sectorCount }) => Math.max(last, startLba + sectorCount), 1);
  return (end + (kind === "gpt" ? 33 : 0)) * sectorBytes;
}
