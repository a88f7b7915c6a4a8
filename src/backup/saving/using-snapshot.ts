import { Failure, stopIfAborted } from "../../base/index.ts";
import { volumeName } from "../clonezilla/index.ts";
import { Snapshot } from "../snapshot/index.ts";
import type { SavedBackup, SaveOptions, SaveRequest } from "./request.ts";

/** Saves from a snapshot of the source, and removes that in any case once nothing reads it any more. */
export async function usingSnapshot(
  request: SaveRequest,
  { signal, onProgress, systemRoot }: SaveOptions,
  save: (snapshot: Snapshot) => Promise<SavedBackup>,
): Promise<SavedBackup> {
  refuseWith(request);
  onProgress?.({ phase: "taking a snapshot", doneBytes: 0 });
  const { source, env, nowMs, snapshot: wanted = {} } = request;
  const root = systemRoot === undefined ? {} : { root: systemRoot };
  const snapshot = await Snapshot.take({ source, env, nowMs, ...wanted, ...root });
  let saved: SavedBackup;
  try {
    stopIfAborted(signal);
    saved = await save(snapshot);
  } catch (error) {
    const why = await snapshot.whyFailed(error);
    throw withLeft(why, await snapshot.remove());
  }
  const left = await snapshot.remove();
  const warnings = [...snapshot.warnings, ...saved.warnings, ...(left === undefined ? [] : [left])];
  return { ...saved, warnings };
}

/** What is to be read in place of the source, under its name. */
export function requestOf({ devicePath, volume }: Snapshot, request: SaveRequest): SaveRequest {
  return { ...request, source: devicePath, disk: request.disk ?? volumeName(volume) };
}

function refuseWith({ source, isFrozen, isResumed }: SaveRequest): void {
  if (isFrozen === true) {
    throw new Failure("usage", `cannot save "${source}" with --snapshot and --freeze: one of them is enough`);
  }
  if (isResumed !== true) return;
  throw new Failure("usage", `cannot go on with a backup of a snapshot of "${source}": each snapshot is another one`, {
    hint: "save anew, without --resume",
  });
}

function withLeft(error: unknown, left: string | undefined): unknown {
  if (left === undefined || !(error instanceof Failure)) return error;
  const hint = error.hint === undefined ? left : `${error.hint}; ${left}`;
  return new Failure(error.code, error.message, { hint, cause: error });
}
