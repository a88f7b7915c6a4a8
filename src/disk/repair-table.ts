import * as fs from "node:fs";
import { Failure } from "../base/index.ts";
import { FileDevice } from "../device/index.ts";
import { repairGpt } from "../partition/index.ts";

/**
 * Writes the damaged copy of a GPT anew from the good one; gives one sentence for each thing done, none where nothing
 * was wrong. Only in ordinary files: to write a real disk it would have to be shown and confirmed first.
 */
export async function repairTable(path: string): Promise<string[]> {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true) {
    throw new Failure("refused", `cannot repair the table of "${path}": it is a real disk`);
  }
  await using device = await FileDevice.openExclusively(path);
  return await repairGpt(device); // the device is closed when this returns
}
