import type { DataPiece } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import type { NtfsFile, NtfsSource } from "./ntfs-source.ts";
import { unpackLzx, unpackXpress } from "./packed/index.ts";
import { attributeTypes } from "./records.ts";
import { reparseTags, type Reparse } from "./reparse.ts";
import { readStream, type Stream } from "./stream.ts";

/** Data that Windows has compressed once and for all ("Compact OS"), in a stream of its own. */
export interface WofData {
  readonly packed: Stream;
  readonly dataBytes: number;
  readonly chunkBytes: number;
  readonly unpack: Algorithm["unpack"];
}

/** How chunks of a length are unpacked. */
interface Algorithm {
  readonly chunkBytes: number;
  readonly unpack: (packed: Uint8Array, into: Uint8Array, what: string) => void;
}

export const wofStream = "WofCompressedData";
const fileProvider = 2;
/** By the number in the reparse point (wofapi.h). */
const algorithms: Readonly<Record<number, Algorithm>> = {
  0: { chunkBytes: 4096, unpack: unpackXpress },
  1: { chunkBytes: 32_768, unpack: unpackLzx },
  2: { chunkBytes: 8192, unpack: unpackXpress },
  3: { chunkBytes: 16_384, unpack: unpackXpress },
};
/** How much is read together. */
const groupBytes = 64 * 1024;
const largeBytes = 2 ** 32;

/** Where the data is of a file that was compressed so; undefined where it was not, or in a way that is not known. */
export function wofDataOf(
  source: NtfsSource,
  file: NtfsFile,
  reparse: Reparse,
  dataBytes: number,
): WofData | undefined {
  const { tag, data } = reparse;
  if (tag !== reparseTags.compressedBySystem || data.length < 16) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const algorithm = view.getUint32(4, true) === fileProvider ? algorithms[view.getUint32(12, true)] : undefined;
  const packed = source.stream(file, attributeTypes.data, wofStream);
  if (algorithm === undefined || packed === undefined || packed.unitClusters > 0 || packed.isEncrypted)
    return undefined;
  return { packed, dataBytes, ...algorithm };
}

/** The data, unpacked. Throws `damaged`. */
export async function* readWof(source: NtfsSource, wof: WofData, what: string): AsyncGenerator<DataPiece> {
  const { packed, dataBytes, chunkBytes, unpack } = wof;
  const chunkCount = Math.ceil(dataBytes / chunkBytes);
  const perGroup = groupBytes / chunkBytes;
  for (let first = 0; first < chunkCount; first += perGroup) {
    const count = Math.min(perGroup, chunkCount - first);
    const ends = await chunkEnds(source, wof, first, count);
    const [start = 0] = ends;
    const at = first * chunkBytes;
    const bytes = new Uint8Array(Math.min(groupBytes, dataBytes - at));
    const end = ends[count] ?? 0;
    if (end < start || end > packed.dataBytes || end - start > bytes.length) throw damaged(what, whyPlaces);
    const group = await readStream(source, packed, start, end - start);
    for (let n = 0; n < count; n++) {
      const [from = 0, to = 0] = [ends[n], ends[n + 1]];
      if (to < from || to > end) throw damaged(what, whyPlaces);
      const into = bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes);
      const chunk = group.subarray(from - start, to - start);
      if (chunk.length === into.length) into.set(chunk);
      else unpack(chunk, into, what);
    }
    yield { at, bytes };
  }
}

const whyPlaces = "the places of its compressed chunks make no sense";

/** Where a chunk begins in the stream, and where it and those that follow end. A table in front has all but the first. */
async function chunkEnds(
  source: NtfsSource,
  { packed, dataBytes, chunkBytes }: WofData,
  first: number,
  count: number,
): Promise<number[]> {
  const chunkCount = Math.ceil(dataBytes / chunkBytes);
  const entryBytes = dataBytes > largeBytes ? 8 : 4;
  const tableBytes = (chunkCount - 1) * entryBytes;
  const [from, to] = [Math.max(0, first - 1), Math.min(chunkCount - 1, first + count)];
  const table = await readStream(source, packed, from * entryBytes, (to - from) * entryBytes);
  const view = new DataView(table.buffer);
  const ends = first === 0 ? [tableBytes] : [];
  for (let at = 0; at < table.length; at += entryBytes) {
    const offset = entryBytes === 8 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
    ends.push(tableBytes + offset);
  }
  if (first + count === chunkCount) ends.push(packed.dataBytes);
  return ends;
}
