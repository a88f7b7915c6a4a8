import { Failure } from "../../base/index.ts";
import { saveBackup } from "../save-backup.ts";
import type { SavedBackup, SaveOptions, SaveRequest } from "../saving/request.ts";
import { openStore, unfinishedEnding } from "../store/index.ts";
import type { RunLock } from "./run-lock.ts";

/** What so many runs have failed to finish does not stand in the way for ever. Those that were stopped do not count. */
const attemptLimit = 10;

/**
 * Saves a job by going on with what a run of it has left that was cut off, under the name that it was begun with. Gives
 * nothing where there is nothing, or where it is of no use any more: the disk or the plan has changed since. It is removed then.
 */
export async function goOnWithLeftover(
  request: SaveRequest,
  { job, lock }: { readonly job: string; readonly lock: RunLock },
  options: SaveOptions,
): Promise<SavedBackup | undefined> {
  const begun = lock.begun(job);
  if (begun === undefined) return undefined;
  const { name, attempts } = begun;
  // The next snapshot is another state of the disk.
  const isOfUse = request.snapshot === undefined && attempts < attemptLimit;
  if ((await findLeftover(request, name)) === undefined) return undefined;
  if (isOfUse) {
    lock.noteBegun(job, { name, attempts: attempts + 1 });
    try {
      return await saveBackup({ ...request, name, isResumed: true }, options);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === "interrupted" || error.code === "no-space") lock.noteBegun(job, begun);
      if (error.code !== "mismatch" && error.code !== "exists") throw error;
    }
  }
  await using store = await openStore(request.into, request);
  await store.remove(name + unfinishedEnding);
  return undefined;
}

async function findLeftover(request: SaveRequest, name: string) {
  await using store = await openStore(request.into, request);
  return await store.find(name + unfinishedEnding);
}
