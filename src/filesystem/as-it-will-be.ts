import { OverlayDevice, type BlockDevice, type BlockReader } from "../device/index.ts";
import type { FileSystem } from "./file-system.ts";

/** A file system as it will be once changes are made, on a copy in memory of what changes. */
export interface ChangedCopy extends AsyncDisposable {
  readonly fileSystem: FileSystem;
}

/** Opens such a copy: `apply` writes the changes to it. It borrows the device. */
export async function openAsItWillBe(
  device: BlockReader,
  apply: (copy: BlockDevice) => Promise<void>,
  open: (copy: BlockReader) => Promise<FileSystem>,
): Promise<ChangedCopy> {
  await using stack = new AsyncDisposableStack();
  const overlay = stack.use(new OverlayDevice(device));
  await apply(overlay);
  const fileSystem = stack.use(await open(overlay));
  const kept = stack.move();
  return { fileSystem, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
