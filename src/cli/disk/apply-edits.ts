import { editDisk, editText, type Place, type PlannedEdit } from "../../disk/index.ts";
import type { CommandContext } from "../command.ts";
import { printJson, printWarnings, showProgress } from "../print.ts";

export interface ApplyOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Makes changes in an image, all or none, and tells what could not be kept; with `dryRun` what would be done. */
export async function applyEdits(
  context: CommandContext,
  place: Place,
  edits: readonly PlannedEdit[],
  options: ApplyOptions,
): Promise<void> {
  const { dryRun: isRehearsal, json } = options;
  using progress = showProgress(context, options);
  const job = { signal: context.signal, onProgress: progress.onProgress };
  const { warnings } = await editDisk({ place, edits, isRehearsal, nowMs: Date.now() }, job);
  progress.clear();
  await printWarnings(context, warnings);
  const lines = edits.map(({ edit }) => editText(edit));
  if (json) {
    const { image, partition } = place;
    const where = partition === undefined ? { image } : { image, partition };
    return await printJson(context, { ...where, isDryRun: isRehearsal, edits: lines, warnings });
  }
  if (isRehearsal) for (const line of lines) await context.stdout.write(`${line}\n`);
}
