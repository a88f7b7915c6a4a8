import { identifyDevice, MemoryDevice } from "../../device/index.ts";
import { addTo } from "../add-isos.ts";
import { makeKey, type CreateKeyRequest } from "../create-key.ts";
import { listKey, type KeyReport } from "../list-key.ts";
import { openKeyOn } from "../open-key.ts";
import { isosFor } from "../room-for-isos.ts";
import { refuseDevice } from "./refuse-device.ts";
import { writeOnto, type WriteKeyOptions, type WriteKeyRequest, type WrittenKey } from "./write-key.ts";

export interface CreateKeyOnDeviceRequest
  extends Omit<CreateKeyRequest, "sizeBytes" | "force">, Pick<WriteKeyRequest, "confirm" | "isRehearsal"> {}

export interface KeyOnDevice {
  readonly written: WrittenKey;
  /** What is on it now; absent where nothing was to be written. */
  readonly report?: KeyReport;
  /** What the key cannot do, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Makes a key of a whole device, once that is confirmed to be the right one: the smallest key is made in memory and
 * written as `writeKey` writes an image, with the same refusals.
 */
export async function createKeyOnDevice(
  { isRehearsal, confirm, isos = [], ...request }: CreateKeyOnDeviceRequest,
  options: WriteKeyOptions,
): Promise<KeyOnDevice> {
  const { path: device, nowMs } = request;
  const { sizeBytes: freeBytes, ...identity } = identifyDevice(device, { action: "make a key of" });
  refuseDevice({ ...identity, sizeBytes: freeBytes }, { sizeBytes: 0 });
  const { isosKind } = await isosFor(request.isosKind, isos);
  const inMemory = (sizeBytes: number): MemoryDevice => new MemoryDevice(new Uint8Array(sizeBytes));
  const wish = { ...request, isosKind, sizeBytes: "auto" } as const;
  const { device: reader, warnings } = await makeKey(wish, inMemory, options);
  const adding = { key: device, isos, nowMs };
  // What cannot be added is known before anything is written.
  const trying = { isRehearsal: true, isosAs: { freeBytes }, open: () => openKeyOn(reader, device) };
  const planned = await addTo({ ...adding, ...trying }, options);
  const confirmed = confirm === undefined ? {} : { confirm };
  const written = await writeOnto({ reader, nowMs }, { device, isRehearsal, ...confirmed }, options);
  const notes = [...warnings, ...planned.flatMap((one) => one.warnings), ...written.warnings];
  if (isRehearsal) return { written, warnings: notes };
  if (isos.length > 0) await addTo({ ...adding, isRehearsal: false }, options);
  return { written, report: await listKey(device), warnings: notes };
}
