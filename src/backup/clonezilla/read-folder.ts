import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { parseDataName, partitionNumber, type DataName } from "./names.ts";
import { parseDump, type TableDump } from "./table-dump.ts";

/** A backup as its folder tells, before any data is looked at. */
export interface BackupFolder {
  readonly path: string;
  /** The files in it, with their sizes. */
  readonly files: ReadonlyMap<string, number>;
  /** Disks of which there is all; empty in a backup of single partitions. */
  readonly disks: readonly BackupDisk[];
  /** In the order in which the folder lists them. */
  readonly parts: readonly BackupPart[];
  /** Swap to be made anew. */
  readonly swaps: readonly BackupSwap[];
  /** What is missing or contradicts itself, one sentence each. */
  readonly problems: readonly string[];
}

export interface BackupDisk {
  /** `sda` */
  readonly name: string;
  readonly dump: TableDump;
  readonly sizeBytes: number;
}

export interface BackupPart {
  /** `sda1`, or `VG-LV` of a logical volume. */
  readonly name: string;
  /** As Clonezilla names it: `ext4`; `dd` for plain bytes. */
  readonly kind: string;
  /** As file names have it; absent in old folders. */
  readonly packed: string | undefined;
  /** In their order. */
  readonly fileNames: readonly string[];
  readonly packedBytes: number;
}

export interface BackupSwap {
  readonly name: string;
  readonly uuid: string | undefined;
  readonly label: string;
}

const smallFileLimitBytes = 4 * 1024 * 1024;
const fileCountLimit = 100_000;

/** Reads what a backup's folder says of itself. Throws `not-found` where there is none, `unsupported` where it is none. */
export function readFolder(folder: string): BackupFolder {
  const files = listFiles(folder);
  if (!files.has("parts") && !files.has("disk")) {
    throw new Failure("unsupported", `cannot read the backup "${folder}": it has no file "parts"`, {
      hint: folder.endsWith(".part") ? "it was not finished" : "name the folder of one backup; backup list shows them",
    });
  }
  const problems: string[] = [];
  const disks = wordsOf(folder, files, "disk").flatMap((name) => {
    const disk = readDisk(folder, files, name, problems);
    return disk === undefined ? [] : [disk];
  });
  const parts = partsOf(files, problems);
  for (const name of wordsOf(folder, files, "parts").map((word) => word.replaceAll("/", "-"))) {
    const isThere = parts.some((part) => part.name === name);
    if (!isThere && !files.has("lvm_vg_dev.list") && !files.has("luks-dev.list"))
      problems.push(`there is no data of ${name}`);
  }
  const swaps = [...files.keys()].flatMap((name) => readSwap(folder, files, name));
  return { path: folder, files, disks, parts, swaps, problems };
}

function listFiles(folder: string): ReadonlyMap<string, number> {
  try {
    const entries = fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink());
    if (entries.length > fileCountLimit) {
      throw new Failure("unsupported", `cannot read the backup "${folder}": it has ${entries.length} files`);
    }
    const names = entries.map(({ name }) => name).sort();
    return new Map(
      names.map((name) => [name, fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0]),
    );
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot read the backup "${folder}": ${systemReason(error)}`, { cause: error });
  }
}

/** A small file of a backup; undefined where it is not there. */
export function readSmallFile(
  folder: string,
  files: ReadonlyMap<string, number>,
  name: string,
  limitBytes = smallFileLimitBytes,
): Buffer | undefined {
  const sizeBytes = files.get(name);
  if (sizeBytes === undefined) return undefined;
  if (sizeBytes > limitBytes) {
    throw new Failure("damaged", `cannot read "${name}": it takes ${sizeBytes} bytes, at most ${limitBytes} are read`);
  }
  try {
    return fs.readFileSync(path.join(folder, name));
  } catch (error) {
    throw new Failure("failed", `cannot read "${name}": ${systemReason(error)}`, { cause: error });
  }
}

function wordsOf(folder: string, files: ReadonlyMap<string, number>, name: string): string[] {
  const text = readSmallFile(folder, files, name)?.toString() ?? "";
  return text.split(/\s+/).filter((word) => word !== "");
}

function readDisk(
  folder: string,
  files: ReadonlyMap<string, number>,
  name: string,
  problems: string[],
): BackupDisk | undefined {
  const dumpFile = `${name}-pt.sf`;
  const dump = readSmallFile(folder, files, dumpFile)?.toString();
  if (dump === undefined) {
    problems.push(`there is no table of ${name} ("${dumpFile}")`);
    return undefined;
  }
  try {
    const table = parseDump(dump, name);
    return { name, dump: table, sizeBytes: diskBytes(folder, files, name) ?? leastDiskBytes(table) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push(`"${dumpFile}": ${error.message}`);
    return undefined;
  }
}

/** parted tells how large a disk is, sfdisk does not. */
function diskBytes(folder: string, files: ReadonlyMap<string, number>, name: string): number | undefined {
  const text = readSmallFile(folder, files, `${name}-pt.parted`)?.toString() ?? "";
  const sectors = Number(/^Disk \S+: (\d{1,13})s$/m.exec(text)?.[1] ?? "0");
  return sectors > 0 ? sectors * 512 : undefined;
}

function leastDiskBytes({ kind, partitions }: TableDump): number {
  const end = partitions.reduce((last, { startLba, sectorCount }) => Math.max(last, startLba + sectorCount), 1);
  return (end + (kind === "gpt" ? 33 : 0)) * 512;
}

/** Data files, volumes of one in their order. */
function partsOf(files: ReadonlyMap<string, number>, problems: string[]): BackupPart[] {
  const byPart = new Map<string, { readonly name: DataName; readonly fileNames: string[] }>();
  for (const fileName of files.keys()) {
    const name = parseDataName(fileName);
    if (name === undefined) continue;
    const key = `${name.part}.${name.kind}.${name.packed ?? ""}`;
    const found = byPart.get(key) ?? { name, fileNames: [] };
    found.fileNames.push(fileName);
    byPart.set(key, found);
  }
  const parts = [...byPart.values()].map(({ name, fileNames }) => {
    const gap = missingVolume(fileNames);
    if (gap !== undefined) problems.push(`the volume "${gap}" is missing`);
    const packedBytes = fileNames.reduce((sum, fileName) => sum + (files.get(fileName) ?? 0), 0);
    return { name: name.part, kind: name.kind, packed: name.packed, fileNames, packedBytes };
  });
  const twice = parts.find(({ name }, n) => parts.findIndex((part) => part.name === name) !== n);
  if (twice !== undefined) problems.push(`there are two kinds of data of ${twice.name}`);
  return parts.toSorted((a, b) => compareNames(a.name, b.name));
}

/** `sda2` comes before `sda10`. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** The first of the volumes that should be there by their suffixes, and is not. */
function missingVolume(fileNames: readonly string[]): string | undefined {
  const [first = ""] = fileNames;
  const suffix = parseDataName(first)?.suffix;
  if (suffix === undefined) return undefined;
  let wanted = "a".repeat(suffix.length);
  for (const fileName of fileNames) {
    if (!fileName.endsWith(`.${wanted}`)) return first.slice(0, -suffix.length) + wanted;
    wanted = following(wanted);
  }
  return undefined;
}

function following(suffix: string): string {
  const letters = suffix.split("");
  for (let n = letters.length - 1; n >= 0; n--) {
    const letter = letters[n] ?? "a";
    letters[n] = letter === "z" ? "a" : String.fromCharCode(letter.charCodeAt(0) + 1);
    if (letter !== "z") break;
  }
  return letters.join("");
}

function readSwap(folder: string, files: ReadonlyMap<string, number>, fileName: string): BackupSwap[] {
  const name = /^swappt-(.+)\.info$/.exec(fileName)?.[1];
  if (name === undefined) return [];
  const text = readSmallFile(folder, files, fileName)?.toString() ?? "";
  const valueOf = (key: string): string => new RegExp(`^${key}="(.*)"$`, "m").exec(text)?.[1] ?? "";
  const uuid = valueOf("UUID");
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid);
  return [{ name, uuid: isUuid ? uuid : undefined, label: valueOf("LABEL").replace(/\\(.)/g, "$1") }];
}

/** The data of a partition of a disk. */
export function partOf(folder: BackupFolder, disk: BackupDisk, number: number): BackupPart | undefined {
  return folder.parts.find(({ name }) => partitionNumber(disk.name, name) === number);
}
