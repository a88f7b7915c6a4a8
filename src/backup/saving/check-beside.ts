import { Failure } from "../../base/index.ts";
import type { Unreadable } from "../../device/index.ts";
import { checkVolume, isDamage } from "./check-volume.ts";
import type { SaveOptions, Volume } from "./request.ts";

/**
 * Looks through the file systems while `save` reads them: on a machine with cores to spare that costs no time. `save` is
 * given a signal that breaks it off at the first damage, and `checked` to wait for before what it made may count; that
 * gives what a user should know.
 */
export async function checkBeside<Result>(
  { volumes, unreadable }: { readonly volumes: readonly Volume[]; readonly unreadable: Unreadable },
  options: SaveOptions,
  save: (options: SaveOptions, checked: () => Promise<readonly string[]>) => Promise<Result>,
): Promise<Result> {
  const [damage, end] = [new AbortController(), new AbortController()];
  const given = options.signal === undefined ? [] : [options.signal];
  const check = checkAll(volumes, unreadable, AbortSignal.any([...given, end.signal]));
  check.catch((error: unknown) => damage.abort(error));
  try {
    return await save({ ...options, signal: AbortSignal.any([...given, damage.signal]) }, () => check);
  } catch (error) {
    // The check says of damage what and where it is; who stumbles over it meanwhile does not.
    if (!isDamage(error)) end.abort();
    const [checked] = await Promise.allSettled([check]);
    throw checked.status === "rejected" && !isInterruption(checked.reason) ? checked.reason : error;
  }
}

async function checkAll(
  volumes: readonly Volume[],
  unreadable: Unreadable,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const volume of volumes) warnings.push(...(await checkVolume(volume, unreadable, { signal })));
  return warnings;
}

function isInterruption(error: unknown): boolean {
  return error instanceof Failure && error.code === "interrupted";
}
