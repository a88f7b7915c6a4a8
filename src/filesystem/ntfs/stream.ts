import { damaged } from "../damaged.ts";
import { valueOf, type Attribute } from "./attributes.ts";
import type { NtfsGeometry } from "./geometry.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import { attributeFlags, outsideHeader } from "./records.ts";
import { decodeRuns, endOf, partsIn, type Run } from "./runs.ts";

/** What an attribute holds, in one piece. */
export interface Stream {
  readonly name: string;
  readonly dataBytes: number;
  /** How much was ever written; what follows reads as zeros. */
  readonly validBytes: number;
  readonly allocatedBytes: number;
  /** The bytes, where they stand in the record. */
  readonly value: Uint8Array | undefined;
  /** Where they are otherwise. */
  readonly runs: readonly Run[];
  /** So many clusters are compressed together; 0 where nothing is. */
  readonly unitClusters: number;
  readonly isEncrypted: boolean;
}

/** Compression units have 16 clusters; a file made anew on larger clusters can have less. */
const unitLog2Limit = 6;

/** Puts the pieces of an attribute together; undefined where there are none. Throws `damaged` where one is missing. */
export function streamOf(pieces: readonly Attribute[], geometry: NtfsGeometry, what: string): Stream | undefined {
  const [only] = pieces;
  if (only === undefined) return undefined;
  if (!only.isOutside) return residentStream(only);
  const ordered = pieces
    .map((piece) => ({ piece, ...firstAndRuns(piece, what) }))
    .toSorted((a, b) => a.firstCluster - b.firstCluster);
  const runs: Run[] = [];
  for (const { piece, firstCluster, runsOffset } of ordered) {
    if (firstCluster !== endOf(runs)) throw damaged(what, `it has no clusters from ${endOf(runs)} on`);
    decodeRuns(piece.bytes.subarray(runsOffset), runs, geometry.clusterCount, what);
  }
  const first = ordered[0]?.piece ?? only;
  const { dataBytes, validBytes, allocatedBytes, unitLog2 } = outsideHeader.decode(first.bytes);
  if (!Number.isSafeInteger(dataBytes)) throw damaged(what, "it has more bytes than can be counted");
  const isCompressed = (first.flags & attributeFlags.compressed) !== 0;
  if (isCompressed && (unitLog2 === 0 || unitLog2 > unitLog2Limit)) {
    throw damaged(what, `it is compressed in units of 2^${unitLog2} clusters`);
  }
  return {
    name: first.name,
    dataBytes,
    validBytes: Math.min(validBytes, dataBytes),
    allocatedBytes,
    value: undefined,
    runs,
    unitClusters: isCompressed ? 2 ** unitLog2 : 0,
    isEncrypted: (first.flags & attributeFlags.encrypted) !== 0,
  };
}

function residentStream(attribute: Attribute): Stream {
  const value = valueOf(attribute);
  const { length } = value;
  const sizes = { dataBytes: length, validBytes: length, allocatedBytes: 0 };
  return {
    name: attribute.name,
    ...sizes,
    value,
    runs: [],
    unitClusters: 0,
    isEncrypted: (attribute.flags & attributeFlags.encrypted) !== 0,
  };
}

function firstAndRuns({ bytes, isOutside }: Attribute, what: string): { firstCluster: number; runsOffset: number } {
  if (isOutside) return outsideHeader.decode(bytes);
  throw damaged(what, "an attribute is there twice");
}

/** Throws `damaged` where clusters end before byte `end`, as far as that was ever written. */
export function refuseShort(
  { runs, validBytes, value }: Stream,
  end: number,
  clusterBytes: number,
  what: string,
): void {
  const neededBytes = Math.min(end, validBytes);
  if (value !== undefined || endOf(runs) * clusterBytes >= neededBytes) return;
  throw damaged(what, `its clusters end at byte ${endOf(runs) * clusterBytes} of ${neededBytes}`);
}

/** Bytes of a stream that is not compressed, in a new buffer. Throws `damaged` where it ends before. */
export async function readStream(
  source: Pick<NtfsSource, "structures" | "reader" | "geometry">,
  stream: Stream,
  at: number,
  lengthBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (at + lengthBytes > stream.dataBytes) {
    throw damaged("a stream of NTFS", `it has ${stream.dataBytes} bytes, ${at + lengthBytes} are needed`);
  }
  const bytes = new Uint8Array(lengthBytes);
  if (stream.value !== undefined) {
    bytes.set(stream.value.subarray(at, at + lengthBytes));
    return bytes;
  }
  const { clusterBytes } = source.geometry;
  refuseShort(stream, at + lengthBytes, clusterBytes, "a stream of NTFS");
  const end = Math.min(at + lengthBytes, stream.validBytes);
  for (const part of partsIn(stream.runs, { from: at, end, clusterBytes })) {
    const into = bytes.subarray(part.at - at, part.at - at + part.lengthBytes);
    if (into.length <= smallBytes) into.set(await source.structures.bytes(part.deviceAt, part.lengthBytes));
    else await source.reader.read(part.deviceAt, into);
  }
  return bytes;
}

/** Less than this is read with its neighbours. */
const smallBytes = 32 * 1024;
