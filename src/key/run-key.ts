import { Failure } from "../base/index.ts";
import { runDisk, type RunDiskOptions, type RunDiskRequest, type RunEnd } from "../disk/index.ts";
import { identifyDevice } from "../device/index.ts";
import { refuseInUse } from "./device-in-use.ts";
import { grubChoice } from "./grub-words.ts";
import { entryId, isoId } from "./iso-menu.ts";
import { isSubmenu } from "./machines.ts";
import { listKey, type KeyReport } from "./list-key.ts";
import { isDevice } from "./open-key.ts";
import { isoNamed } from "./remove-isos.ts";

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

/** The entry that a user names, as GRUB's `default` names it. Throws `not-found` where there is none. */
function choiceOf(choose: string, { files }: KeyReport): string {
  const [, named = "", numberText] = /^(.*?)(?:#(\d+))?$/.exec(choose) ?? [];
  const path = isoNamed(
    named,
    files.map(({ name }) => `/${name}`),
  );
  const entries = files.find(({ name }) => `/${name}` === path)?.entries ?? [];
  const folders = Array.from(path.matchAll(/\//g), ({ index }) => path.slice(0, index + 1)).slice(1);
  const top = [...folders, isoId(path)];
  if (!isSubmenu(entries)) return grubChoice(top);
  const number = Number(numberText ?? "1");
  if (number >= 1 && number <= entries.length) return grubChoice([...top, entryId(path, number)]);
  throw new Failure("not-found", `cannot find the entry "${choose}": "${named}" has ${entries.length} entries`, {
    hint: "key list --json shows them",
  });
}
