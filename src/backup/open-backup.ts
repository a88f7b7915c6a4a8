import { Failure } from "../base/index.ts";
import { OverlayDevice, SliceReader, type BlockReader } from "../device/index.ts";
import { ChunkCursor } from "../tree/index.ts";
import { BackupUse } from "./backup-use.ts";
import { partOf, readFolder, type BackupDisk, type BackupFolder, type BackupPart } from "./clonezilla/index.ts";
import { packedDataOf, plainKind } from "./open-part.ts";
import { openAnywhere } from "./packed/index.ts";
import { PartcloneReader, readImageHead } from "./partclone/index.ts";
import { chooseDisk } from "./restore-backup.ts";
import { openStore, readChunks, type StoreAccess } from "./store/index.ts";
import { writeDiskTable } from "./write-disk-table.ts";

export interface OpenBackupOptions extends StoreAccess {
  /** Of several disks in one backup. */
  readonly disk?: string;
}

/**
 * A backup as the disk that it was made of, to be read anywhere without restoring it. Partitions whose data is packed so
 * that all of it would have to be unpacked fail as `unsupported` when they are read.
 */
export async function openBackup(path: string, options: OpenBackupOptions): Promise<BlockReader> {
  await using stack = new AsyncDisposableStack();
  const folder = await readFolder(stack.use(await openStore(path, options)));
  stack.use(new BackupUse(path));
  const [part] = folder.parts;
  if (folder.disks.length === 0 && folder.parts.length === 1 && part !== undefined) {
    const reader = stack.use(await openPartAnywhere(folder, part, options.env));
    return new OwningReader(reader, stack.move());
  }
  const disk = chooseDisk(folder, options.disk);
  await refuseUnreadable(folder, options.env);
  const parts = stack.use(new BackupParts(folder, disk, options.env));
  const overlay = new OverlayDevice(parts);
  await writeDiskTable(overlay, folder, disk);
  return new OwningReader(overlay, stack.move());
}

/** Where no data at all can be read anywhere, that is said at once. */
async function refuseUnreadable(folder: BackupFolder, env: NodeJS.ProcessEnv): Promise<void> {
  const [first] = folder.parts;
  for (const part of folder.parts) {
    const reader = await openAnywhere(packedDataOf(folder, part, env));
    await reader?.[Symbol.asyncDispose]();
    if (reader !== undefined) return;
  }
  if (first !== undefined) throw notAnywhere(folder, first);
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
  readonly #env: NodeJS.ProcessEnv;
  readonly #open = new Map<number, Promise<BlockReader>>();

  constructor(folder: BackupFolder, disk: BackupDisk, env: NodeJS.ProcessEnv) {
    this.sizeBytes = disk.sizeBytes;
    this.#folder = folder;
    this.#disk = disk;
    this.#env = env;
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
    const opened = this.#open.get(number) ?? openPartAnywhere(this.#folder, part, this.#env);
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

async function openPartAnywhere(folder: BackupFolder, part: BackupPart, env: NodeJS.ProcessEnv): Promise<BlockReader> {
  await using stack = new AsyncDisposableStack();
  const image = await openAnywhere(packedDataOf(folder, part, env));
  if (image === undefined) throw notAnywhere(folder, part);
  stack.use(image);
  if (part.kind === plainKind) {
    stack.move();
    return image;
  }
  const cursor = new ChunkCursor(readChunks(image, headChunkBytes));
  const head = await readImageHead(cursor);
  await cursor.close();
  stack.move();
  return new PartcloneReader(image, head);
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
