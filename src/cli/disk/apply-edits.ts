import { editDisk, type Edit, type Place } from "../../disk/index.ts";
import type { CommandContext } from "../command.ts";
import { printWarnings, showProgress } from "../print.ts";

/** Makes changes in an image and tells what could not be kept. */
export async function applyEdits(context: CommandContext, place: Place, edits: readonly Edit[]): Promise<void> {
  using progress = showProgress(context, { json: false });
  const job = { signal: context.signal, onProgress: progress.onProgress };
  const { warnings } = await editDisk({ place, edits, nowMs: Date.now() }, job);
  progress.clear();
  await printWarnings(context, warnings);
}
