import { Failure } from "../base/index.ts";
import { FileDevice, OverlayDevice, type BlockDevice } from "../device/index.ts";
import { editFileSystem, probe, type EditableFileSystem, type EditOptions } from "../filesystem/index.ts";
import { defaultPartition, OpenDisk } from "./open-disk.ts";
import type { Place } from "./place.ts";
import { whyNotRead } from "./why-not-read.ts";

/** A file system in an image, open for changes. */
export interface EditablePlace extends AsyncDisposable {
  readonly fileSystem: EditableFileSystem;
}

/**
 * Opens the file system that a place names for changes, and its image for nobody else meanwhile. Throws `refused`
 * where something else uses the image.
 */
export async function openForEditing(place: Place, options: EditOptions): Promise<EditablePlace> {
  await using stack = new AsyncDisposableStack();
  const device = stack.use(await FileDevice.openExclusively(place.image));
  const disk = stack.use(await OpenDisk.open(place.image));
  const fileSystem = stack.use(await editPartition(disk, place, device, options));
  const open = stack.move();
  return { fileSystem, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Opens the file system that a place names so that changes to it stay in memory and are forgotten in the end. */
export async function openForRehearsal(place: Place, options: EditOptions): Promise<EditablePlace> {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(await OpenDisk.open(place.image));
  const device = stack.use(new OverlayDevice(disk.reader));
  const fileSystem = stack.use(await editPartition(disk, place, device, options));
  const open = stack.move();
  return { fileSystem, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function editPartition(
  disk: OpenDisk,
  place: Place,
  device: BlockDevice,
  options: EditOptions,
): Promise<EditableFileSystem> {
  const number = place.partition ?? (await defaultPartition(disk));
  const slice = disk.deviceOf(number, device);
  if ((await probe(slice)) !== undefined) return editFileSystem(slice, options);
  const where = number === undefined ? `"${place.image}"` : `partition ${number} of "${place.image}"`;
  throw new Failure("unsupported", `cannot change ${where}: ${await whyNotRead(slice)}`, {
    hint: "disk show tells what is there",
  });
}
