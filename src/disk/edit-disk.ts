import { stopIfAborted, type JobOptions } from "../base/index.ts";
import { applyEdit } from "./apply-edit.ts";
import type { Edit } from "./edit.ts";
import { openForEditing } from "./open-disk.ts";
import type { Place } from "./place.ts";

export interface EditRequest {
  /** The file system; its path does not matter. */
  readonly place: Place;
  readonly edits: readonly Edit[];
  readonly nowMs: number;
}

export interface EditResult {
  /** What could not be kept, one sentence each. */
  readonly warnings: readonly string[];
}

/** Makes changes in a file system of an image: all of them, or, where one fails, none. */
export async function editDisk({ place, edits, nowMs }: EditRequest, job: JobOptions = {}): Promise<EditResult> {
  const warnings: string[] = [];
  const seconds = Math.floor(nowMs / 1000);
  const now = { seconds, nanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6) };
  const onWarning = (message: string): void => void warnings.push(message);
  await using open = await openForEditing(place, { now, onWarning });
  for (const edit of edits) {
    stopIfAborted(job.signal);
    await applyEdit({ fileSystem: open.fileSystem, now, job }, edit);
  }
  await open.fileSystem.commit(job);
  return { warnings };
}
