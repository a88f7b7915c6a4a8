import type { DataPiece, FileStretch } from "../../tree/index.ts";
import { Failure } from "../../base/index.ts";
import { damaged } from "../damaged.ts";
import type { FilePlace } from "../file-system.ts";
import type { DataReader } from "./data-reader.ts";
import { itemTypes } from "./key.ts";
import { fileExtent, fileExtentPlace, fileExtentTypes } from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import { itemsOf, type Tree } from "./tree.ts";
import { isPacked, packedLimitBytes, unpack } from "./unpack.ts";

/** How much of a file is read at once. */
const pieceLimitBytes = 1024 * 1024;

/** A file, and what to call it in failures. */
export interface FileToRead {
  readonly tree: Tree;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly what: string;
}

/** Data of a file that is there, up to its end. */
type Part = InlinePart | PlacedPart;

interface InlinePart extends FileStretch {
  readonly kind: "inline";
  readonly compression: number;
  readonly memoryBytes: number;
  readonly stored: Uint8Array;
}

interface PlacedPart extends FileStretch {
  readonly kind: "placed";
  readonly compression: number;
  readonly memoryBytes: number;
  readonly logical: number;
  readonly storedBytes: number;
  /** Where in the extent, unpacked, the part begins. */
  readonly offsetBytes: number;
}

/** The data of a file, in pieces. */
export async function* readFile(source: BtrfsSource, data: DataReader, file: FileToRead): AsyncGenerator<DataPiece> {
  for await (const part of partsOf(source, file)) {
    if (part.kind === "inline") yield { at: part.at, bytes: inlineBytes(source, part, file.what) };
    else if (isPacked(part.compression)) yield await unpackedPiece(source, data, part, file.what);
    else yield* plainPieces(source, data, part, file.what);
  }
}

/** Where a file has data, adjacent stretches as one. */
export async function stretchesOf(source: BtrfsSource, file: FileToRead): Promise<FileStretch[]> {
  const stretches: { at: number; lengthBytes: number }[] = [];
  for await (const { at, lengthBytes } of partsOf(source, file)) {
    const before = stretches.at(-1);
    if (before !== undefined && before.at + before.lengthBytes === at) before.lengthBytes += lengthBytes;
    else stretches.push({ at, lengthBytes });
  }
  return stretches;
}

/** Where the data stands on the device; undefined where it does not stand there as it reads. */
export async function placesOf(source: BtrfsSource, file: FileToRead): Promise<FilePlace[] | undefined> {
  const places: FilePlace[] = [];
  for await (const part of partsOf(source, file)) {
    if (part.kind === "inline" || isPacked(part.compression)) return undefined;
    const { at, lengthBytes, logical, offsetBytes } = part;
    const [deviceAt] = source.copiesOf(logical + offsetBytes, lengthBytes);
    if (deviceAt === undefined) return undefined;
    places.push({ at, lengthBytes, deviceAt });
  }
  return places;
}

async function* partsOf(source: BtrfsSource, { tree, inode, sizeBytes, what }: FileToRead): AsyncGenerator<Part> {
  let end = 0;
  for await (const { leaf, start, end: endN } of itemsOf(source, tree, inode, itemTypes.extentData)) {
    for (let n = start; n < endN; n++) {
      const at = leaf.offset(n);
      if (at < 0 || at >= sizeBytes) return;
      if (at < end) throw damaged(what, `its data at ${at} is there twice`);
      const part = partIn(leaf.data(n), { at, sizeBytes, what });
      if (part === undefined) continue;
      end = part.at + part.lengthBytes;
      yield part;
    }
  }
}

/** The data that an item stands for; none for a hole, and for room that was only set aside. */
function partIn(
  item: Uint8Array,
  { at, sizeBytes, what }: { readonly at: number; readonly sizeBytes: number; readonly what: string },
): Part | undefined {
  if (item.length < fileExtent.sizeBytes) throw damaged(what, "an item of its data is cut off");
  const { memoryBytes, compression, encryption, encoding, type } = fileExtent.decode(item);
  if (encryption !== 0 || encoding !== 0) throw new Failure("unsupported", `cannot read ${what}: it is encrypted`);
  if (type === fileExtentTypes.inline) {
    const stored = item.subarray(fileExtent.sizeBytes);
    const lengthBytes = Math.min(isPacked(compression) ? memoryBytes : stored.length, sizeBytes - at);
    return { kind: "inline", at, lengthBytes, compression, memoryBytes, stored };
  }
  if (item.length < fileExtentPlace.sizeBytes || type > fileExtentTypes.preallocated) {
    throw damaged(what, `an item of its data makes no sense, of the type ${type}`);
  }
  const { logical, storedBytes, offsetBytes, lengthBytes } = fileExtentPlace.decode(item);
  if (logical === 0 || type === fileExtentTypes.preallocated) return undefined;
  const wholeBytes = isPacked(compression) ? memoryBytes : storedBytes;
  if (lengthBytes === 0 || !(offsetBytes + lengthBytes <= wholeBytes)) {
    throw damaged(what, `${lengthBytes} bytes of its data at ${at} are not in their extent`);
  }
  if (isPacked(compression) && (storedBytes > packedLimitBytes || memoryBytes > packedLimitBytes)) {
    throw damaged(what, `${storedBytes} packed bytes of its data at ${at} cannot stand for ${memoryBytes}`);
  }
  const clipped = Math.min(lengthBytes, sizeBytes - at);
  return { kind: "placed", at, lengthBytes: clipped, compression, memoryBytes, logical, storedBytes, offsetBytes };
}

function inlineBytes({ sectorBytes }: BtrfsSource, part: InlinePart, what: string): Uint8Array {
  const { compression, memoryBytes, stored, lengthBytes } = part;
  if (!isPacked(compression)) return stored.subarray(0, lengthBytes);
  return about(what, () => unpack(compression, stored, memoryBytes, sectorBytes)).subarray(0, lengthBytes);
}

async function unpackedPiece(
  { sectorBytes }: BtrfsSource,
  data: DataReader,
  { at, lengthBytes, compression, memoryBytes, logical, storedBytes, offsetBytes }: PlacedPart,
  what: string,
): Promise<DataPiece> {
  const packed = new Uint8Array(storedBytes);
  await data.read(logical, packed, what);
  const whole = about(what, () => unpack(compression, packed, memoryBytes, sectorBytes));
  return { at, bytes: whole.subarray(offsetBytes, offsetBytes + lengthBytes) };
}

async function* plainPieces(
  { sectorBytes }: BtrfsSource,
  data: DataReader,
  { at, lengthBytes, logical, offsetBytes }: PlacedPart,
  what: string,
): AsyncGenerator<DataPiece> {
  const buffer = new Uint8Array(Math.min(pieceLimitBytes, Math.ceil(lengthBytes / sectorBytes) * sectorBytes));
  for (let done = 0; done < lengthBytes; done += pieceLimitBytes) {
    const pieceBytes = Math.min(pieceLimitBytes, lengthBytes - done);
    const sectors = buffer.subarray(0, Math.ceil(pieceBytes / sectorBytes) * sectorBytes);
    await data.read(logical + offsetBytes + done, sectors, what);
    yield { at: at + done, bytes: sectors.subarray(0, pieceBytes) };
  }
}

/** Failures of unpacking, told of the file. */
function about<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, `cannot read ${what}: ${error.message}`, { cause: error });
  }
}
