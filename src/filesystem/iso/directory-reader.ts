import { decodeRecord, isDot, isSelf, type DirectoryRecord } from "./directory-record.ts";
import { damaged } from "../damaged.ts";
import type { BlockBytes } from "./iso-source.ts";
import { sectorBytes } from "./volume-descriptor.ts";

/** Over a million names; a directory that says it is longer is damaged. */
const directoryLimitBytes = 128 * 1024 * 1024;

/** The record at a place of the device. */
export async function readRecord(source: BlockBytes, at: number): Promise<DirectoryRecord> {
  const head = await source.structures.bytes(at, 1);
  return decodeRecord(await source.structures.bytes(at, head[0] ?? 0), 0, at);
}

/** The first record of the directory that begins at a place of the device: that of itself. */
export async function readSelf(source: BlockBytes, directoryAt: number): Promise<DirectoryRecord> {
  const record = await readRecord(source, directoryAt);
  if (isSelf(record) && record.isDirectory) return record;
  throw damaged(`the directory at byte ${directoryAt}`, "it does not begin with itself");
}

/**
 * The records of the directory that begins at a place of the device, sector by sector. Throws `damaged` where one
 * passes the end of its sector, or the directory that of the device.
 */
export async function* directoryRecords(source: BlockBytes, directoryAt: number): AsyncGenerator<DirectoryRecord[]> {
  const { dataBytes } = await readSelf(source, directoryAt);
  const what = `the directory at byte ${directoryAt}`;
  if (dataBytes > directoryLimitBytes) throw damaged(what, `it is ${dataBytes} bytes long`);
  for (let at = directoryAt; at < directoryAt + dataBytes; at += sectorBytes) {
    const sector = await source.structures.bytes(at, Math.min(sectorBytes, directoryAt + dataBytes - at));
    yield recordsIn(sector, at);
  }
}

function recordsIn(sector: Uint8Array, sectorAt: number): DirectoryRecord[] {
  const records: DirectoryRecord[] = [];
  for (let at = 0; at < sector.length && sector[at] !== 0;) {
    const record = decodeRecord(sector, at, sectorAt + at);
    records.push(record);
    at += record.lengthBytes;
  }
  return records;
}

/** The records of a directory that name a file: the first of each, without those of forks and of the directories themselves. */
export async function* namingRecords(source: BlockBytes, directoryAt: number): AsyncGenerator<DirectoryRecord[]> {
  let isRest = false;
  for await (const records of directoryRecords(source, directoryAt)) {
    const naming: DirectoryRecord[] = [];
    for (const record of records) {
      if (!isRest && !isDot(record) && !record.isAssociated) naming.push(record);
      isRest = record.hasMoreExtents;
    }
    if (naming.length > 0) yield naming;
  }
}

/** As many records as a file of the largest volume can have at most, with the 4 GiB of each. */
const sectionLimit = 4096;

/** All records of a file, of which a large one has several, one after the other. */
export async function sectionRecords(source: BlockBytes, first: DirectoryRecord): Promise<DirectoryRecord[]> {
  const records = [first];
  for (let last = first; last.hasMoreExtents;) {
    last = await nextRecord(source, last);
    if (records.length >= sectionLimit || !Buffer.from(last.name).equals(first.name)) {
      throw damaged(`the directory record at byte ${first.at}`, "the rest of its file does not follow");
    }
    records.push(last);
  }
  return records;
}

/** The record after another, at the start of the next sector where there is none left in this one. */
async function nextRecord(source: BlockBytes, { at, lengthBytes }: DirectoryRecord): Promise<DirectoryRecord> {
  const next = at + lengthBytes;
  const sectorEnd = Math.ceil(next / sectorBytes) * sectorBytes;
  const [lengthThere = 0] = next < sectorEnd ? await source.structures.bytes(next, 1) : [];
  return readRecord(source, lengthThere === 0 ? sectorEnd : next);
}
