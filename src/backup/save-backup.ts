import { Failure } from "../base/index.ts";
import { diskFiles } from "./clonezilla/index.ts";
import { reportUnreadable } from "./saving/bad-sectors.ts";
import { checkBeside } from "./saving/check-beside.ts";
import { checkRoom } from "./saving/check-room.ts";
import { notesOf } from "./saving/notes.ts";
import { openFolder, type OpenedFolder } from "./saving/open-folder.ts";
import { openSource, type Source } from "./saving/open-source.ts";
import type { SavedBackup, SavedPart, SaveOptions, SaveRequest } from "./saving/request.ts";
import { checkBySystem } from "./saving/system-check.ts";
import { requestOf, usingSnapshot } from "./saving/using-snapshot.ts";
import { VolumeSaving } from "./saving/save-volumes.ts";
import type { Snapshot } from "./snapshot/index.ts";
import { openStore, refuseItself } from "./store/index.ts";

/**
 * Saves a disk, or partitions of it, as a folder in Clonezilla's format, which appears under its name once all of it is
 * there. Broken off, what is there stays to be gone on with; refused, nothing is left behind. Throws `damaged` where a
 * file system is, `mismatch` where what is to be gone on with was begun of something else.
 */
export async function saveBackup(request: SaveRequest, options: SaveOptions = {}): Promise<SavedBackup> {
  if (request.snapshot === undefined) return await save(request, options);
  return await usingSnapshot(request, options, (snapshot) => {
    return save(request, { ...options, onFailedRead: () => snapshot.refuseBroken() }, snapshot);
  });
}

async function save(request: SaveRequest, options: SaveOptions, snapshot?: Snapshot): Promise<SavedBackup> {
  const read = snapshot === undefined ? request : requestOf(snapshot, request);
  const warnings = request.isCheckedBySystem === true ? await checkBySystem(read, options) : [];
  await using stack = new AsyncDisposableStack();
  refuseItself(request.source, request.into);
  const source = await openSource(read, options, stack);
  const { volumes, unreadable } = source;
  for (const { name: volume, content } of volumes) {
    if (content?.saved === "whole" && content.warning !== undefined) warnings.push(`${volume}: ${content.warning}`);
  }
  const store = stack.use(await openStore(request.into, request));
  const volumeBytes = Math.min(request.volumeBytes, (await store.largestFileBytes()) ?? Infinity);
  const limited = { ...request, volumeBytes };
  const opened = await openFolder(limited, source, store);
  stack.use(opened.folder);
  stack.use(opened.log);
  for (const stretch of opened.kept?.unreadable ?? []) unreadable.add(stretch);
  if (request.isRoomIgnored !== true) await checkRoom(source, store, { kept: opened.kept, request, options });
  try {
    const into = (job: SaveOptions, checked: () => Promise<readonly string[]>): Promise<SavedBackup> => {
      const all = async () => [...(await checked()), ...((await snapshot?.refuseBroken()) ?? [])];
      return saveInto(opened, source, { request: limited, options: job, checked: all });
    };
    const saved = request.isUnchecked ? await into(options, async () => []) : await checkBeside(source, options, into);
    return { ...saved, warnings: [...warnings, ...opened.warnings, ...saved.warnings] };
  } catch (error) {
    // The next snapshot is another one: what is there of this could not be gone on with.
    throw snapshot === undefined ? keepUnfinished(opened, error, request) : error;
  }
}

interface SaveInto {
  readonly request: SaveRequest;
  readonly options: SaveOptions;
  /** What is still to be waited for before the backup may appear. */
  readonly checked: () => Promise<readonly string[]>;
}

async function saveInto(
  opened: OpenedFolder,
  source: Source,
  { request, options, checked }: SaveInto,
): Promise<SavedBackup> {
  const { folder, begun, log } = opened;
  const { name, volumes, reader } = source;
  const saving = new VolumeSaving(request, source, opened, options);
  const parts: SavedPart[] = [];
  for (const volume of volumes) parts.push(...(await saving.save(volume)));
  for (const file of await diskFiles(source)) await folder.add(file);
  const bad = await reportUnreadable(source, options);
  if (bad !== undefined) await folder.add(bad.file);
  for (const file of notesOf(begun, { name, sizeBytes: reader.sizeBytes }, parts)) await folder.add(file);
  const warnings = [...(await checked()), ...saving.warnings];
  await folder.commit(() => log.finish());
  return {
    path: folder.path,
    disk: name,
    sizeBytes: reader.sizeBytes,
    packedBytes: folder.sizeBytes,
    parts,
    ...(bad === undefined ? {} : { unreadable: bad.report }),
    warnings,
  };
}

/** Leaves what is there for another run, unless it would be of no use; the failure then says how to go on. */
function keepUnfinished({ folder, log, kept }: OpenedFolder, error: unknown, { goneOnWithBy }: SaveRequest): unknown {
  const code = error instanceof Failure ? error.code : "failed";
  const isBrokenOff = code === "interrupted" || code === "no-space" || code === "failed";
  if (!isBrokenOff && kept === undefined) return error;
  folder.keep();
  log.keep();
  if (!(error instanceof Failure) || !isBrokenOff) return error;
  const advice = `"${folder.path}.part" has what is finished: ${goneOnWithBy ?? "the same command with --resume"} goes on`;
  return new Failure(error.code, error.message, {
    hint: `${error.hint === undefined ? "" : `${error.hint}; `}${advice}`,
    cause: error,
  });
}
