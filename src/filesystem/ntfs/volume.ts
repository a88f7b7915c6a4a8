import { Failure } from "../../base/index.ts";
import { damaged } from "../damaged.ts";
import { attributesOf, valueOf, type FileRecord } from "./attributes.ts";
import { namesIn } from "./directory.ts";
import { putBackEnds } from "./fixups.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import { attributeTypes, recordNumbers, restartArea, restartPage, volumeInformation } from "./records.ts";
import { readStream, type Stream } from "./stream.ts";

/** What the volume says of itself. */
export interface VolumeFacts {
  readonly label: string;
  /** `ntfs 3.1` */
  readonly version: string;
  readonly isDirty: boolean;
}

const dirtyFlag = 0x0001;

/** What record 3 tells, or its copy in $MFTMirr. Throws `damaged`. */
export async function readVolumeFacts(source: NtfsSource): Promise<VolumeFacts> {
  const attributes = attributesOf(await volumeRecord(source));
  const valueOfType = (wanted: number): Uint8Array | undefined => {
    const found = attributes.find(({ type, isOutside }) => type === wanted && !isOutside);
    return found === undefined ? undefined : valueOf(found);
  };
  const information = valueOfType(attributeTypes.volumeInformation);
  if (information === undefined || information.length < volumeInformation.sizeBytes) {
    throw damaged("the NTFS volume record", "it does not say its version");
  }
  const { major, minor, flags } = volumeInformation.decode(information);
  const label = labelIn(valueOfType(attributeTypes.volumeName) ?? new Uint8Array(0));
  return { label, version: `ntfs ${major}.${minor}`, isDirty: (flags & dirtyFlag) !== 0 };
}

function labelIn(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, bytes.length & ~1)).toString("utf16le");
  return text.replace(/\0.*$/su, "").toWellFormed();
}

async function volumeRecord(source: NtfsSource): Promise<FileRecord> {
  try {
    return await source.record(recordNumbers.volume);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return source.firstRecord(recordNumbers.volume, source.geometry.mirrorCluster);
  }
}

/** Where Windows keeps its memory while it sleeps; what the file begins with while that counts. */
const sleepFile = "hiberfil.sys";
const sleepMarks: ReadonlySet<string> = new Set(["hibr", "HIBR"]);

/** Whether Windows went to sleep with this volume open, so that nothing else may change it. Throws `damaged`. */
export async function isWindowsAsleep(source: NtfsSource): Promise<boolean> {
  for await (const names of namesIn(source, await source.file(recordNumbers.root))) {
    const found = names.find(({ name }) => name.toLowerCase() === sleepFile);
    if (found === undefined) continue;
    const data = source.stream(await source.file(found.record), attributeTypes.data, "");
    if (data === undefined || data.dataBytes < 4 || data.unitClusters > 0) continue;
    if (sleepMarks.has(Buffer.from(await readStream(source, data, 0, 4)).toString("latin1"))) return true;
  }
  return false;
}

const restartSignature = 0x52545352; // "RSTR"
const noClient = 0xffff;
const closedFlag = 0x0002;
const pageSizes: ReadonlySet<number> = new Set([512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);
/** How far apart the two restart pages are, of a journal that does not tell. */
const usualPageBytes = 4096;

/** Whether the journal says that something in it waits to be done. Throws `damaged` where it cannot be told. */
export async function isJournalOpen(source: NtfsSource): Promise<boolean> {
  const log = await systemStream(source, recordNumbers.log, "the journal of NTFS");
  const areas = [];
  // A journal that was emptied has none.
  for (const at of [0, usualPageBytes]) areas.push(...(await restartAreaAt(source, log, at)));
  const [newest] = areas.toSorted((a, b) => (a.lastNumber > b.lastNumber ? -1 : 1));
  return newest !== undefined && newest.clientsInUse !== noClient && (newest.flags & closedFlag) === 0;
}

type RestartArea = ReturnType<typeof restartArea.decode>;

/** The restart area of a page, if there is one. */
async function restartAreaAt(source: NtfsSource, log: Stream, at: number): Promise<RestartArea[]> {
  if (at + usualPageBytes > log.dataBytes) return [];
  const { signature, systemPageBytes, areaOffset } = restartPage.decode(
    await readStream(source, log, at, restartPage.sizeBytes),
  );
  if (signature !== restartSignature || !pageSizes.has(systemPageBytes)) return [];
  if (at + systemPageBytes > log.dataBytes || areaOffset + restartArea.sizeBytes > systemPageBytes) return [];
  const page = await readStream(source, log, at, systemPageBytes);
  putBackEnds(page, "the journal of NTFS");
  return [restartArea.decode(page, areaOffset)];
}

/** The data of one of the volume's own files, by the number of its record. Throws `damaged`. */
export async function systemStream(source: NtfsSource, number: number, what: string): Promise<Stream> {
  const stream = source.stream(await source.file(number), attributeTypes.data, "");
  if (stream !== undefined && stream.unitClusters === 0) return stream;
  throw damaged(what, "it has no data that can be read");
}
