import { Failure } from "../../../base/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import type { EditableFileSystem, EditOptions } from "../../editable-file-system.ts";
import { FatSource } from "../fat-source.ts";
import { readInfo, readLayout } from "../open.ts";
import { FatEditor } from "./fat-editor.ts";
import { FatVolume } from "./fat-volume.ts";

/**
 * Opens a FAT12, FAT16 or FAT32 file system for changes. Throws `damaged`, before anything is written, where it is not
 * whole.
 */
export async function editFat(device: BlockDevice, options: EditOptions): Promise<EditableFileSystem> {
  const layout = await readLayout(device);
  if (layout.sizeBytes > device.sizeBytes) throw tooShort(layout.sizeBytes, device.sizeBytes);
  if (layout.isDirty) {
    options.onWarning?.("the file system was not closed by whoever wrote to it last: check it");
  }
  const info = await readInfo(new FatSource(device, layout));
  return new FatEditor(info, await FatVolume.open(device, layout), options);
}

function tooShort(sizeBytes: number, deviceBytes: number): Failure {
  const why = `it takes ${sizeBytes} bytes, its device ends at ${deviceBytes}`;
  return new Failure("damaged", `cannot change the file system: ${why}`);
}
