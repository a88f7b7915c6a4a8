import * as fs from "node:fs";
import { Failure } from "../base/index.ts";
import { FileDevice, FileReader, type BlockDevice, type BlockReader } from "../device/index.ts";
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
  readonly boot: Device;
  readonly isos: Device;
}

/** What a key says of itself is shorter. */
const settingsLimitBytes = 64 * 1024;

/** Opens a key to be looked at. Throws `unsupported` where it is none. */
export async function openKey(path: string): Promise<OpenKey<BlockReader>> {
  refuseDevice(path);
  return open(path, await FileReader.open(path), openPartitionReader);
}

/** Opens a key for changes, and its image for nobody else meanwhile. */
export async function openKeyForChanges(path: string): Promise<OpenKey<BlockDevice>> {
  refuseDevice(path);
  return open(path, await FileDevice.openExclusively(path), openPartitionDevice);
}

/** Throws `unsupported` for a device: a key that is plugged in has an owner who may be writing to it. */
export function refuseDevice(path: string): void {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() !== true) return;
  throw new Failure("unsupported", `cannot use the device "${path}": keys are image files so far`, {
    hint: "work on an image; key write puts it onto the device",
  });
}

async function open<Whole extends BlockReader, Device extends BlockReader>(
  path: string,
  whole: Whole,
  partitionOf: (whole: Whole, partition: Partition) => Device,
): Promise<OpenKey<Device>> {
  await using stack = new AsyncDisposableStack();
  stack.use(whole);
  const table = await readTable(whole);
  const { boot, isos } = partitionsOfKey(table, path);
  const bootDevice = partitionOf(whole, boot);
  const settings = parseSettings(await readSettings(bootDevice, path), path);
  const parts = { sizeBytes: whole.sizeBytes, settings, boot: bootDevice, isos: partitionOf(whole, isos) };
  const opened = stack.move();
  return { ...parts, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The two partitions of a key. Throws `unsupported` where a table is none of one. */
export function partitionsOfKey(
  table: PartitionTable | undefined,
  path: string,
): { readonly boot: Partition; readonly isos: Partition } {
  const at = table?.partitions.findIndex(({ typeCode }) => isFirmwareType(typeCode)) ?? -1;
  const [boot, isos] = at < 0 ? [] : (table?.partitions.slice(at, at + 2) ?? []);
  if (boot === undefined || isos === undefined) throw noKey(path);
  return { boot, isos };
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
