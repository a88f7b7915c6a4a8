import type { DataPiece } from "../../tree/index.ts";
import { attribute, earliest, modeOf } from "../dos-attributes.ts";
import { decodeTime } from "../dos-time.ts";
import type { FileStat } from "../file-system.ts";
import { readParts, type FilePart, type PartSource } from "../part-reader.ts";
import { chainRuns } from "./chain.ts";
import { damaged } from "../damaged.ts";
import { clusterOf, type ShortEntry } from "./directory-entry.ts";
import { clusterAt, type FatLayout } from "./layout.ts";
import type { FatTable } from "./table.ts";

/** What an entry says of its file; of a directory `directoryBytes` is what it takes. */
export function statOf(id: number, entry: ShortEntry, layout: FatLayout, directoryBytes: number): FileStat {
  const isDirectory = (entry.attributes & attribute.directory) !== 0;
  const sizeBytes = isDirectory ? directoryBytes : entry.sizeBytes;
  const created = decodeTime({
    date: entry.createdDate,
    time: entry.createdTime,
    hundredths: entry.createdHundredths,
  });
  const accessed = decodeTime({ date: entry.accessedDate, time: 0, hundredths: 0 });
  return {
    id,
    kind: isDirectory ? "directory" : "file",
    mode: modeOf(entry.attributes),
    uid: 0,
    gid: 0,
    sizeBytes,
    allocatedBytes: Math.ceil(sizeBytes / layout.clusterBytes) * layout.clusterBytes,
    links: 1,
    modified: decodeTime({ date: entry.modifiedDate, time: entry.modifiedTime, hundredths: 0 }) ?? earliest,
    ...(accessed === undefined ? {} : { accessed }),
    ...(created === undefined ? {} : { created }),
  };
}

/** The data of a file. */
export function readFile(
  source: PartSource,
  table: FatTable,
  entry: ShortEntry,
  what: string,
): AsyncIterable<DataPiece> {
  return readParts(source, partsOf(table, entry, what));
}

/** Where the parts of a file are. Throws `damaged` where its chain of clusters is shorter than its size. */
export async function* partsOf(table: FatTable, entry: ShortEntry, what: string): AsyncGenerator<FilePart> {
  const { sizeBytes } = entry;
  if (sizeBytes === 0) return;
  const { layout } = table;
  const { clusterBytes, kind } = layout;
  const limit = Math.ceil(sizeBytes / clusterBytes);
  let at = 0;
  for await (const { start, count } of chainRuns(table, clusterOf(entry, kind === "fat32"), { limit, what })) {
    const lengthBytes = Math.min(count * clusterBytes, sizeBytes - at);
    yield { at, deviceAt: clusterAt(layout, start), lengthBytes };
    at += lengthBytes;
  }
  if (at < sizeBytes) throw damaged(what, `its clusters end at byte ${at} of ${sizeBytes}`);
}
