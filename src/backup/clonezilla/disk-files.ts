import { readBytes, type BlockReader } from "../../device/index.ts";
import type { PartitionTable } from "../../partition/index.ts";
import { deviceList, fileSystemList, identityList, swapText, type SavedVolume } from "./lists.ts";
import { partitionName } from "./names.ts";
import { geometryText, partedText } from "./parted-text.ts";
import { dumpText } from "./table-dump.ts";

/** A small file of a backup. */
export interface SmallFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The disk that is saved. */
export interface SavedDisk {
  /** As the kernel would call it: `sda`. */
  readonly name: string;
  readonly reader: BlockReader;
  /** Absent where a file system takes the whole disk. */
  readonly table: PartitionTable | undefined;
  /** With no content where nothing of it is saved. */
  readonly volumes: readonly SavedVolume[];
  /** False where only single partitions of it are saved. */
  readonly isWhole: boolean;
}

const sectorBytes = 512;
const gptFirstSectors = 34;
const gptLastSectors = 33;
/** Clonezilla keeps what is behind the MBR up to so much. */
export const hiddenLimitBytes = 1024 * 1024 * 1024;

/** Tables, boot code and lists: everything but the data of the partitions. */
export async function diskFiles(disk: SavedDisk): Promise<SmallFile[]> {
  const { name, reader, table, volumes } = disk;
  const { sizeBytes } = reader;
  const list = { disk: name, sizeBytes, diskId: table?.diskId, volumes };
  const swaps = volumes.filter(({ content }) => content?.saved === "swap");
  return [
    text("dev-fs.list", fileSystemList(list)),
    text("blkid.list", identityList(list)),
    text("blkdev.list", deviceList(list)),
    ...swaps.flatMap(({ name: swap, content }) => {
      return content === undefined ? [] : [text(`swappt-${swap}.info`, swapText(content))];
    }),
    text(
      "parts",
      `${volumes
        .filter(hasData)
        .map((volume) => volume.name)
        .join(" ")}\n`,
    ),
    ...(table === undefined || !disk.isWhole ? [] : [text("disk", `${name}\n`)]),
    ...(table === undefined ? [] : await tableFiles(disk, table)),
  ];
}

export function hasData({ content }: SavedVolume): boolean {
  return content !== undefined && content.saved !== "swap";
}

async function tableFiles({ name, reader, volumes }: SavedDisk, table: PartitionTable): Promise<SmallFile[]> {
  const partitions = volumes.flatMap(({ partition, content }) => {
    return partition === undefined ? [] : [{ partition, kind: kindOf(content) }];
  });
  const described = { disk: name, sizeBytes: reader.sizeBytes, table, partitions };
  const bytes = async (file: string, at: number, lengthBytes: number): Promise<SmallFile> => {
    return { name: file, bytes: await readBytes(reader, at, lengthBytes) };
  };
  const files = [
    text(`${name}-pt.sf`, dumpText(table, name)),
    text(`${name}-pt.parted`, partedText(described, false)),
    text(`${name}-pt.parted.compact`, partedText(described, true)),
    text(`${name}-chs.sf`, geometryText(reader.sizeBytes)),
    await bytes(`${name}-mbr`, 0, sectorBytes),
  ];
  for (const { number, startBytes, extended } of table.partitions) {
    if (extended) files.push(await bytes(`${partitionName(name, number)}-ebr`, startBytes, sectorBytes));
  }
  if (table.kind === "gpt") return [...files, ...(await gptFiles(name, reader, table))];
  const firstBytes = Math.min(reader.sizeBytes, ...table.partitions.map(({ startBytes }) => startBytes));
  const hiddenBytes = firstBytes - sectorBytes;
  if (table.partitions.length > 0 && hiddenBytes > 0 && hiddenBytes <= hiddenLimitBytes) {
    files.push(await bytes(`${name}-hidden-data-after-mbr`, sectorBytes, hiddenBytes));
  }
  return files;
}

async function gptFiles(name: string, reader: BlockReader, { gpt }: PartitionTable): Promise<SmallFile[]> {
  const lastAt = Math.floor(reader.sizeBytes / sectorBytes) * sectorBytes;
  const first = await readBytes(reader, 0, gptFirstSectors * sectorBytes);
  const last = await readBytes(reader, lastAt - gptLastSectors * sectorBytes, gptLastSectors * sectorBytes);
  const files = [
    { name: `${name}-gpt-1st`, bytes: first },
    { name: `${name}-gpt-2nd`, bytes: last },
  ];
  if (gpt?.entryCount !== 128) return files; // sgdisk's file has room for no other number
  const entries = first.subarray(2 * sectorBytes);
  const secondHeader = last.subarray(-sectorBytes);
  return [
    ...files,
    { name: `${name}-gpt.gdisk`, bytes: Buffer.concat([first.subarray(0, 1024), secondHeader, entries]) },
  ];
}

export function text(name: string, content: string): SmallFile {
  return { name, bytes: Buffer.from(content) };
}

function kindOf(content: SavedVolume["content"]): string {
  if (content?.saved !== "image") return content?.type ?? "";
  return content.type === "vfat" ? content.imageName.toLowerCase() : content.type;
}
