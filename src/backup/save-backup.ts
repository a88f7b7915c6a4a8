import { diskFiles } from "./clonezilla/index.ts";
import { NewFolder } from "./new-folder.ts";
import { reportUnreadable } from "./saving/bad-sectors.ts";
import { checkVolume } from "./saving/check-volume.ts";
import { backupName, notesOf } from "./saving/notes.ts";
import { openSource } from "./saving/open-source.ts";
import type { SavedBackup, SavedPart, SaveOptions, SaveRequest } from "./saving/request.ts";
import { VolumeSaving } from "./saving/save-volumes.ts";
import { openStore, refuseItself } from "./store/index.ts";

/**
 * Saves a disk, or partitions of it, as a folder in Clonezilla's format, which appears under its name once all of it is
 * there. Throws `damaged` where a file system is; nothing is left behind then.
 */
export async function saveBackup(request: SaveRequest, options: SaveOptions = {}): Promise<SavedBackup> {
  await using stack = new AsyncDisposableStack();
  refuseItself(request.source, request.into);
  const source = await openSource(request, options, stack);
  const { name, volumes, unreadable } = source;
  const warnings: string[] = [];
  for (const { name: volume, content } of volumes) {
    if (content?.saved === "whole" && content.warning !== undefined) warnings.push(`${volume}: ${content.warning}`);
  }
  if (!request.isUnchecked) {
    for (const volume of volumes) warnings.push(...(await checkVolume(volume, unreadable, options)));
  }
  const store = stack.use(await openStore(request.into, request));
  const folder = stack.use(await NewFolder.create(store, request.name ?? backupName(request, name)));
  const volumeBytes = Math.min(request.volumeBytes, (await store.largestFileBytes()) ?? Infinity);
  const saving = new VolumeSaving({ ...request, volumeBytes }, source, folder, options);
  const parts: SavedPart[] = [];
  for (const volume of volumes) parts.push(...(await saving.save(volume)));
  const { sizeBytes } = source.reader;
  for (const file of await diskFiles(source)) await folder.add(file);
  const bad = await reportUnreadable(source, options);
  if (bad !== undefined) await folder.add(bad.file);
  for (const file of notesOf(request, { name, sizeBytes }, parts)) await folder.add(file);
  await folder.commit();
  return {
    path: folder.path,
    disk: name,
    sizeBytes,
    packedBytes: folder.sizeBytes,
    parts,
    ...(bad === undefined ? {} : { unreadable: bad.report }),
    warnings: [...warnings, ...saving.warnings],
  };
}
