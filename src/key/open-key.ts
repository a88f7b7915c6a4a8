import * as fs from "node:fs";
import { Failure } from "../base/index.ts";
import {
  FileDevice,
  FileReader,
  identifyDevice,
  refuseUnwritable,
  SliceDevice,
  type BlockDevice,
  type BlockReader,
  type DeviceUse,
} from "../device/index.ts";
import { openFileSystem, resolvePath, type FileSystem } from "../filesystem/index.ts";
import {
  openPartitionDevice,
  openPartitionReader,
  readTable,
  type Partition,
  type PartitionTable,
} from "../partition/index.ts";
import { isFirmwareType, settingsPath } from "./key-layout.ts";
import { parseSettings, type KeySettings } from "./key-settings.ts";

/** A key, its two partitions open. */
export interface OpenKey<Device extends BlockReader> extends AsyncDisposable {
  /** Of the whole. */
  readonly sizeBytes: number;
  readonly settings: KeySettings;
  readonly whole: Device;
  readonly table: PartitionTable;
  readonly boot: Device;
  readonly isos: Device;
  /** Who else may be changing it. */
  readonly uses: readonly DeviceUse[];
}

/** What a key says of itself is shorter. */
const settingsLimitBytes = 64 * 1024;

/**
 * Opens a key to be looked at: an image, or a device, of which another one may use parts meanwhile. Throws `unsupported`
 * where it is none.
 */
export async function openKey(path: string): Promise<OpenKey<BlockReader>> {
  const uses = isDevice(path) ? identifyDevice(path, { action: "use" }).uses : [];
  const reader = await FileReader.open(path);
  // The kernel keeps apart what it holds of a disk and of its partitions.
  if (uses.length > 0) reader.forgetCached();
  return open<BlockReader>(path, reader, openPartitionReader, uses);
}

/** Opens a key for changes, an image or a device, and for nobody else meanwhile. Throws `refused` where it is in use. */
export async function openKeyForChanges(path: string): Promise<OpenKey<BlockDevice>> {
  if (isDevice(path)) refuseUnwritable(identifyDevice(path, { action: "change" }), `change "${path}"`);
  return open<BlockDevice>(path, await FileDevice.openExclusively(path), openPartitionDevice, []);
}

/** Opens a key that is on a device already, which stays the caller's to close. */
export async function openKeyOn(device: BlockDevice, path: string): Promise<OpenKey<BlockDevice>> {
  return open<BlockDevice>(path, new SliceDevice(device, 0, device.sizeBytes), openPartitionDevice, []);
}

export function isDevice(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true;
}

async function open<Device extends BlockReader>(
  path: string,
  whole: Device,
  partitionOf: (whole: Device, partition: Partition) => Device,
  uses: readonly DeviceUse[],
): Promise<OpenKey<Device>> {
  await using stack = new AsyncDisposableStack();
  stack.use(whole);
  const { table, boot, isos } = partitionsOfKey(await readTable(whole), path);
  const bootDevice = partitionOf(whole, boot);
  const settings = parseSettings(await readSettings(bootDevice, path), path);
  const parts = {
    sizeBytes: whole.sizeBytes,
    settings,
    uses,
    whole,
    table,
    boot: bootDevice,
    isos: partitionOf(whole, isos),
  };
  const opened = stack.move();
  return { ...parts, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The two partitions of a key. Throws `unsupported` where a table is none of one. */
export function partitionsOfKey(
  table: PartitionTable | undefined,
  path: string,
): { readonly table: PartitionTable; readonly boot: Partition; readonly isos: Partition } {
  const at = table?.partitions.findIndex(({ typeCode }) => isFirmwareType(typeCode)) ?? -1;
  const [boot, isos] = at < 0 ? [] : (table?.partitions.slice(at, at + 2) ?? []);
  if (table === undefined || boot === undefined || isos === undefined) throw noKey(path);
  return { table, boot, isos };
}

async function readSettings(boot: BlockReader, path: string): Promise<string> {
  try {
    await using fileSystem = await openFileSystem(boot);
    return (await readSmallFile(fileSystem, settingsPath, settingsLimitBytes)) ?? "";
  } catch (error) {
    if (error instanceof Failure && (error.code === "not-found" || error.code === "unsupported")) throw noKey(path);
    throw error;
  }
}

/** The text of a file; undefined where it is larger than it may be. Throws `not-found` where it is not there. */
export async function readSmallFile(
  fileSystem: FileSystem,
  path: string,
  limitBytes: number,
): Promise<string | undefined> {
  const id = await resolvePath(fileSystem, path);
  const { kind, sizeBytes } = await fileSystem.stat(id);
  if (kind !== "file" || sizeBytes > limitBytes) return undefined;
  const bytes = Buffer.alloc(sizeBytes);
  for await (const piece of fileSystem.content(id)) bytes.set(piece.bytes, piece.at);
  return bytes.toString();
}

function noKey(path: string): Failure {
  return new Failure("unsupported", `cannot use "${path}" as a key: it was not made by key create`, {
    hint: "holdfast key create makes one",
  });
}
