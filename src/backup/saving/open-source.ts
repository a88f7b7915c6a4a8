import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError } from "../../base/index.ts";
import {
  FileReader,
  identifyDevice,
  logicalVolumeOf,
  partitionOf,
  partitionsOf,
  RescuingReader,
  Unreadable,
  type BlockPartition,
  type BlockReader,
} from "../../device/index.ts";
import { openPartitionReader, readTable, type Partition, type PartitionTable } from "../../partition/index.ts";
import { partitionName, volumeName, type SavedDisk } from "../clonezilla/index.ts";
import { contentOf, type Content } from "../content.ts";
import { aboutVolume, isDamage } from "./check-volume.ts";
import { FrozenMounts } from "./freeze.ts";
import type { SaveOptions, SaveRequest, Volume } from "./request.ts";

/** What is to be saved, opened. */
export interface Source extends SavedDisk {
  readonly volumes: readonly Volume[];
  /** What of the disk turns out not to be readable, from its beginning on. */
  readonly unreadable: Unreadable;
}

/** Which bytes are meant by a source, before anything is known of what they are. */
interface OpenedSource {
  /** The whole disk, or the file. */
  readonly reader: BlockReader;
  readonly name: string;
  /** Only these partitions of it. */
  readonly numbers: readonly number[] | undefined;
  /** A partition, held against use by others; closed with the disk. */
  readonly openPartition: (partition: Partition) => Promise<BlockReader>;
}

/**
 * Opens what is to be saved, and looks at what each partition holds. Nothing of it can come into use meanwhile: the disk is
 * held, or of single partitions of a device these. Readers and file systems are closed with the stack.
 */
export async function openSource(
  request: SaveRequest,
  options: SaveOptions,
  stack: AsyncDisposableStack,
): Promise<Source> {
  const unreadable = new Unreadable();
  const rescue = rescuing(request, options, unreadable);
  const { reader, name, numbers, openPartition } = await openBytes(request, rescue, stack);
  const table = await readTable(reader);
  refuseTable(table, request.source);
  if (numbers !== undefined) refuseMissing(numbers, table, request.source);
  const look = async (volume: Omit<Volume, "content">): Promise<Volume> => {
    try {
      const content = await contentOf(volume.reader);
      if (content.saved === "image") stack.use(content.fileSystem);
      return { ...volume, content };
    } catch (error) {
      if (request.isUnchecked && isDamage(error)) return { ...volume, content: unknownContent };
      throw aboutVolume(error, volume.name);
    }
  };
  const volumes: Volume[] = [];
  if (table === undefined) volumes.push(await look({ name, sizeBytes: reader.sizeBytes, reader }));
  for (const partition of table?.partitions ?? []) {
    const { number, sizeBytes, extended } = partition;
    const volume = { name: partitionName(name, number), sizeBytes, partition, reader };
    const isSaved = !extended && (numbers?.includes(number) ?? true);
    if (!isSaved) volumes.push(volume);
    else volumes.push(await look({ ...volume, reader: await openPartition(partition) }));
  }
  return { name, reader, table, volumes, isWhole: numbers === undefined, unreadable };
}

const unknownContent: Content = { saved: "whole", type: "", label: "", uuid: undefined };

/** Puts zeros where a device cannot be read. */
type Rescue = (reader: FileReader, startBytes: number) => BlockReader;

function rescuing(
  { retries }: SaveRequest,
  { throughDevice, onFailedRead }: SaveOptions,
  unreadable: Unreadable,
): Rescue {
  return (reader, startBytes) => {
    const options = {
      unreadable,
      startBytes,
      retries,
      ...(onFailedRead === undefined ? {} : { onFailed: onFailedRead }),
    };
    if (throughDevice !== undefined) return new RescuingReader(throughDevice(reader, startBytes), options);
    return new RescuingReader(reader, { ...options, readSector: (at, into) => reader.readSector(at, into) });
  };
}

async function openBytes(request: SaveRequest, rescue: Rescue, stack: AsyncDisposableStack): Promise<OpenedSource> {
  const { source } = request;
  const own = partitionOf(source);
  if (own !== undefined && request.partitions !== undefined) {
    throw new Failure("usage", `cannot choose partitions of "${source}": it is a partition itself`, {
      hint: `name its disk, ${own.diskPath}`,
    });
  }
  const diskPath = own?.diskPath ?? source;
  const numbers = own === undefined ? request.partitions : [own.number];
  const nodes = partitionsOf(diskPath).filter(({ number }) => numbers?.includes(number));
  const name = request.disk ?? diskNameOf(diskPath);
  const open = await openerOf(request, { diskPath, nodes }, stack);
  if (nodes.length === 0) {
    const reader = rescue(stack.use(await open(diskPath)), 0);
    return { reader, name, numbers, openPartition: async (partition) => openPartitionReader(reader, partition) };
  }
  // Other partitions of the disk may well be in use.
  const reader = rescue(stack.use(await FileReader.open(diskPath)), 0);
  const openPartition = async (partition: Partition): Promise<BlockReader> => {
    const node = nodes.find(({ number }) => number === partition.number);
    if (node === undefined) throw unlikeTable(diskPath, partition);
    const opened = stack.use(await open(node.path));
    if (opened.sizeBytes !== partition.sizeBytes) throw unlikeTable(diskPath, partition);
    return rescue(opened, partition.startBytes);
  };
  return { reader, name, numbers, openPartition };
}

/** How what is saved is opened: held so that nobody can use it, or made to stand still while somebody does. */
async function openerOf(
  { isFrozen, into }: SaveRequest,
  { diskPath, nodes }: { readonly diskPath: string; readonly nodes: readonly BlockPartition[] },
  stack: AsyncDisposableStack,
): Promise<(path: string) => Promise<FileReader>> {
  if (isFrozen !== true) return openAtRest;
  const names = nodes.map((node) => path.basename(node.path));
  const { uses } = identifyDevice(diskPath, { action: "freeze" });
  stack.use(
    await FrozenMounts.freeze(
      uses.filter(({ device }) => names.length === 0 || names.includes(device)),
      into,
    ),
  );
  return async (devicePath) => {
    const reader = await FileReader.open(devicePath);
    reader.forgetCached(); // what was written by way of a mount is on the device, not in what is cached of that
    return reader;
  };
}

async function openAtRest(device: string): Promise<FileReader> {
  try {
    return await FileReader.openAtRest(device);
  } catch (error) {
    const isMounted = isSystemError(error instanceof Failure ? error.cause : undefined, "EBUSY");
    if (!(error instanceof Failure) || !isMounted) throw error;
    const another = logicalVolumeOf(device) === undefined ? "" : ", or save a snapshot of it: --snapshot";
    const hint = `${error.hint ?? ""}; or let it stand still meanwhile: --freeze${another}`;
    throw new Failure(error.code, error.message, { hint, cause: error });
  }
}

function unlikeTable(disk: string, { number }: Partition): Failure {
  return new Failure("refused", `cannot save partition ${number} of "${disk}": the kernel knows another table of it`, {
    hint: `"partx --update ${disk}" lets it look again`,
  });
}

/** What is wrong with a table would be wrong with what is restored. */
function refuseTable(table: PartitionTable | undefined, source: string): void {
  const error = table?.problems.find(({ severity }) => severity === "error");
  if (error === undefined) return;
  throw new Failure("damaged", `cannot save "${source}": ${error.message}`, {
    hint: `"holdfast disk check ${source}" says more; --repair-table makes a GPT whole again`,
  });
}

function refuseMissing(numbers: readonly number[], table: PartitionTable | undefined, source: string): void {
  if (table === undefined) {
    throw new Failure("not-found", `cannot save partitions of "${source}": it has no partition table`, {
      hint: "leave out --partition to save all of it",
    });
  }
  const there = table.partitions.filter(({ extended }) => !extended).map(({ number }) => number);
  const missing = numbers.find((number) => !there.includes(number));
  if (missing === undefined) return;
  throw new Failure("not-found", `cannot save partition ${missing} of "${source}": there is none`, {
    hint: there.length === 0 ? "its table is empty" : `it has ${there.join(", ")}`,
  });
}

function diskNameOf(source: string): string {
  const volume = logicalVolumeOf(source);
  if (volume !== undefined) return volumeName(volume);
  const isDevice = fs.statSync(source, { throwIfNoEntry: false })?.isBlockDevice() === true;
  return isDevice ? path.basename(fs.realpathSync(source)) : "sda";
}
