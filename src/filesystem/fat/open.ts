import { readBytes, type BlockReader } from "../../device/index.ts";
import { attribute } from "../dos-attributes.ts";
import type { FileSystemInfo } from "../file-system.ts";
import { formatVolumeNumber } from "../volume-number.ts";
import { decodeOem } from "./code-page.ts";
import { shortEntry, shortNameBytes, slotBytes, slotUse } from "./directory-entry.ts";
import { FatFileSystem } from "./fat-file-system.ts";
import { FatSource, readDirectory } from "./fat-source.ts";
import { layoutOf, type FatLayout } from "./layout.ts";
import { bootSectorBytes } from "./probe.ts";
import { countFree } from "./used-extents.ts";

/** Opens a FAT12, FAT16 or FAT32 file system for reading. Throws `damaged` where its boot sector or table is. */
export async function openFat(reader: BlockReader): Promise<FatFileSystem> {
  const source = new FatSource(reader, await readLayout(reader));
  const freeBytes = (await countFree(reader, source.layout)) * source.layout.clusterBytes;
  return new FatFileSystem(source, { ...(await readInfo(source)), freeBytes });
}

/** Where everything is in the FAT file system on a device. */
export async function readLayout(reader: BlockReader): Promise<FatLayout> {
  return layoutOf(await readBytes(reader, 0, bootSectorBytes));
}

/** What a file system says of itself, but for how much of it is free. */
export async function readInfo(source: FatSource): Promise<Omit<FileSystemInfo, "freeBytes">> {
  const { layout, reader } = source;
  const { bytes: root } = await readDirectory(source, layout.rootCluster, "the root directory");
  const { kind, sizeBytes, clusterBytes, labelBytes, volumeId, isDirty } = layout;
  const label = labelIn(root) ?? (labelBytes === undefined ? "" : decodeLabel(labelBytes));
  const notes: string[] = [];
  if (isDirty) notes.push("the file system was not closed by whoever wrote to it last");
  if (sizeBytes > reader.sizeBytes) {
    notes.push(`the file system takes ${sizeBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  return {
    kind,
    label: label === noLabel ? "" : label,
    uuid: volumeId === undefined ? undefined : formatVolumeNumber(volumeId),
    sizeBytes,
    blockSizeBytes: clusterBytes,
    features: [],
    notes,
    foldsCase: true,
  };
}

/** What stands for no label in boot sectors. */
const noLabel = "NO NAME";

/** The label that the root directory has, which stands above the one of the boot sector. */
function labelIn(root: Uint8Array): string | undefined {
  for (let at = 0; at + slotBytes <= root.length; at += slotBytes) {
    const use = slotUse(root, at);
    if (use === "end") return undefined;
    if (use !== "label") continue;
    const { name, attributes } = shortEntry.decode(root, at);
    if ((attributes & attribute.directory) === 0) return decodeLabel(shortNameBytes(name));
  }
  return undefined;
}

function decodeLabel(bytes: Uint8Array): string {
  return decodeOem(bytes).replace(/[\0 ]+$/, "");
}
