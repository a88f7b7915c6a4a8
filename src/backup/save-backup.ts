import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { FileReader, SliceReader, type BlockReader } from "../device/index.ts";
import { openPartitionReader, readTable, type PartitionTable } from "../partition/index.ts";
import {
  dataName,
  diskFiles,
  hasData,
  partitionName,
  text,
  type SavedDisk,
  type SavedVolume,
} from "./clonezilla/index.ts";
import { contentOf, type Content } from "./content.ts";
import { NewFolder } from "./new-folder.ts";
import { packingOf, VolumeWriter, writeParts, type PackedAs, type Part } from "./packed/index.ts";
import { fillPart, partLimitBytes, partsOf, planImage } from "./partclone/index.ts";

export interface SaveRequest {
  /** A disk image or a device. */
  readonly source: string;
  /** The folder in which the backup's own folder is made. */
  readonly into: string;
  /** Of the backup's folder; by the time and the disk unless told. */
  readonly name?: string;
  /** What the disk is called in the backup: by its device, or `sda` of a file. */
  readonly disk?: string;
  readonly packedAs: PackedAs;
  readonly level?: number;
  readonly volumeBytes: number;
  /** Save file systems without looking for damage first. */
  readonly isUnchecked: boolean;
  readonly nowMs: number;
  /** The command as it was typed, for the backup's own notes. */
  readonly command: string;
}

export interface SavedPart {
  /** `sda1` */
  readonly name: string;
  /** As blkid calls it; empty where nothing is known. */
  readonly type: string;
  readonly saved: Content["saved"];
  /** What of the disk was read for it. */
  readonly usedBytes: number;
  /** What it takes in the backup. */
  readonly packedBytes: number;
}

export interface SavedBackup {
  readonly path: string;
  readonly disk: string;
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly parts: readonly SavedPart[];
  /** What a user should know although all went well. */
  readonly warnings: readonly string[];
}

/**
 * Saves a disk as a folder in Clonezilla's format, which appears under its name once all of it is there. Throws
 * `damaged` where a file system is; nothing is left behind then.
 */
export async function saveBackup(request: SaveRequest, job: JobOptions = {}): Promise<SavedBackup> {
  await using stack = new AsyncDisposableStack();
  const reader = stack.use(await FileReader.openAtRest(request.source));
  const warnings: string[] = [];
  const disk = await lookAt(request, reader, stack);
  for (const { name, content } of disk.volumes) {
    if (content?.saved === "whole" && content.warning !== undefined) warnings.push(`${name}: ${content.warning}`);
  }
  if (!request.isUnchecked) for (const volume of disk.volumes) warnings.push(...(await checkVolume(volume, job)));
  const folder = stack.use(NewFolder.create(path.join(request.into, request.name ?? backupName(request, disk.name))));
  const saving = new Saving(request, disk, folder, job);
  const parts: SavedPart[] = [];
  for (const volume of disk.volumes) parts.push(...(await saving.save(volume)));
  for (const file of await diskFiles(disk)) folder.add(file);
  for (const file of notesOf(request, disk, parts)) folder.add(file);
  await folder.commit();
  const packedBytes = folder.sizeBytes;
  return { path: folder.path, disk: disk.name, sizeBytes: reader.sizeBytes, packedBytes, parts, warnings };
}

/** `2026-11-30-1205-sda`, in local time. */
function backupName({ nowMs }: SaveRequest, disk: string): string {
  const at = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}-${disk}`;
}

async function lookAt(request: SaveRequest, reader: BlockReader, stack: AsyncDisposableStack): Promise<SavedDisk> {
  const table = await readTable(reader);
  refuseTable(table, request.source);
  const name = request.disk ?? diskNameOf(request.source);
  const volumes: SavedVolume[] = [];
  const look = async (volume: string, part: BlockReader): Promise<Content> => {
    try {
      const content = await contentOf(part);
      if (content.saved === "image") stack.use(content.fileSystem);
      return content;
    } catch (error) {
      throw aboutVolume(error, volume);
    }
  };
  if (table === undefined) volumes.push({ name, sizeBytes: reader.sizeBytes, content: await look(name, reader) });
  for (const partition of table?.partitions ?? []) {
    const volume = { name: partitionName(name, partition.number), sizeBytes: partition.sizeBytes, partition };
    if (partition.extended) volumes.push(volume);
    else volumes.push({ ...volume, content: await look(volume.name, openPartitionReader(reader, partition)) });
  }
  return { name, reader, table, volumes };
}

/** What is wrong with a table would be wrong with what is restored. */
function refuseTable(table: PartitionTable | undefined, source: string): void {
  const error = table?.problems.find(({ severity }) => severity === "error");
  if (error === undefined) return;
  throw new Failure("damaged", `cannot save "${source}": ${error.message}`, {
    hint: `"holdfast disk check ${source}" says more; --repair-table makes a GPT whole again`,
  });
}

function diskNameOf(source: string): string {
  const stat = fs.statSync(source);
  return stat.isBlockDevice() ? path.basename(fs.realpathSync(source)) : "sda";
}

/** Throws for damage; gives what leaves the data whole. */
async function checkVolume({ name, content }: SavedVolume, job: JobOptions): Promise<string[]> {
  if (content?.saved !== "image") return [];
  const warnings: string[] = [];
  for await (const { severity, message } of content.fileSystem.check()) {
    stopIfAborted(job.signal);
    if (severity === "warning") {
      warnings.push(`${name}: ${message}`);
      continue;
    }
    throw new Failure("damaged", `cannot save ${name}: ${printableName(message)}`, {
      hint: "repair it first (e2fsck, fsck.fat), or add --unchecked to save it as it is",
    });
  }
  return warnings;
}

function aboutVolume(error: unknown, volume: string): unknown {
  if (!(error instanceof Failure) || error.message.includes(volume)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new Failure(error.code, `cannot save ${volume}: ${error.message}`, { ...hint, cause: error });
}

/** How much of the disk a part of plain bytes has. */
const wholePartBytes = 4 * 1024 * 1024;

interface PlannedParts {
  readonly kind: string;
  readonly usedBytes: number;
  readonly parts: Iterable<Part>;
}

/** Saves one partition after the other into a folder. */
class Saving {
  readonly #request: SaveRequest;
  readonly #disk: SavedDisk;
  readonly #folder: NewFolder;
  readonly #job: JobOptions;
  #doneBytes = 0;
  readonly #totalBytes: number;

  constructor(request: SaveRequest, disk: SavedDisk, folder: NewFolder, job: JobOptions) {
    this.#request = request;
    this.#disk = disk;
    this.#folder = folder;
    this.#job = job;
    this.#totalBytes = disk.volumes.reduce((sum, volume) => sum + expectedBytes(volume), 0);
  }

  async save(volume: SavedVolume): Promise<SavedPart[]> {
    const { name, content } = volume;
    if (content === undefined) return [];
    const { type, saved } = content;
    if (!hasData(volume)) return [{ name, type, saved, usedBytes: 0, packedBytes: 0 }];
    const before = this.#doneBytes;
    try {
      const { kind, usedBytes, parts } = await this.#plan(volume, content);
      const packedBytes = await this.#write(name, kind, parts);
      this.#doneBytes = before + expectedBytes(volume);
      return [{ name, type, saved, usedBytes, packedBytes }];
    } catch (error) {
      throw aboutVolume(error, name);
    }
  }

  async #write(name: string, kind: string, parts: Iterable<Part>): Promise<number> {
    const packing = packingOf(this.#request.packedAs, this.#request.level);
    const nameOf = (suffix: string): string => dataName({ part: name, kind, packed: packing.name, suffix });
    const { onProgress, signal } = this.#job;
    await using volumes = new VolumeWriter({
      volumeBytes: this.#request.volumeBytes,
      nameOf,
      pathOf: (suffix) => this.#folder.pathOf(nameOf(suffix)),
    });
    await writeParts(volumes, parts, {
      packing,
      partLimitBytes: Math.max(partLimitBytes, wholePartBytes),
      ...(signal === undefined ? {} : { signal }),
      onWritten: (sourceBytes) => {
        this.#doneBytes += sourceBytes;
        const doneBytes = Math.min(this.#doneBytes, this.#totalBytes);
        onProgress?.({ phase: `saving ${name}`, doneBytes, totalBytes: this.#totalBytes });
      },
    });
    const written = await volumes.finish();
    for (const file of written) this.#folder.addWritten(file);
    return written.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async #plan({ partition, sizeBytes }: SavedVolume, content: Content): Promise<PlannedParts> {
    const { reader } = this.#disk;
    const slice = new SliceReader(reader, partition?.startBytes ?? 0, sizeBytes);
    if (content.saved !== "image") return { kind: "dd", usedBytes: sizeBytes, parts: wholeParts(slice) };
    const { imageName, blockBytes, fileSystem, tag } = content;
    const usedExtents = fileSystem.usedExtents();
    const plan = await planImage({ fileSystem: imageName, blockBytes, sizeBytes: content.sizeBytes, usedExtents });
    const { usedBytes, head } = plan;
    function* parts(): Generator<Part, void, void> {
      yield* headParts(head);
      for (const part of partsOf(plan)) {
        const { lengthBytes, dataBytes } = part;
        yield { lengthBytes, sourceBytes: dataBytes, fill: (into) => fillPart(slice, part, into) };
      }
    }
    return { kind: tag, usedBytes, parts: parts() };
  }
}

function expectedBytes({ content, sizeBytes }: SavedVolume): number {
  if (content === undefined || content.saved === "swap") return 0;
  if (content.saved === "whole") return sizeBytes;
  const { info } = content.fileSystem;
  return info.sizeBytes - info.freeBytes;
}

function* headParts(head: Uint8Array): Generator<Part, void, void> {
  for (let at = 0; at < head.length; at += wholePartBytes) {
    const bytes = head.subarray(at, at + wholePartBytes);
    yield { lengthBytes: bytes.length, sourceBytes: 0, fill: async (into) => into.set(bytes) };
  }
}

function* wholeParts(reader: BlockReader): Generator<Part, void, void> {
  for (let at = 0; at < reader.sizeBytes; at += wholePartBytes) {
    const lengthBytes = Math.min(wholePartBytes, reader.sizeBytes - at);
    yield { lengthBytes, sourceBytes: lengthBytes, fill: (into) => reader.read(at, into) };
  }
}

/** What people read: how the backup was made, and by what. */
function notesOf({ command, nowMs, source }: SaveRequest, disk: SavedDisk, parts: readonly SavedPart[]) {
  const at = new Date(nowMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}${two(at.getDate())}`;
  const time = `${day}-${two(at.getHours())}${two(at.getMinutes())}`;
  const rows = parts.map(({ name, type, saved, usedBytes, packedBytes }) => {
    return `${name}: ${type === "" ? "unknown" : type}, ${saved}, ${usedBytes} bytes read, ${packedBytes} written`;
  });
  const log = [
    "",
    `This image was saved by Holdfast, in Clonezilla's format, at ${at.toISOString()}.`,
    "The log during saving:",
    "----------------------------------------------------------",
    `${source}: ${disk.name}, ${disk.reader.sizeBytes} bytes`,
    ...rows,
    "----------------------------------------------------------",
    `### Image created time: ${time}`,
    "",
  ].join("\n");
  const packedBytes = parts.reduce((sum, part) => sum + part.packedBytes, 0);
  return [
    text("Info-saved-by-cmd.txt", `${command}\n`),
    text("Info-img-size.txt", `Image size (Bytes):\n${packedBytes}\n`),
    text("clonezilla-img", log),
  ];
}
