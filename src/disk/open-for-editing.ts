import { Failure } from "../base/index.ts";
import { FileDevice, OverlayDevice, type BlockDevice, type BlockReader } from "../device/index.ts";
import { editFileSystem, probe, type EditableFileSystem, type EditOptions } from "../filesystem/index.ts";
import { defaultPartition, OpenDisk } from "./open-disk.ts";
import type { Place } from "./place.ts";
import { whyNotRead } from "./why-not-read.ts";

/** A file system in an image, open for changes. */
export interface EditablePlace extends AsyncDisposable {
  readonly fileSystem: EditableFileSystem;
  /** What the file system is on. */
  readonly reader: BlockReader;
}

/**
 * Opens the file system that a place names for changes, and its image for nobody else meanwhile. Throws `refused`
 * where something else uses the image.
 */
export async function openForEditing(place: Place, options: EditOptions): Promise<EditablePlace> {
  await using stack = new AsyncDisposableStack();
  const device = stack.use(await FileDevice.openExclusively(place.image));
  const disk = stack.use(await OpenDisk.open(place.image));
  const { fileSystem, reader } = await editPartition(disk, place, device, options);
  stack.use(fileSystem);
  const open = stack.move();
  return { fileSystem, reader, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Opens the file system that a place names so that changes to it stay in memory and are forgotten in the end. */
export async function openForRehearsal(place: Place, options: EditOptions): Promise<EditablePlace> {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(await OpenDisk.open(place.image));
  const device = stack.use(new OverlayDevice(disk.reader));
  const { fileSystem, reader } = await editPartition(disk, place, device, options);
  stack.use(fileSystem);
  const open = stack.move();
  return { fileSystem, reader, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function editPartition(
  disk: OpenDisk,
  place: Place,
  device: BlockDevice,
  options: EditOptions,
): Promise<Pick<EditablePlace, "fileSystem" | "reader">> {
  const number = place.partition ?? (await defaultPartition(disk));
  const slice = disk.deviceOf(number, device);
  if ((await probe(slice)) !== undefined) return { fileSystem: await editFileSystem(slice, options), reader: slice };
  const where = number === undefined ? `"${place.image}"` : `partition ${number} of "${place.image}"`;
  throw new Failure("unsupported", `cannot change ${where}: ${await whyNotRead(slice)}`, {
    hint: "disk show tells what is there",
  });
}
