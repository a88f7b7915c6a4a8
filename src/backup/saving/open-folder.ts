import { createHash } from "node:crypto";
import { Failure } from "../../base/index.ts";
import { dumpText, parseDataName } from "../clonezilla/index.ts";
import { NewFolder } from "../new-folder.ts";
import { nameIn, pathIn, unfinishedEnding, type BackupStore } from "../store/index.ts";
import { isLogName, localLogName, readKept, type BegunSave, type KeptSave } from "./kept-log.ts";
import { backupName } from "./notes.ts";
import type { Source } from "./open-source.ts";
import type { SaveRequest } from "./request.ts";
import { ResumeLog } from "./resume-log.ts";

/** The folder of a backup, begun or gone on with. */
export interface OpenedFolder {
  readonly folder: NewFolder;
  readonly log: ResumeLog;
  /** How it was begun: with the time and command that were then. */
  readonly begun: BegunSave;
  /** What is there already. */
  readonly kept: KeptSave | undefined;
  readonly warnings: readonly string[];
}

/** Makes the folder of a new backup, or finds the one that is to be gone on with. */
export async function openFolder(request: SaveRequest, source: Source, store: BackupStore): Promise<OpenedFolder> {
  const begun = beginningOf(request, source);
  const found = request.isResumed === true ? await findUnfinished(request, begun, store) : undefined;
  if (found !== undefined) return await goOn(found, begun, store);
  const warnings = request.isResumed === true ? [] : await tellUnfinished(begun, store);
  const folder = await NewFolder.create(store, request.name ?? backupName(request, source.name));
  const log = await ResumeLog.begin(store, folder.partName);
  await log.add({ begun });
  return { folder, log, begun, kept: undefined, warnings };
}

function beginningOf(request: SaveRequest, { name, reader, table }: Source): BegunSave {
  const dump = table === undefined ? "" : dumpText(table, name);
  return {
    version: 1,
    source: request.source,
    disk: name,
    sizeBytes: reader.sizeBytes,
    table: createHash("sha256").update(dump).digest("hex"),
    partitions: request.partitions ?? null,
    packedAs: request.packedAs,
    level: request.level ?? null,
    volumeBytes: request.volumeBytes,
    nowMs: request.nowMs,
    command: request.command,
  };
}

interface Unfinished {
  readonly name: string;
  /** Absent where it ended before anything was in it. */
  readonly kept: KeptSave | undefined;
}

/** The one that is named; else the newest of the same source. */
async function findUnfinished(
  { name }: Pick<SaveRequest, "name">,
  begun: BegunSave,
  store: BackupStore,
): Promise<Unfinished | undefined> {
  if (name !== undefined) {
    const isThere = (await store.find(name + unfinishedEnding)) !== undefined;
    return isThere ? { name, kept: await readKept(store, name) } : undefined;
  }
  if ((await store.find("")) === undefined) return undefined;
  let newest: Unfinished | undefined;
  for (const item of await store.list("")) {
    if (item.kind !== "folder" || !item.name.endsWith(unfinishedEnding)) continue;
    const candidate = item.name.slice(0, -unfinishedEnding.length);
    const kept = await readKept(store, candidate);
    if (kept?.begun.source !== begun.source || kept.begun.disk !== begun.disk) continue;
    if (kept.begun.nowMs >= (newest?.kept?.begun.nowMs ?? 0)) newest = { name: candidate, kept };
  }
  return newest;
}

async function goOn({ name, kept }: Unfinished, begun: BegunSave, store: BackupStore): Promise<OpenedFolder> {
  const folder = NewFolder.resume(store, name);
  folder.keep(); // what others began is not removed because this one fails
  const path = nameIn(store, folder.partName);
  if ((await store.find(name)) !== undefined) {
    throw new Failure("exists", `cannot go on with "${path}": "${nameIn(store, name)}" is there already`);
  }
  if (kept === undefined) {
    await refuseBeingBegun(store, folder.partName);
    await removeAllBut(store, folder.partName, () => false);
    const log = await ResumeLog.begin(store, folder.partName);
    await log.add({ begun });
    return { folder, log, begun, kept, warnings: [] };
  }
  refuseOthers(path, kept.begun, begun);
  const log = await ResumeLog.goOn(store, folder.partName, kept);
  log.keep();
  await removeAllBut(store, folder.partName, isGoneOnWith);
  return { folder, log, begun: kept.begun, kept, warnings: [] };
}

/** A log in which there is nothing yet may be that of a program that has just begun. */
async function refuseBeingBegun(store: BackupStore, folder: string): Promise<void> {
  const path = pathIn(folder, localLogName);
  if (store.reopen === undefined || (await store.find(path + unfinishedEnding)) === undefined) return;
  const writer = await store.reopen(path, 0);
  await writer[Symbol.asyncDispose]();
}

/** Whoever begins anew is told of what could have been gone on with. */
async function tellUnfinished(begun: BegunSave, store: BackupStore): Promise<string[]> {
  const found = await findUnfinished({}, begun, store);
  if (found === undefined) return [];
  const path = nameIn(store, found.name + unfinishedEnding);
  return [`"${path}" is an unfinished backup of the same disk: --resume goes on with it`];
}

/** What was begun of another disk, or in another way, is not gone on with. */
function refuseOthers(path: string, was: BegunSave, is: BegunSave): void {
  const differing = (["disk", "sizeBytes", "table", "partitions", "packedAs", "level", "volumeBytes"] as const).find(
    (key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]),
  );
  if (differing === undefined) return;
  throw new Failure("mismatch", `cannot go on with "${path}": ${differences[differing](was)}`, {
    hint: "save anew, without --resume, and remove that folder",
  });
}

const differences = {
  disk: ({ disk }: BegunSave) => `it was begun of ${disk}`,
  sizeBytes: ({ sizeBytes }: BegunSave) => `it was begun of a disk of ${sizeBytes} bytes`,
  table: () => "the partition table has changed since",
  partitions: ({ partitions }: BegunSave) => {
    return partitions === null
      ? "it was begun of the whole disk"
      : `it was begun of partition ${partitions.join(", ")}`;
  },
  packedAs: ({ packedAs }: BegunSave) => `it was begun packed as ${packedAs}`,
  level: ({ level }: BegunSave) => `it was begun with ${level === null ? "the usual level" : `level ${level}`}`,
  volumeBytes: ({ volumeBytes }: BegunSave) => `it was begun with volumes of ${volumeBytes} bytes`,
} as const;

/** Takes away what is not wanted of an unfinished backup. */
async function removeAllBut(store: BackupStore, folder: string, isWanted: (name: string) => boolean): Promise<void> {
  for (const { name } of await store.list(folder)) if (!isWanted(name)) await store.remove(pathIn(folder, name));
}

/** Small files are made anew; of data, whoever goes on with it knows which is. */
function isGoneOnWith(name: string): boolean {
  return isLogName(name) || parseDataName(name.replace(/\.part$/, "")) !== undefined;
}
