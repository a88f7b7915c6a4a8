import { Failure } from "../../../base/index.ts";
import type { BlockDevice } from "../../../device/index.ts";
import type { EditableFileSystem, EditOptions } from "../../editable-file-system.ts";
import { ExfatSource, readRoot } from "../exfat-source.ts";
import { claimedClusters } from "../check.ts";
import { readLayout, type ExfatLayout } from "../layout.ts";
import { infoOf } from "../open.ts";
import { volumeFlags } from "../records.ts";
import { readVolumeEntries } from "../volume-entries.ts";
import { ExfatEditor } from "./exfat-editor.ts";
import { ExfatVolume } from "./exfat-volume.ts";

/** Opens an exFAT file system for changes. Throws, before anything is written, where it is not whole. */
export async function editExfat(device: BlockDevice, options: EditOptions): Promise<EditableFileSystem> {
  const layout = await readLayout(device);
  refuseLayout(layout, device.sizeBytes);
  const source = new ExfatSource(device, layout);
  const root = await readRoot(source);
  const entries = await readVolumeEntries(source, root.bytes);
  const [problem] = entries.problems;
  if (problem !== undefined) throw cannotChange("damaged", problem);
  if (entries.whyReadOnly !== undefined) throw cannotChange("unsupported", entries.whyReadOnly);
  const isDirty = (layout.flags & volumeFlags.dirty) !== 0;
  if (isDirty) options.onWarning?.("the file system was not closed by whoever wrote to it last: check it");
  // Then the bitmap may say of a file's clusters that they are free.
  const claimed = isDirty ? await claimedClusters(source, entries, root) : undefined;
  const info = infoOf(layout, entries, device.sizeBytes);
  return new ExfatEditor(info, new ExfatVolume(device, layout, entries, claimed), options);
}

function refuseLayout({ problem, fatCount, sizeBytes }: ExfatLayout, deviceBytes: number): void {
  if (problem?.severity === "error") throw cannotChange("damaged", problem.message);
  if (fatCount > 1) throw cannotChange("unsupported", "it is TexFAT, which is only read");
  if (sizeBytes > deviceBytes) {
    throw cannotChange("damaged", `it takes ${sizeBytes} bytes, its device ends at ${deviceBytes}`);
  }
}

function cannotChange(code: "damaged" | "unsupported", why: string): Failure {
  return new Failure(code, `cannot change the file system: ${why}`);
}
