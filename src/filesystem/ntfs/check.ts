import { Failure } from "../../base/index.ts";
import { readBytes } from "../../device/index.ts";
import type { Problem } from "../file-system.ts";
import { checkIndexes } from "./check-indexes.ts";
import { checkRecords, type FoundRecords } from "./check-records.ts";
import { ClusterClaims } from "./cluster-claims.ts";
import { isSigned } from "./geometry.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import type { NtfsVolume } from "./ntfs-volume.ts";
import { error, warning } from "./problems.ts";
import { bootSector, fixupHeader } from "./records.ts";
import { bitmapPieces, placeOfSecond } from "./used-extents.ts";

/**
 * Everything that is wrong with an NTFS volume: its boot sectors, the mirror of its first records, every record with
 * the clusters of all it has, $Bitmap against these, and every directory.
 */
export async function* checkNtfs(volume: NtfsVolume): AsyncGenerator<Problem> {
  const { source, problems } = volume;
  yield* problems;
  yield* checkSecondBoot(volume);
  yield* checkMirror(source);
  const claims = new ClusterClaims(source.geometry.clusterCount);
  const records = yield* checkRecords(source, claims);
  yield* attempted(() => checkBitmap(source, claims, records));
  yield* checkIndexes(volume, records);
}

/** Tells a failure as a problem. */
async function* attempted(work: () => AsyncGenerator<Problem>): AsyncGenerator<Problem> {
  try {
    yield* work();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    yield error(failure.message);
  }
}

/** From where to where a boot sector has what Windows needs. */
const comparedFrom = 11;
const comparedEnd = 84;

async function* checkSecondBoot({ source, geometry }: NtfsVolume): AsyncGenerator<Problem> {
  if (geometry.problem !== undefined) return; // the second one is all there is
  const place = placeOfSecond(geometry, source.reader.sizeBytes);
  if (place === undefined) {
    yield warning("there is no room for the second boot sector behind the volume");
    return;
  }
  const first = await readBytes(source.reader, 0, bootSector.sizeBytes);
  const second = await readBytes(source.reader, place.startBytes, bootSector.sizeBytes);
  if (!isSigned(second)) yield warning("the second boot sector is not there");
  else if (!first.subarray(comparedFrom, comparedEnd).every((byte, n) => byte === second[comparedFrom + n])) {
    yield warning("the second boot sector differs from the first");
  }
}

/** So many records have a copy. */
const mirroredRecords = 4;

/** The copies of the first records. That of the table itself matters most: without either nothing is found. */
async function* checkMirror(source: NtfsSource): AsyncGenerator<Problem> {
  const { mftCluster, mirrorCluster } = source.geometry;
  for (let number = 0; number < mirroredRecords; number++) {
    try {
      const copy = await source.firstRecord(number, mirrorCluster);
      const record = await source.firstRecord(number, mftCluster);
      if (isSameRecord(record.bytes, copy.bytes)) continue;
      yield warning(`the copy of record ${number} in $MFTMirr differs from it`);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      yield warning(`record ${number} or its copy in $MFTMirr is damaged: ${failure.message}`);
    }
  }
}

/** The numbers that tell whether a record was written as a whole may differ. */
function isSameRecord(record: Uint8Array, copy: Uint8Array): boolean {
  const { fixupOffset, fixupCount } = fixupHeader.decode(record);
  return record.every((byte, n) => {
    return byte === copy[n] || (n >= fixupOffset && n < fixupOffset + fixupCount * 2);
  });
}

/** $Bitmap against the clusters of all files. */
async function* checkBitmap(
  source: NtfsSource,
  claims: ClusterClaims,
  { isTorn }: FoundRecords,
): AsyncGenerator<Problem> {
  let lost = 0;
  let firstFree: number | undefined;
  let freeCount = 0;
  for await (const { first, bits } of bitmapPieces(source)) {
    const claimed = claims.claimed.bytes.subarray(first / 8, first / 8 + bits.bytes.length);
    for (let at = 0; at < claimed.length; at++) {
      if (claimed[at] === bits.bytes[at]) continue;
      for (let bit = at * 8; bit < Math.min(at * 8 + 8, bits.length); bit++) {
        const isClaimed = ((claimed[at] ?? 0) & (1 << (bit & 7))) !== 0;
        if (isClaimed === bits.has(bit)) continue;
        if (!isClaimed) lost++;
        else if (++freeCount === 1) firstFree = first + bit;
      }
    }
  }
  if (freeCount > 0) {
    const others = freeCount === 1 ? "" : `, and so are ${freeCount - 1} more`;
    yield error(`cluster ${firstFree} belongs to a file, the bitmap says that it is free${others}`);
  }
  // What belongs to records that cannot be read looks lost.
  if (lost > 0 && !isTorn) yield warning(`${lost} clusters are in use that belong to no file`);
}
