import { Failure } from "../base/index.ts";
import { FileReader, SliceDevice, SliceReader, type BlockDevice, type BlockReader } from "../device/index.ts";
import { openFileSystem, probe, recognise, type FileSystem } from "../filesystem/index.ts";
import {
  gptTypeGuid,
  mbrTypeCode,
  openPartitionDevice,
  openPartitionReader,
  readTable,
  type Partition,
  type PartitionTable,
} from "../partition/index.ts";
import { isHybridDisc } from "./hybrid-disc.ts";
import type { Place } from "./place.ts";
import { whyNotRead } from "./why-not-read.ts";

/** Opens what a place calls its image: a file, unless it stands for something else. */
export type ImageOpener = (name: string) => Promise<BlockReader>;

/** What places are looked for in. */
export interface PlaceOptions {
  readonly openImage?: ImageOpener;
}

/** A disk image, or a device, opened for reading. */
export class OpenDisk implements AsyncDisposable {
  readonly path: string;
  readonly reader: BlockReader;
  /** Absent where the image has no partition table. */
  readonly table: PartitionTable | undefined;

  private constructor(path: string, reader: BlockReader, table: PartitionTable | undefined) {
    this.path = path;
    this.reader = reader;
    this.table = table;
  }

  static async open(path: string, openImage: ImageOpener = (name) => FileReader.open(name)): Promise<OpenDisk> {
    await using stack = new AsyncDisposableStack();
    const reader = stack.use(await openImage(path));
    const disk = new OpenDisk(path, reader, await readTable(reader));
    stack.move();
    return disk;
  }

  /** The partitions that can hold a file system. */
  get partitions(): readonly Partition[] {
    return this.table?.partitions.filter(({ extended }) => !extended) ?? [];
  }

  /** Whether one file system takes the whole image: there is no table, or beside it a disc that boots from a stick too. */
  async isWhole(): Promise<boolean> {
    return this.table === undefined || isHybridDisc(this.reader, this.table);
  }

  /** The bytes of a partition; those of the whole image for `undefined`. */
  readerOf(number: number | undefined): BlockReader {
    if (number === undefined) return new SliceReader(this.reader, 0, this.reader.sizeBytes);
    return openPartitionReader(this.reader, this.#partition(number));
  }

  /** The same bytes of a device that stands for the image, to be read and written. */
  deviceOf(number: number | undefined, device: BlockDevice): BlockDevice {
    if (number === undefined) return new SliceDevice(device, 0, device.sizeBytes);
    return openPartitionDevice(device, this.#partition(number));
  }

  #partition(number: number): Partition {
    const partition = this.table?.partitions.find((one) => one.number === number);
    if (partition !== undefined) return partition;
    const numbers = this.partitions.map((one) => one.number).join(", ");
    throw new Failure("not-found", `cannot find partition ${number} in "${this.path}"`, {
      hint: numbers === "" ? "it has none" : `it has ${numbers}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
  }
}

/** A file system in an image, with the path that was asked for. */
export interface OpenPlace extends AsyncDisposable {
  readonly path: string;
  readonly fileSystem: FileSystem;
  /** What the file system is on. */
  readonly reader: BlockReader;
}

/** Opens the file system that a place names. Throws `not-found` where there is none, or several without a root. */
export async function openPlace(place: Place, { openImage }: PlaceOptions = {}): Promise<OpenPlace> {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(await OpenDisk.open(place.image, openImage));
  const number = place.partition ?? (await defaultPartition(disk));
  const reader = disk.readerOf(number);
  if ((await probe(reader)) === undefined) {
    const where = number === undefined ? `"${place.image}"` : `partition ${number} of "${place.image}"`;
    throw new Failure("unsupported", `cannot look into ${where}: ${await whyNotRead(reader)}`, {
      hint: "disk show tells what is there",
    });
  }
  const fileSystem = stack.use(await openFileSystem(reader));
  const open = stack.move();
  return { path: place.path ?? "/", fileSystem, reader, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/**
 * The number of the partition with the only file system, or else with the only root, or else the only one that is not
 * for firmware; undefined for all of the image.
 */
export async function defaultPartition(disk: OpenDisk): Promise<number | undefined> {
  if (await disk.isWhole()) return undefined;
  const candidates: number[] = [];
  for (const { number } of disk.partitions) if (await isKnown(disk, number)) candidates.push(number);
  if (candidates.length === 1) return candidates[0];
  const roots: number[] = [];
  for (const number of candidates) if (await looksLikeRoot(disk.readerOf(number))) roots.push(number);
  if (roots.length === 1) return roots[0];
  const besidesFirmware = candidates.filter((number) => !isEfi(disk, number));
  if (besidesFirmware.length === 1) return besidesFirmware[0];
  if (candidates.length === 0) {
    const others = await recognisedIn(disk);
    const known = others === "" ? "no partition has a known one" : `no partition has one that is read (${others})`;
    throw new Failure("not-found", `cannot find a file system in "${disk.path}": ${known}`, {
      hint: "disk show tells what is there",
    });
  }
  throw new Failure("not-found", `cannot choose a file system in "${disk.path}": several could be meant`, {
    hint: `name one: ${candidates.map((number) => `${disk.path}:${number}/`).join(" or ")}`,
  });
}

/** Whether a partition is there for firmware, and seldom for whoever looks into a disk. */
function isEfi({ table, partitions }: OpenDisk, number: number): boolean {
  const type = table?.kind === "gpt" ? gptTypeGuid("efi") : mbrTypeCode("efi");
  return partitions.some((partition) => partition.number === number && partition.typeCode === type);
}

/** What the partitions hold of which this program knows no more than the name. */
async function recognisedIn(disk: OpenDisk): Promise<string> {
  const told: string[] = [];
  for (const { number } of disk.partitions) {
    const kind = await recognisedKind(disk, number);
    if (kind !== undefined) told.push(`${number} is ${kind}`);
  }
  return told.join(", ");
}

async function recognisedKind(disk: OpenDisk, number: number): Promise<string | undefined> {
  try {
    return (await recognise(disk.readerOf(number)))?.kind;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

async function isKnown(disk: OpenDisk, number: number): Promise<boolean> {
  try {
    return (await probe(disk.readerOf(number))) !== undefined;
  } catch (error) {
    if (error instanceof Failure) return false; // a partition past the end, or torn: another may do
    throw error;
  }
}

async function looksLikeRoot(reader: BlockReader): Promise<boolean> {
  try {
    await using fileSystem = await openFileSystem(reader);
    for (const name of ["etc", "usr"]) {
      if ((await fileSystem.find(fileSystem.rootId, name)) === undefined) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}
