import type { BlockReader } from "../../device/index.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { formatVolumeNumber } from "../volume-number.ts";
import { ExfatFileSystem } from "./exfat-file-system.ts";
import { ExfatSource, readRoot } from "./exfat-source.ts";
import { readLayout, type ExfatLayout } from "./layout.ts";
import { volumeFlags } from "./records.ts";
import { readVolumeEntries, type VolumeEntries } from "./volume-entries.ts";

/** Opens an exFAT file system for reading. Throws `damaged` where its boot regions, root directory or bitmap are. */
export async function openExfat(reader: BlockReader): Promise<ExfatFileSystem> {
  const source = new ExfatSource(reader, await readLayout(reader));
  const volume = await readVolumeEntries(source, (await readRoot(source)).bytes);
  const { used } = volume.bitmap;
  const freeBytes = (used.length - used.countSet()) * source.layout.clusterBytes;
  return new ExfatFileSystem(source, volume, { ...infoOf(source.layout, volume, reader.sizeBytes), freeBytes });
}

/** What a file system says of itself, but for how much of it is free. */
export function infoOf(
  layout: ExfatLayout,
  volume: VolumeEntries,
  deviceBytes: number,
): Omit<FileSystemInfo, "freeBytes"> {
  const { sizeBytes, clusterBytes, serial, flags, fatCount, problem } = layout;
  const notes: string[] = [];
  if (problem !== undefined) notes.push(problem.message);
  if ((flags & volumeFlags.dirty) !== 0) notes.push("dirty: it was not unmounted cleanly");
  if ((flags & volumeFlags.mediaFailure) !== 0) notes.push("its medium has failed before");
  if (sizeBytes > deviceBytes)
    notes.push(`the file system takes ${sizeBytes} bytes, its device ends at ${deviceBytes}`);
  return {
    kind: "exfat",
    label: volume.label,
    uuid: formatVolumeNumber(serial),
    sizeBytes,
    blockSizeBytes: clusterBytes,
    features: fatCount === 2 ? ["texfat"] : [],
    notes: [...notes, ...volume.problems],
    foldsCase: true,
  };
}
