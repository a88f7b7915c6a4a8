import { putBackEnds, type NtfsFileRecord } from "./ntfs-file-record.ts";
import {
  attributeTypes,
  ntfsFileName,
  ntfsIndexBlock,
  ntfsIndexEntry,
  ntfsIndexRoot,
  ntfsIndexSignature,
  ntfsRecord,
  recordNumbers,
} from "./ntfs-records.ts";
import type { NtfsVolume } from "./ntfs-volume.ts";
import { damaged, paddedText16 } from "./recognised.ts";

/** Where Windows keeps its memory while it sleeps; what the file begins with while that counts. */
const sleepFile = "hiberfil.sys";
const sleepMarks = new Set(["hibr", "HIBR"]);

/** A root directory with more blocks than this is not looked through. */
const blockLimit = 4096;
/** One is in use; blocks that are free again can have some more. */
const fileLimit = 16;
const entriesAt = 16; // of $INDEX_ROOT
const blockEntriesAt = 24;
const lastEntryFlag = 2;
const inUseFlag = 1;

/** Whether Windows went to sleep with this volume open, so that nothing else may change it. Throws `damaged`. */
export async function isWindowsAsleep(volume: NtfsVolume): Promise<boolean> {
  const root = await volume.firstRecord(recordNumbers.root, volume.geometry.mftCluster);
  let count = 0;
  for await (const { number, sequence } of filesNamed(volume, root, sleepFile)) {
    if (++count > fileLimit) break;
    const record = await volume.record(number);
    const { flags, sequence: found } = ntfsRecord.decode(record.bytes);
    if ((flags & inUseFlag) === 0 || found !== sequence) continue; // of a block that is no longer in use
    const runs = await volume.runsOf(record, attributeTypes.data);
    if (runs.length === 0) continue;
    const mark = Buffer.from(await volume.readRuns(runs, 0, 4)).toString("latin1");
    if (sleepMarks.has(mark)) return true;
  }
  return false;
}

interface FileReference {
  readonly number: number;
  readonly sequence: number;
}

/** The files of a name in a directory, whatever the case of its letters. */
async function* filesNamed(volume: NtfsVolume, directory: NtfsFileRecord, name: string): AsyncGenerator<FileReference> {
  const root = volume.residentValue(directory, attributeTypes.indexRoot);
  if (root === undefined || root.length < ntfsIndexRoot.sizeBytes)
    throw damaged("the root directory of NTFS", "it has no index");
  const { blockBytes, entriesOffset, entriesBytes } = ntfsIndexRoot.decode(root);
  yield* entriesIn(root.subarray(entriesAt), { entriesOffset, entriesBytes, name });
  const runs = await volume.runsOf(directory, attributeTypes.indexAllocation);
  const allBytes = runs.reduce((sum, { count }) => sum + count * volume.geometry.clusterBytes, 0);
  if (blockBytes < 512 || blockBytes > 65_536)
    throw damaged("the root directory of NTFS", `its blocks have ${blockBytes} bytes`);
  const blockCount = Math.min(blockLimit, Math.floor(allBytes / blockBytes));
  for (let n = 0; n < blockCount; n++) {
    const block = await volume.readRuns(runs, n * blockBytes, blockBytes);
    const header = ntfsIndexBlock.decode(block);
    if (header.signature !== ntfsIndexSignature) continue; // never in use
    putBackEnds(block, "the root directory of NTFS");
    yield* entriesIn(block.subarray(blockEntriesAt), { ...header, name });
  }
}

interface EntryPlace {
  readonly entriesOffset: number;
  readonly entriesBytes: number;
  readonly name: string;
}

function* entriesIn(node: Uint8Array, { entriesOffset, entriesBytes, name }: EntryPlace): Generator<FileReference> {
  const end = Math.min(entriesBytes, node.length);
  for (let at = entriesOffset; at + ntfsIndexEntry.sizeBytes <= end;) {
    const entry = ntfsIndexEntry.decode(node, at);
    if ((entry.flags & lastEntryFlag) !== 0) return;
    if (entry.lengthBytes < ntfsIndexEntry.sizeBytes || at + entry.lengthBytes > end) {
      throw damaged("the root directory of NTFS", `it has an entry of ${entry.lengthBytes} bytes`);
    }
    const key = node.subarray(at + ntfsIndexEntry.sizeBytes, at + entry.lengthBytes);
    if (nameIn(key).toLowerCase() === name) {
      yield { number: entry.recordLow + entry.recordHigh * 2 ** 32, sequence: entry.sequence };
    }
    at += entry.lengthBytes;
  }
}

function nameIn(key: Uint8Array): string {
  if (key.length < ntfsFileName.sizeBytes) return "";
  const nameBytes = ntfsFileName.get(key, "nameUnits") * 2;
  return paddedText16(key.subarray(ntfsFileName.sizeBytes, ntfsFileName.sizeBytes + nameBytes));
}
