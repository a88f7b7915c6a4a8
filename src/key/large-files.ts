import * as fs from "node:fs";
import { Failure, OutputFile, type JobOptions } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import { FileDevice, FileReader, SliceDevice, type BlockDevice, type BlockReader } from "../device/index.ts";
import { uuidMaker } from "../disk/making/index.ts";
import {
  editFileSystem,
  makeFileSystem,
  openFileSystem,
  roomIn,
  treeOf,
  type FileSystem,
} from "../filesystem/index.ts";
import {
  defaultGeometry,
  gptTypeGuid,
  mbrTypeCode,
  repairGpt,
  resizePartition,
  type Partition,
  type PartitionTable,
} from "../partition/index.ts";
import type { Timestamp } from "../tree/index.ts";
import { isosRoot } from "./isos-root.ts";
import { settingsPath } from "./key-layout.ts";
import { settingsText, type KeySettings } from "./key-settings.ts";
import { filesBelow, putText } from "./menu-files.ts";
import { isDevice, openKey, openKeyForChanges, partitionsOfKey, type OpenKey } from "./open-key.ts";
import { isosFileSystem } from "./plan-key.ts";

/** FAT has 32 bits for the size of a file. */
const fatFileLimitBytes = 2 ** 32 - 1;
const copyBytes = 4 * 2 ** 20;
/** Here is what a FAT is known by, which ext4 leaves as it was. */
const marksBytes = 64 * 1024;

export interface LargeFile {
  readonly source: string;
  readonly sizeBytes: number;
}

/** That isos, which is FAT, has to become ext4 before it can hold a file. */
export interface Remaking {
  readonly file: LargeFile;
  /** The files that are on isos, which come along. */
  readonly fileCount: number;
}

/** The first of some files that FAT cannot hold. */
export async function largeFileOf(sources: readonly string[]): Promise<LargeFile | undefined> {
  for (const source of sources) {
    await using reader = await FileReader.open(source);
    if (reader.sizeBytes > fatFileLimitBytes) return { source, sizeBytes: reader.sizeBytes };
  }
  return undefined;
}

/**
 * What has to become of a key before it can hold a file; undefined where it can. Throws `unsupported` for a stick with
 * files: there is no second place for them, from which a stick that was pulled out could be made whole.
 */
export async function planRemaking(keyPath: string, file: LargeFile): Promise<Remaking | undefined> {
  await using key = await openKey(keyPath);
  if (isHalfMade(key.settings)) return { file, fileCount: 0 };
  await using isos = await openFileSystem(key.isos);
  if (!isos.info.kind.startsWith("fat")) return undefined;
  const files = await filesBelow(isos, "/");
  const own = files.filter((path) => !path.startsWith("/System Volume Information/")); // Windows leaves that everywhere
  if (own.length > 0 && isDevice(keyPath)) {
    const why = `it has ${formatSize(file.sizeBytes)}, FAT holds files below 4 GiB, and there are files on isos already`;
    throw new Failure("unsupported", `cannot add "${file.source}": ${why}`, {
      hint: "remove those first: with nothing on it isos becomes ext4, which holds larger ones",
    });
  }
  return { file, fileCount: own.length };
}

/** Isos, with nothing on it, was being made anew when that was cut off: it is no file system, and is made again. */
function isHalfMade({ isosUuid }: KeySettings): boolean {
  return isosUuid === "";
}

export function remakingNote({ fileCount, file }: Remaking): string {
  const along =
    fileCount === 0 ? "" : `, with ${fileCount === 1 ? "the file that is" : `all ${fileCount} files`} on it`;
  return `isos becomes ext4${along}, since FAT holds no file as large as "${file.source}"; Windows does not read that`;
}

/**
 * Makes isos ext4, under the same label. With nothing on it that is done in place; else a new image comes in the place of
 * the old once it is whole. Throws `no-space`, and changes nothing, where what is there and what is needed do not fit.
 */
export async function remakeIsos(
  keyPath: string,
  {
    fileCount,
    neededBytes,
    nowMs,
  }: { readonly fileCount: number; readonly neededBytes: number; readonly nowMs: number },
  job: JobOptions = {},
): Promise<void> {
  await using key = await openKeyForChanges(keyPath);
  if (fileCount === 0) return await remakeInPlace(key, { path: keyPath, neededBytes, nowMs }, job);
  await using before = await openFileSystem(key.isos);
  const usedBytes = before.info.sizeBytes - before.info.freeBytes;
  const making = await planMaking(key, before, { path: keyPath, usedBytes, neededBytes, nowMs });
  await remakeBeside(keyPath, key, before, making, job);
}

/** Cut off at any moment, isos is as it was, or said to be half made, and the same is done again. */
export async function remakeInPlace(
  key: OpenKey<BlockDevice>,
  { path, neededBytes, nowMs }: { readonly path: string; readonly neededBytes: number; readonly nowMs: number },
  job: JobOptions = {},
): Promise<void> {
  await using before = isHalfMade(key.settings) ? undefined : await openFileSystem(key.isos);
  const making = await planMaking(key, before, { path, usedBytes: 0, neededBytes, nowMs });
  await writeSettings(key.boot, { ...key.settings, isosUuid: "" }, making.now);
  await becomeExt4(key.whole, making, [], job);
}

async function planMaking(
  { table, settings, isos: device }: OpenKey<BlockDevice>,
  before: FileSystem | undefined,
  {
    path,
    usedBytes,
    neededBytes,
    nowMs,
  }: { readonly path: string; readonly usedBytes: number; readonly neededBytes: number; readonly nowMs: number },
): Promise<Making> {
  const now = { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 };
  const wanted = {
    ...isosFileSystem({ isosKind: "ext4", label: before?.info.label ?? settings.isosLabel }, device.sizeBytes),
    uuid: uuidMaker(`${table.diskId} ${before?.info.uuid ?? ""}`)(),
    now,
    lazyInodeTables: true,
  } as const;
  const room = await roomIn(device.sizeBytes, wanted);
  if (room < usedBytes + neededBytes) throw tooLittle(path, { room, usedBytes, neededBytes });
  return { now, wanted, table, isos: partitionsOfKey(table, path).isos, settings };
}

interface Making {
  readonly now: Timestamp;
  readonly wanted: Parameters<typeof makeFileSystem>[2]["wanted"];
  readonly table: PartitionTable;
  readonly isos: Partition;
  readonly settings: KeySettings;
}

/** The settings come last. */
async function becomeExt4(
  whole: BlockDevice,
  { now, wanted, table, isos, settings }: Making,
  sources: Parameters<typeof makeFileSystem>[1],
  job: JobOptions,
): Promise<void> {
  const slice = new SliceDevice(whole, isos.startBytes, isos.sizeBytes);
  const place = { startLba: isos.startBytes / table.sectorSizeBytes, geometry: defaultGeometry };
  await slice.zero(0, marksBytes);
  await makeFileSystem(slice, [...sources, isosRoot(now)], { ...job, wanted, place });
  await whole.flush();
  // An earlier attempt may have been cut off in the middle of it.
  if (table.kind === "gpt" && table.problems.some(({ severity }) => severity === "error")) await repairGpt(whole);
  await resizePartition(whole, table, {
    diskBytes: whole.sizeBytes,
    partition: isos.number,
    endBytes: isos.startBytes + isos.sizeBytes,
    typeCode: table.kind === "gpt" ? gptTypeGuid("linux") : mbrTypeCode("linux"),
  });
  await using made = await openFileSystem(slice);
  const { boot } = partitionsOfKey(table, "the key");
  const bootSlice = new SliceDevice(whole, boot.startBytes, boot.sizeBytes);
  await writeSettings(bootSlice, { ...settings, isosUuid: made.info.uuid ?? "" }, now);
}

async function writeSettings(boot: BlockDevice, settings: KeySettings, now: Timestamp): Promise<void> {
  await using editor = await editFileSystem(boot, { now });
  await putText(editor, settingsPath, settingsText(settings), now);
  await editor.commit();
}

async function remakeBeside(
  keyPath: string,
  key: OpenKey<BlockDevice>,
  before: FileSystem,
  making: Making,
  job: JobOptions,
): Promise<void> {
  const target = fs.realpathSync(keyPath);
  await using output = OutputFile.create(target, { force: true });
  keepOwner(output.fd, fs.statSync(target));
  await using device = FileDevice.overNewFile(target, output.fd, key.sizeBytes);
  const { startBytes, sizeBytes } = making.isos;
  await copyStretch(key.whole, device, 0, startBytes);
  await copyStretch(key.whole, device, startBytes + sizeBytes, key.sizeBytes);
  await becomeExt4(device, making, [treeOf(before, "/")], job);
  output.commit();
}

function keepOwner(fd: number, { mode, uid, gid }: fs.Stats): void {
  fs.fchmodSync(fd, mode & 0o777);
  try {
    fs.fchownSync(fd, uid, gid);
  } catch {
    // only root can; then whoever may replace the file owns the new one
  }
}

async function copyStretch(from: BlockReader, to: BlockDevice, startBytes: number, endBytes: number): Promise<void> {
  const buffer = new Uint8Array(copyBytes);
  for (let at = startBytes; at < endBytes; at += copyBytes) {
    const piece = buffer.subarray(0, Math.min(copyBytes, endBytes - at));
    await from.read(at, piece);
    if (piece.some((byte) => byte !== 0)) await to.write(at, piece);
  }
}

function tooLittle(
  keyPath: string,
  { room, usedBytes, neededBytes }: { readonly room: number; readonly usedBytes: number; readonly neededBytes: number },
): Failure {
  const has = usedBytes === 0 ? formatSize(room) : `${formatSize(Math.max(0, room - usedBytes))} free`;
  return new Failure(
    "no-space",
    `cannot add to "${keyPath}": ${formatSize(neededBytes)} are needed, as ext4 it would have ${has}`,
    { hint: "remove others from it, or make a larger key with --size" },
  );
}
