import type { ClusterRun } from "../cluster-run.ts";
import { attribute, earliest, modeOf } from "../dos-attributes.ts";
import type { FileStat } from "../file-system.ts";
import type { FilePart } from "../part-reader.ts";
import { decodeStamp } from "./exfat-time.ts";
import { clusterAt, type ExfatLayout } from "./layout.ts";
import { fileEntry, slotBytes, streamEntry, type FileEntryRecord, type StreamEntryRecord } from "./records.ts";

/** What the first two entries of a file's set say. */
export interface FileFacts {
  readonly file: FileEntryRecord;
  readonly stream: StreamEntryRecord;
}

export function factsIn(set: Uint8Array): FileFacts {
  return { file: fileEntry.decode(set), stream: streamEntry.decode(set, slotBytes) };
}

export function isDirectory({ file }: FileFacts): boolean {
  return (file.attributes & attribute.directory) !== 0;
}

/** How many bytes of a file are what was written to it; the others read as zeros. */
export function validBytes({ stream }: FileFacts): number {
  return Math.min(stream.validBytes, stream.dataBytes);
}

export function statOf(id: number, facts: FileFacts, { clusterBytes }: ExfatLayout): FileStat {
  const { file, stream } = facts;
  const created = decodeStamp(file.created, file.createdHundredths, file.createdOffset);
  const accessed = decodeStamp(file.accessed, 0, file.accessedOffset);
  const sizeBytes = stream.dataBytes;
  return {
    id,
    kind: isDirectory(facts) ? "directory" : "file",
    mode: modeOf(file.attributes),
    uid: 0,
    gid: 0,
    sizeBytes,
    allocatedBytes: Math.ceil(sizeBytes / clusterBytes) * clusterBytes,
    links: 1,
    modified: decodeStamp(file.modified, file.modifiedHundredths, file.modifiedOffset) ?? earliest,
    ...(accessed === undefined ? {} : { accessed }),
    ...(created === undefined ? {} : { created }),
  };
}

/** Where the first `lengthBytes` are of a file in these clusters. */
export function* partsOf(layout: ExfatLayout, runs: readonly ClusterRun[], lengthBytes: number): Generator<FilePart> {
  let at = 0;
  for (const { start, count } of runs) {
    if (at >= lengthBytes) return;
    const partBytes = Math.min(count * layout.clusterBytes, lengthBytes - at);
    yield { at, deviceAt: clusterAt(layout, start), lengthBytes: partBytes };
    at += partBytes;
  }
}
