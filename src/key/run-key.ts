import { runDisk, type RunDiskOptions, type RunDiskRequest, type RunEnd } from "../disk/index.ts";
import { identifyDevice, refuseInUse } from "../device/index.ts";
import { listKey, type KeyReport } from "./list-key.ts";
import { choiceInMenu, parseChoice } from "./menu-choice.ts";
import { isDevice } from "./open-key.ts";

export interface RunKeyRequest extends Omit<RunDiskRequest, "snapshot" | "firmwareText"> {
  /** The entry to start: the name of an ISO, and behind a `#` which of its entries, counted from 1. */
  readonly choose?: string;
}

/** Tries a key in a virtual machine, where its menu is on the serial port too. The key stays as it is. */
export async function runKey({ choose, ...request }: RunKeyRequest, options: RunDiskOptions = {}): Promise<RunEnd> {
  if (isDevice(request.path)) refuseInUse(identifyDevice(request.path, { action: "run" }), `run "${request.path}"`);
  const report = await listKey(request.path);
  const start = choose === undefined ? "" : ` start=${choiceOf(choose, report)}`;
  return runDisk({ ...request, snapshot: true, firmwareText: `holdfast-key serial${start}` }, options);
}

function choiceOf(choose: string, { files }: KeyReport): string {
  const named = parseChoice(
    choose,
    files.map(({ name }) => `/${name}`),
  );
  return choiceInMenu(named, files.find(({ name }) => `/${name}` === named.path)?.entries ?? []);
}
