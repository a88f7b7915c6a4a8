import * as path from "node:path";
import type { JobOptions } from "../base/index.ts";
import { diskFiles } from "./clonezilla/index.ts";
import { NewFolder } from "./new-folder.ts";
import { checkVolume } from "./saving/check-volume.ts";
import { backupName, notesOf } from "./saving/notes.ts";
import { openSource } from "./saving/open-source.ts";
import type { SavedBackup, SavedPart, SaveRequest } from "./saving/request.ts";
import { VolumeSaving } from "./saving/save-volumes.ts";

/**
 * Saves a disk, or partitions of it, as a folder in Clonezilla's format, which appears under its name once all of it is
 * there. Throws `damaged` where a file system is; nothing is left behind then.
 */
export async function saveBackup(request: SaveRequest, job: JobOptions = {}): Promise<SavedBackup> {
  await using stack = new AsyncDisposableStack();
  const source = await openSource(request, stack);
  const { name, volumes } = source;
  const warnings: string[] = [];
  if (!request.isUnchecked) for (const volume of volumes) warnings.push(...(await checkVolume(volume, job)));
  const folder = stack.use(NewFolder.create(path.join(request.into, request.name ?? backupName(request, name))));
  const saving = new VolumeSaving(request, volumes, folder, job);
  const parts: SavedPart[] = [];
  for (const volume of volumes) parts.push(...(await saving.save(volume)));
  const { sizeBytes } = source.reader;
  for (const file of await diskFiles(source)) folder.add(file);
  for (const file of notesOf(request, { name, sizeBytes }, parts)) folder.add(file);
  await folder.commit();
  return { path: folder.path, disk: name, sizeBytes, packedBytes: folder.sizeBytes, parts, warnings };
}
