import { identifyDevice, MemoryDevice } from "../../device/index.ts";
import { makeKey, type NewKeyRequest } from "../create-key.ts";
import { listKey, type KeyReport } from "../list-key.ts";
import { refuseDevice } from "./refuse-device.ts";
import { writeOnto, type WriteKeyOptions, type WriteKeyRequest, type WrittenKey } from "./write-key.ts";

export interface CreateKeyOnDeviceRequest
  extends Omit<NewKeyRequest, "sizeBytes">, Pick<WriteKeyRequest, "confirm" | "isRehearsal"> {}

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
  { isRehearsal, confirm, ...request }: CreateKeyOnDeviceRequest,
  options: WriteKeyOptions,
): Promise<KeyOnDevice> {
  const { path: device, nowMs } = request;
  refuseDevice(identifyDevice(device, { action: "make a key of" }), { sizeBytes: 0 });
  const inMemory = (sizeBytes: number): MemoryDevice => new MemoryDevice(new Uint8Array(sizeBytes));
  const { device: reader, warnings } = await makeKey({ ...request, sizeBytes: "auto" }, inMemory, options);
  const confirmed = confirm === undefined ? {} : { confirm };
  const written = await writeOnto({ reader, nowMs }, { device, isRehearsal, ...confirmed }, options);
  if (isRehearsal) return { written, warnings };
  return { written, report: await listKey(device), warnings: [...warnings, ...written.warnings] };
}
