import { Failure } from "../base/index.ts";
import { ChunkCursor } from "../tree/index.ts";
import { partimageKind, type BackupFolder, type BackupPart } from "./clonezilla/index.ts";
import { openUnpacked, type PackedData } from "./packed/index.ts";
import { isNtfsclone, readNtfscloneBlocks, readNtfscloneHead } from "./ntfsclone/index.ts";
import { physicalPieces, swapHead, type PhysicalContent } from "./physical-content.ts";
import { readBlocks, readImageHead, type ImageDescription, type Piece } from "./partclone/index.ts";

/** The data of one partition, to be read once from its beginning to its end. */
export interface PartStream extends AsyncDisposable {
  /** Absent where the plain bytes are there. */
  readonly head?: StreamHead;
  /** A batch belongs to the stream again once the next one is asked for. */
  readonly batches: AsyncIterable<readonly Piece[]>;
}

/** What an image says of the file system in it. */
export interface StreamHead {
  readonly description: Pick<ImageDescription, "fileSystem" | "deviceBytes" | "blockBytes" | "blockCount">;
}

/** Plain bytes, without any header. */
export const plainKind = "dd";

/** Data, or the volumes of LVM that make a partition. */
export interface PartData extends PackedData {
  readonly physical?: PhysicalContent<VolumeData>;
}

type VolumeData =
  | { readonly kind: string; readonly data: PartData }
  | { readonly swap: { readonly uuid: string | undefined; readonly label: string } };

export function packedDataOf(folder: BackupFolder, part: BackupPart, env: NodeJS.ProcessEnv): PartData {
  const { physical } = part;
  const data = volumesOf(folder, part, env);
  if (physical === undefined) return data;
  const volumes = physical.volumes.map(({ content, ...volume }) => {
    if ("swap" in content) return { ...volume, content };
    return { ...volume, content: { kind: content.kind, data: volumesOf(folder, content, env) } };
  });
  return { ...data, physical: { ...physical, volumes } };
}

function volumesOf(folder: BackupFolder, part: BackupPart, env: NodeJS.ProcessEnv): PackedData {
  const [name = part.name] = part.fileNames;
  const volumes = part.fileNames.map((fileName) => ({ path: fileName, sizeBytes: folder.files.get(fileName) ?? 0 }));
  return { store: folder.store, volumes, packed: part.packed, name, env };
}

/** Opens the data of a partition. `onRead` hears how many of its packed bytes were taken. */
export async function openPart(data: PartData, kind: string, onRead: (bytes: number) => void): Promise<PartStream> {
  if (data.physical !== undefined) return openPhysical(data.physical, onRead);
  if (kind === partimageKind) throw ofPartimage(data.name);
  await using stack = new AsyncDisposableStack();
  const unpacked = stack.use(await openUnpacked(data, onRead));
  if (kind === plainKind) {
    const open = stack.move();
    return { batches: plainPieces(unpacked.chunks), [Symbol.asyncDispose]: () => open.disposeAsync() };
  }
  const cursor = new ChunkCursor(unpacked.chunks);
  stack.defer(() => cursor.close());
  const { head, batches } = await naming(data.name, () => openImage(cursor));
  const open = stack.move();
  return { head, batches: named(data.name, batches), [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const lvmBlockBytes = 512;

function openPhysical(physical: PhysicalContent<VolumeData>, onRead: (bytes: number) => void): PartStream {
  const { sizeBytes } = physical;
  const blockCount = Math.ceil(sizeBytes / lvmBlockBytes);
  const batches = physicalPieces(physical, async ({ content, sizeBytes: volumeBytes }) => {
    return "swap" in content
      ? swapStream(volumeBytes, content.swap)
      : await openPart(content.data, content.kind, onRead);
  });
  return {
    head: { description: { fileSystem: "LVM", deviceBytes: sizeBytes, blockBytes: lvmBlockBytes, blockCount } },
    batches,
    async [Symbol.asyncDispose]() {
      await batches.return();
    },
  };
}

function swapStream(volumeBytes: number, swap: Parameters<typeof swapHead>[1]): PartStream {
  const batches = async function* (): AsyncGenerator<readonly Piece[]> {
    yield [{ at: 0, bytes: await swapHead(volumeBytes, swap) }];
  };
  return { batches: batches(), [Symbol.asyncDispose]: async () => undefined };
}

function ofPartimage(name: string): Failure {
  return new Failure("unsupported", `cannot read "${name}": it is an image of partimage, which is not read`, {
    hint: "partimage restores it; it is on SystemRescue's disc",
  });
}

async function openImage(cursor: ChunkCursor): Promise<Required<Pick<PartStream, "head" | "batches">>> {
  if (await isNtfsclone(cursor)) {
    const head = await readNtfscloneHead(cursor);
    return { head, batches: readNtfscloneBlocks(cursor, head) };
  }
  const head = await readImageHead(cursor);
  return { head, batches: readBlocks(cursor, head) };
}

async function* plainPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Piece[], void, void> {
  let at = 0;
  for await (const bytes of chunks) {
    yield [{ at, bytes }];
    at += bytes.length;
  }
}

async function* named<T>(name: string, items: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* items;
  } catch (error) {
    throw aboutFile(name, error);
  }
}

async function naming<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw aboutFile(name, error);
  }
}

/** Says which file is meant where a failure does not. */
function aboutFile(name: string, error: unknown): unknown {
  if (!(error instanceof Failure) || error.message.startsWith("cannot ") || error.code === "interrupted") return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new Failure(error.code, `cannot read "${name}": ${error.message}`, { ...hint, cause: error });
}
