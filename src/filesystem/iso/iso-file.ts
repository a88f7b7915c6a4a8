import { Failure } from "../../base/index.ts";
import type { EntryKind } from "../../tree/index.ts";
import type { FileStat } from "../file-system.ts";
import type { FilePart } from "../part-reader.ts";
import { damaged } from "../damaged.ts";
import type { DirectoryRecord } from "./directory-record.ts";
import { readRecord, sectionRecords } from "./directory-reader.ts";
import { decodeShortDate } from "./iso-date.ts";
import type { IsoSource } from "./iso-source.ts";
import { decodeRockRidge, type RockRidge } from "./rock-ridge.ts";
import { decodeSparse, sparseParts } from "./sparse.ts";
import { storedLength } from "./stored-bytes.ts";
import { entryArea, readSystemUse } from "./system-use.ts";

/** A file as its record, or its records, tell of it. */
export interface IsoFile {
  readonly record: DirectoryRecord;
  readonly rockRidge: RockRidge;
  readonly kind: EntryKind;
}

const noRockRidge: RockRidge = { times: {}, isRelocated: false };

/** Bits of `st_mode`. */
const kindMask = 0o170000;
const kindOfMode: Readonly<Record<number, EntryKind>> = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "symlink",
  0o020000: "character",
  0o060000: "block",
  0o010000: "fifo",
  0o140000: "socket",
};
/** Without Rock Ridge everybody may read and run all, as with Linux. */
const plainMode = 0o555;

/** What Rock Ridge says of a record; nothing, where the tree that is read has none. */
export async function rockRidgeOf(source: IsoSource, record: DirectoryRecord): Promise<RockRidge> {
  const { tree, systemUseSkip } = source.volume;
  if (tree !== "rock ridge") return noRockRidge;
  const what = `the directory record at byte ${record.at}`;
  const { entries } = await readSystemUse(source, entryArea(record.systemUse, systemUseSkip), what);
  return decodeRockRidge(entries, what);
}

/** The file of an id. */
export async function readFile(source: IsoSource, id: number): Promise<IsoFile> {
  const record = await readRecord(source, source.hardLinks.recordAt(id));
  const rockRidge = await rockRidgeOf(source, record);
  return { record, rockRidge, kind: kindOf(record, rockRidge) };
}

function kindOf(record: DirectoryRecord, { mode }: RockRidge): EntryKind {
  const plain = record.isDirectory ? "directory" : "file";
  if (mode === undefined || (mode & kindMask) === 0) return plain;
  const kind = kindOfMode[mode & kindMask];
  if (kind === undefined || (kind === "directory") !== record.isDirectory) {
    const said = `0${(mode & kindMask).toString(8)}`;
    throw damaged(`the directory record at byte ${record.at}`, `it is of a ${plain}, and its mode ${said}`);
  }
  return kind;
}

/** What `stat` tells of a file. */
export async function statOf(source: IsoSource, id: number): Promise<FileStat> {
  const file = await readFile(source, id);
  const { record, rockRidge, kind } = file;
  const { mode = plainMode, uid = 0, gid = 0, links = 1, device, times, linkTarget = "" } = rockRidge;
  const storedBytes = kind === "file" ? await storedSize(source, file) : kind === "directory" ? record.dataBytes : 0;
  return {
    id,
    kind,
    mode: mode & 0o7777,
    uid,
    gid,
    sizeBytes: kind === "symlink" ? Buffer.byteLength(linkTarget) : (unpackedSize(file) ?? storedBytes),
    allocatedBytes: Math.ceil(storedBytes / source.blockSizeBytes) * source.blockSizeBytes,
    links,
    modified: times.modified ?? decodeShortDate(record.recorded),
    ...times,
    ...(device === undefined || (kind !== "character" && kind !== "block") ? {} : { device }),
  };
}

/** The size of a file that is stored in another form than it reads. */
function unpackedSize(file: IsoFile): number | undefined {
  const { packed, sparse } = file.rockRidge;
  return sparse === undefined || file.kind !== "file"
    ? packed?.sizeBytes
    : decodeSparse(sparse, nameOf(file)).sizeBytes;
}

async function storedSize(source: IsoSource, file: IsoFile): Promise<number> {
  return file.record.hasMoreExtents ? storedLength(await storedPartsOf(source, file)) : file.record.dataBytes;
}

/** Where a file's data stands, as it is stored. Throws `unsupported` where it is interleaved with other files'. */
export async function storedPartsOf(source: IsoSource, { record }: IsoFile): Promise<FilePart[]> {
  const parts: FilePart[] = [];
  let at = 0;
  for (const section of await sectionRecords(source, record)) {
    if (section.isInterleaved) {
      throw new Failure("unsupported", `cannot read the file at byte ${record.at}: it is interleaved with others`);
    }
    const lengthBytes = section.dataBytes;
    if (lengthBytes > 0) parts.push({ at, deviceAt: section.dataBlock * source.blockSizeBytes, lengthBytes });
    at += lengthBytes;
  }
  return parts;
}

/** Where the data of a file that is not packed stands; what is between is a hole. */
export async function* partsOf(source: IsoSource, file: IsoFile): AsyncGenerator<FilePart> {
  const stored = await storedPartsOf(source, file);
  const { sparse } = file.rockRidge;
  if (sparse === undefined) {
    yield* stored;
    return;
  }
  const what = nameOf(file);
  yield* sparseParts(source, stored, { form: decodeSparse(sparse, what), what });
}

/** The file, as failures call it. */
export function nameOf({ record }: IsoFile): string {
  return `the file at byte ${record.at}`;
}
