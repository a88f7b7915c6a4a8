import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { OverlayDevice, SliceDevice, SliceReader, type BlockReader } from "../device/index.ts";
import { leftOutOfNtfs, makeSwap } from "../filesystem/index.ts";
import { ChunkCursor } from "../tree/index.ts";
import { BackupUse } from "./backup-use.ts";
import { ContentCache, openCached, type ContentCacheOptions } from "./cache/index.ts";
import { chooseDisk } from "./choose-disk.ts";
import {
  partitionName,
  partOf,
  readFolder,
  type BackupDisk,
  type BackupFolder,
  type BackupPart,
} from "./clonezilla/index.ts";
import { isNtfsclone } from "./ntfsclone/index.ts";
import { openPart, packedDataOf, plainKind } from "./open-part.ts";
import { contentKey, openAnywhere } from "./packed/index.ts";
import { ntfsImage, PartcloneReader, readImageHead } from "./partclone/index.ts";
import { PhysicalReader, swapReader } from "./physical-content.ts";
import { openStore, readChunks, type StoreAccess } from "./store/index.ts";
import { writeDiskTable } from "./write-disk-table.ts";

export interface OpenBackupOptions extends StoreAccess, JobOptions {
  /** Of several disks in one backup. */
  readonly disk?: string;
  /** Where data is unpacked that cannot be read anywhere; without it, such data is not read. */
  readonly cache?: ContentCacheOptions;
  /** Hears that data was unpacked and how much room that takes, or that it could not be. It is waited for. */
  readonly onUnpacked?: (name: string, takenBytes: number | undefined) => Promise<void>;
}

/**
 * A backup as the disk that it was made of, to be read anywhere without restoring it. Partitions whose data is packed so
 * that all of it has to be unpacked are unpacked into the cache when they are first read; without one that fails as
 * `unsupported`.
 */
export async function openBackup(path: string, options: OpenBackupOptions): Promise<BlockReader> {
  await using stack = new AsyncDisposableStack();
  const folder = await readFolder(stack.use(await openStore(path, options)));
  stack.use(new BackupUse(path));
  const [part] = folder.parts;
  if (folder.disks.length === 0 && folder.parts.length === 1 && part !== undefined) {
    const reader = stack.use(await openPartAnywhere(folder, part, options));
    return new OwningReader(reader, stack.move());
  }
  // Of single partitions what is there can be looked into at its place.
  const disks = folder.disks.length > 0 ? folder.disks : folder.tables;
  const disk = chooseDisk({ ...folder, disks }, options.disk);
  if (options.cache === undefined) await refuseUnreadable(folder, options.env);
  const parts = stack.use(new BackupParts(folder, disk, options));
  const overlay = new OverlayDevice(parts);
  await writeDiskTable(overlay, folder, disk);
  await writeSwaps(overlay, folder, disk);
  return new OwningReader(overlay, stack.move());
}

/** Of swap nothing was saved but how it is to be made anew; a system that starts looks for it. */
async function writeSwaps(overlay: OverlayDevice, { swaps }: BackupFolder, { name, dump }: BackupDisk): Promise<void> {
  for (const { number, startLba, sectorCount } of dump.partitions) {
    const swap = swaps.find((one) => one.name === partitionName(name, number));
    if (swap === undefined) continue;
    const device = new SliceDevice(overlay, startLba * 512, sectorCount * 512);
    await makeSwap(device, { uuid: swap.uuid ?? crypto.randomUUID(), label: swap.label });
  }
}

/** Where no data at all can be read anywhere, that is said at once. */
async function refuseUnreadable(folder: BackupFolder, env: NodeJS.ProcessEnv): Promise<void> {
  const [first] = folder.parts;
  for (const part of folder.parts) if (await isReadAnywhere(folder, part, env)) return;
  if (first !== undefined) throw notAnywhere(folder, first);
}

/** Whether data can be read anywhere as it is, without unpacking all of it first. */
export async function isReadAnywhere(folder: BackupFolder, part: BackupPart, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    await using reader = await openPartAnywhere(folder, part, { env });
    return reader.sizeBytes >= 0;
  } catch (error) {
    if (error instanceof Failure && error.code === "unsupported") return false;
    throw error;
  }
}

function notAnywhere(folder: BackupFolder, part: BackupPart): Failure {
  return new Failure(
    "unsupported",
    `cannot look into ${part.name}: it is compressed so that no part can be read alone`,
    { hint: `restore it first: holdfast backup restore "${folder.path}" FILE --partition ${part.name}` },
  );
}

/** The partitions in their places, each opened when it is first read; zeros between them. */
class BackupParts implements BlockReader {
  readonly sizeBytes: number;
  readonly #folder: BackupFolder;
  readonly #disk: BackupDisk;
  readonly #options: OpenBackupOptions;
  readonly #open = new Map<number, Promise<BlockReader>>();

  constructor(folder: BackupFolder, disk: BackupDisk, options: OpenBackupOptions) {
    this.sizeBytes = disk.sizeBytes;
    this.#folder = folder;
    this.#disk = disk;
    this.#options = options;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    into.fill(0);
    const end = at + into.length;
    for (const { number, startLba, sectorCount } of this.#disk.dump.partitions) {
      const start = startLba * 512;
      const from = Math.max(at, start);
      const until = Math.min(end, start + sectorCount * 512);
      const part = from < until ? partOf(this.#folder, this.#disk, number) : undefined;
      if (part === undefined) continue;
      const reader = await this.#reader(number, part);
      // A file system may be smaller than its partition.
      const count = Math.min(until - start, reader.sizeBytes) - (from - start);
      if (count > 0) await reader.read(from - start, into.subarray(from - at, from - at + count));
    }
  }

  #reader(number: number, part: BackupPart): Promise<BlockReader> {
    const opened = this.#open.get(number) ?? openPartAnywhere(this.#folder, part, this.#options);
    opened.catch(() => undefined); // whoever reads hears of it
    this.#open.set(number, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of await Promise.allSettled(this.#open.values())) {
      if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
    }
  }
}

/** Of most images more than the head would be read for nothing. */
const headChunkBytes = 1024 * 1024;

/** The content of a partition, to be read anywhere. Throws `unsupported` where its data is not packed for that. */
export async function openPartAnywhere(
  folder: BackupFolder,
  part: BackupPart,
  options: OpenBackupOptions,
): Promise<BlockReader> {
  if (part.physical !== undefined) {
    return new PhysicalReader(part.physical, ({ content, sizeBytes }) => {
      return "swap" in content ? swapReader(sizeBytes, content.swap) : openPartAnywhere(folder, content, options);
    });
  }
  await using stack = new AsyncDisposableStack();
  const image = await openAnywhere(packedDataOf(folder, part, options.env));
  if (image === undefined) return await openUnpackedOnce(folder, part, options);
  stack.use(image);
  if (part.kind === plainKind) {
    stack.move();
    return image;
  }
  const cursor = new ChunkCursor(readChunks(image, headChunkBytes));
  stack.defer(() => cursor.close());
  if (await isNtfsclone(cursor)) return await openUnpackedOnce(folder, part, options);
  const head = await readImageHead(cursor);
  await cursor.close();
  stack.move();
  return await withLeftOut(new PartcloneReader(image, head), head.description.fileSystem);
}

/** An image of NTFS with its second boot sector, as it is restored. */
async function withLeftOut(image: BlockReader, fileSystem: string): Promise<BlockReader> {
  const leftOut = fileSystem === ntfsImage ? await leftOutOfNtfs(image) : undefined;
  if (leftOut === undefined) return image;
  const overlay = new OverlayDevice(image);
  await overlay.write(leftOut.at, leftOut.bytes);
  return new OwningReader(overlay, image);
}

async function openUnpackedOnce(
  folder: BackupFolder,
  part: BackupPart,
  { env, cache, signal, onProgress, onUnpacked }: OpenBackupOptions,
): Promise<BlockReader> {
  if (cache === undefined) throw notAnywhere(folder, part);
  const data = packedDataOf(folder, part, env);
  const { name, packedBytes: totalBytes } = part;
  let doneBytes = 0;
  const onRead = (bytes: number): void => {
    doneBytes = Math.min(totalBytes, doneBytes + bytes);
    stopIfAborted(signal);
    onProgress?.({ phase: `unpacking ${name}`, doneBytes, totalBytes });
  };
  const content = await openCached(new ContentCache(cache), {
    key: await contentKey(data),
    name,
    packedBytes: totalBytes,
    async open() {
      const stream = await openPart(data, part.kind, onRead);
      const leastBytes = stream.head?.description.deviceBytes ?? 0;
      return { leastBytes, batches: stream.batches, [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose]() };
    },
    onMade: async (takenBytes) => onUnpacked?.(name, takenBytes),
  });
  return await withLeftOut(content, part.kind === "ntfs" ? ntfsImage : "");
}

/** A reader with another that is closed with it. */
class OwningReader extends SliceReader {
  readonly #owned: AsyncDisposable;

  constructor(reader: BlockReader, owned: AsyncDisposable) {
    super(reader, 0, reader.sizeBytes);
    this.#owned = owned;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
