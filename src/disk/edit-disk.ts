import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import type { EditableFileSystem } from "../filesystem/index.ts";
import { applyEdit } from "./apply-edit.ts";
import type { Edit } from "./edit.ts";
import { openForEditing, openForRehearsal } from "./open-for-editing.ts";
import type { Place } from "./place.ts";

/** A change, and where it comes from: `line 7`. */
export interface PlannedEdit {
  readonly edit: Edit;
  readonly origin?: string;
}

export interface EditRequest {
  /** The file system; its path does not matter. */
  readonly place: Place;
  readonly edits: readonly PlannedEdit[];
  /** Find out in memory whether the edits can be made, but for the space that contents need, and change nothing. */
  readonly isRehearsal: boolean;
  readonly nowMs: number;
}

export interface EditResult {
  /** What could not be kept, one sentence each. */
  readonly warnings: readonly string[];
}

/** Makes changes in a file system of an image: all of them or, where one fails, none. */
export async function editDisk(request: EditRequest, job: JobOptions = {}): Promise<EditResult> {
  const { place, isRehearsal, nowMs } = request;
  const warnings: string[] = [];
  const seconds = Math.floor(nowMs / 1000);
  const now = { seconds, nanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6) };
  const onWarning = (message: string): void => void warnings.push(message);
  const open = isRehearsal ? openForRehearsal : openForEditing;
  await using opened = await open(place, { now, onWarning });
  const { fileSystem } = opened;
  const context = { fileSystem, image: place.image, now, isRehearsal, job };
  for (const { edit, origin } of request.edits) {
    stopIfAborted(job.signal);
    await namingOrigin(origin, () => applyEdit(context, edit));
  }
  if (!isRehearsal) await commit(fileSystem, job);
  return { warnings };
}

/** From here on an interruption would come too late: what is begun is brought to its end. */
async function commit(fileSystem: EditableFileSystem, { signal, ...job }: JobOptions): Promise<void> {
  stopIfAborted(signal);
  await fileSystem.commit(job);
}

async function namingOrigin(origin: string | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure) || origin === undefined || error.code === "interrupted") throw error;
    const { code, message, hint, cause } = error;
    throw new Failure(code, `${origin}: ${message}`, {
      cause: cause ?? error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
