import { Failure } from "../../base/index.ts";
import { readBytes } from "../../device/index.ts";
import { unfinishedEnding, type BackupStore } from "../store/index.ts";
import { parseDataName, partitionNumber, type DataName } from "./names.ts";
import { parseDump, type TableDump } from "./table-dump.ts";

/** A backup as its folder tells, before any data is looked at. */
export interface BackupFolder {
  /** How messages call it. */
  readonly path: string;
  /** What is in the folder, by its names. */
  readonly store: BackupStore;
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

export function isSwap(content: BackupPart | BackupSwap): content is BackupSwap {
  return !("kind" in content);
}

const smallFileLimitBytes = 4 * 1024 * 1024;
const fileCountLimit = 100_000;

/** What small files are read from. */
export type FolderFiles = Pick<BackupFolder, "store" | "files">;

/**
 * Reads what a backup's folder, which is all of a store, says of itself. Throws `not-found` where there is none,
 * `unsupported` where it is none.
 */
export async function readFolder(store: BackupStore): Promise<BackupFolder> {
  const path = store.name;
  const folder = { store, files: await listFiles(store) };
  const { files } = folder;
  if (!files.has("parts") && !files.has("disk")) {
    throw new Failure("unsupported", `cannot read the backup "${path}": it has no file "parts"`, {
      hint: path.endsWith(unfinishedEnding)
        ? "it was not finished"
        : "name the folder of one backup; backup list shows them",
    });
  }
  const problems: string[] = [];
  const disks: BackupDisk[] = [];
  for (const name of await wordsOf(folder, "disk")) {
    const disk = await readDisk(folder, name, problems);
    if (disk !== undefined) disks.push(disk);
  }
  const parts = partsOf(files, problems);
  for (const name of (await wordsOf(folder, "parts")).map((word) => word.replaceAll("/", "-"))) {
    const isThere = parts.some((part) => part.name === name);
    if (!isThere && !files.has("lvm_vg_dev.list") && !files.has("luks-dev.list"))
      problems.push(`there is no data of ${name}`);
  }
  const swaps: BackupSwap[] = [];
  for (const name of files.keys()) swaps.push(...(await readSwap(folder, name)));
  return { path, ...folder, disks, parts, swaps, problems };
}

async function listFiles(store: BackupStore): Promise<ReadonlyMap<string, number>> {
  const files = (await store.list("")).filter(({ kind }) => kind === "file");
  if (files.length > fileCountLimit) {
    throw new Failure("unsupported", `cannot read the backup "${store.name}": it has ${files.length} files`);
  }
  return new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
}

/** A small file of a backup; undefined where it is not there. */
export async function readSmallFile(
  { store, files }: FolderFiles,
  name: string,
  limitBytes = smallFileLimitBytes,
): Promise<Buffer | undefined> {
  const sizeBytes = files.get(name);
  if (sizeBytes === undefined) return undefined;
  if (sizeBytes > limitBytes) {
    throw new Failure("damaged", `cannot read "${name}": it takes ${sizeBytes} bytes, at most ${limitBytes} are read`);
  }
  await using reader = await store.open(name);
  return Buffer.from((await readBytes(reader, 0, Math.min(sizeBytes, reader.sizeBytes))).buffer);
}

async function textOf(folder: FolderFiles, name: string): Promise<string> {
  return (await readSmallFile(folder, name))?.toString() ?? "";
}

async function wordsOf(folder: FolderFiles, name: string): Promise<string[]> {
  const text = await textOf(folder, name);
  return text.split(/\s+/).filter((word) => word !== "");
}

async function readDisk(folder: FolderFiles, name: string, problems: string[]): Promise<BackupDisk | undefined> {
  const dumpFile = `${name}-pt.sf`;
  const dump = (await readSmallFile(folder, dumpFile))?.toString();
  if (dump === undefined) {
    problems.push(`there is no table of ${name} ("${dumpFile}")`);
    return undefined;
  }
  try {
    const table = parseDump(dump, name);
    return { name, dump: table, sizeBytes: (await diskBytes(folder, name)) ?? leastDiskBytes(table) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push(`"${dumpFile}": ${error.message}`);
    return undefined;
  }
}

/** parted tells how large a disk is, sfdisk does not. */
async function diskBytes(folder: FolderFiles, name: string): Promise<number | undefined> {
  const text = await textOf(folder, `${name}-pt.parted`);
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

async function readSwap(folder: FolderFiles, fileName: string): Promise<BackupSwap[]> {
  const name = /^swappt-(.+)\.info$/.exec(fileName)?.[1];
  if (name === undefined) return [];
  const text = await textOf(folder, fileName);
  const valueOf = (key: string): string => new RegExp(`^${key}="(.*)"$`, "m").exec(text)?.[1] ?? "";
  const uuid = valueOf("UUID");
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid);
  return [{ name, uuid: isUuid ? uuid : undefined, label: valueOf("LABEL").replace(/\\(.)/g, "$1") }];
}

/** The data of a partition of a disk. */
export function partOf(folder: BackupFolder, disk: BackupDisk, number: number): BackupPart | undefined {
  return folder.parts.find(({ name }) => partitionNumber(disk.name, name) === number);
}
