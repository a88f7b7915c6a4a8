import * as fs from "node:fs";
import { Failure, type JobOptions } from "../../base/index.ts";
import {
  confirmationOf,
  ExclusiveDisk,
  FileReader,
  identifyDevice,
  refuseChanged,
  refuseUnconfirmed,
  type BlockIdentity,
  type BlockReader,
  type Confirmation,
} from "../../device/index.ts";
import { showDisk, type DiskReport } from "../../disk/index.ts";
import type { PartitionTable } from "../../partition/index.ts";
import { isDevice, openKey } from "../open-key.ts";
import { growKey, type GrownKey } from "./grown-key.ts";
import { makeEqual, type Equalled, type EqualRequest } from "./make-equal.ts";
import { refuseDevice } from "./refuse-device.ts";
import { requiredExtents } from "./required-extents.ts";

export interface WriteKeyRequest {
  readonly image: string;
  readonly device: string;
  /** The serial number of the device, or what stands for it. Absent: whoever approves is asked. */
  readonly confirm?: string;
  /** Say what would be done, and write nothing. */
  readonly isRehearsal: boolean;
}

/** What is to be written onto what. */
export interface KeyWritePlan {
  /** Absent: a new key. */
  readonly image?: string;
  readonly imageBytes: number;
  readonly device: BlockIdentity;
  /** What is on the device; absent where that cannot be told. */
  readonly contents?: DiskReport;
  readonly confirmation: Confirmation;
  readonly isos: GrownKey["isos"];
  /** So much is compared, and written where it differs. */
  readonly requiredBytes: number;
  /** What a user should know, a sentence each. */
  readonly notes: readonly string[];
}

export interface WrittenKey extends Equalled {
  readonly plan: KeyWritePlan;
  /** What did not go as it should although all was written, a sentence each. */
  readonly warnings: readonly string[];
}

export interface WriteKeyOptions extends JobOptions {
  /** Shown the plan before anything is written; gives what the user typed, or nothing where none can be asked. */
  readonly approve: (plan: KeyWritePlan) => Promise<string | undefined>;
}

/**
 * Writes a key onto a device, as large as that is, once it is confirmed to be the right one. Only what differs is
 * written, and all is read back. Throws `refused` where the device is in use, is the system's, or is not confirmed:
 * nothing is written then. What is interrupted is finished by doing it again.
 */
export async function writeKey({ image, ...request }: WriteKeyRequest, options: WriteKeyOptions): Promise<WrittenKey> {
  await refuseOther(image);
  const { mtimeMs } = fs.statSync(image);
  await using reader = await FileReader.open(image);
  return await writeOnto({ reader, image, nowMs: mtimeMs }, request, options);
}

/** The same with a key that is open, or only in memory: then it has no name. */
export async function writeOnto(
  { reader, image, nowMs }: { readonly reader: BlockReader; readonly image?: string; readonly nowMs: number },
  { device: devicePath, confirm, isRehearsal }: Omit<WriteKeyRequest, "image">,
  { approve, ...job }: WriteKeyOptions,
): Promise<WrittenKey> {
  const device = identifyDevice(devicePath);
  const named = image === undefined ? {} : { path: fs.realpathSync(image) };
  refuseDevice(device, { ...named, sizeBytes: reader.sizeBytes });
  const grown = await growKey(reader, { path: image ?? device.path, diskBytes: device.sizeBytes, nowMs });
  await using target = grown.device;
  const extents = await requiredExtents(target, grown.table);
  const contents = await contentsOf(device.path);
  const plan: KeyWritePlan = {
    ...(image === undefined ? {} : { image }),
    imageBytes: reader.sizeBytes,
    device,
    ...(contents === undefined ? {} : { contents }),
    confirmation: confirmationOf(device),
    isos: grown.isos,
    requiredBytes: extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0),
    notes: grown.notes,
  };
  if (isRehearsal) return { plan, comparedBytes: 0, writtenBytes: 0, warnings: [] };
  if (!device.isRemovable) refuseUnconfirmed(device, confirm);
  const typed = await approve(plan);
  refuseUnconfirmed(device, confirm ?? typed);
  return { plan, ...(await writeApproved(device, { target, extents, table: grown.table }, job)) };
}

/** What a device is to be, and where that matters. */
interface Target {
  readonly target: BlockReader;
  readonly extents: EqualRequest["extents"];
  readonly table: PartitionTable;
}

async function writeApproved(
  device: BlockIdentity,
  { target, extents, table }: Target,
  job: JobOptions,
): Promise<Omit<WrittenKey, "plan">> {
  await using disk = ExclusiveDisk.open(device.path, device.sizeBytes);
  refuseChanged(device, identifyDevice(device.path));
  const headBytes = Math.min(...table.partitions.map(({ startBytes }) => startBytes));
  let isReadBack = disk.isDirect;
  const forgetCached = (): void => void (isReadBack = disk.isDirect || disk.forgetCached());
  const request = { target, extents, headBytes, forgetCached };
  const equalled = await sayingHowToGoOn(device.path, () => makeEqual(disk, request, job));
  const hasWritten = equalled.writtenBytes > 0;
  const isSeen = !hasWritten || disk.rereadPartitions() || device.transport === "loop";
  return {
    ...equalled,
    warnings: [...(isSeen ? [] : [notSeen]), ...(hasWritten && !isReadBack ? [notReadBack] : [])],
  };
}

const notSeen = "the kernel did not look at the new partition table: take the device out and plug it in again";
const notReadBack =
  "what was read back may come from memory, not from the device: run the same command again to compare";

/** Throws `unsupported` where it is no image of a key. */
async function refuseOther(image: string): Promise<void> {
  if (isDevice(image)) {
    throw new Failure("unsupported", `cannot write the device "${image}": an image of a key is needed`, {
      hint: "key create makes one",
    });
  }
  const key = await openKey(image);
  await key[Symbol.asyncDispose]();
}

async function contentsOf(path: string): Promise<DiskReport | undefined> {
  try {
    return await showDisk(path);
  } catch (error) {
    if (error instanceof Failure) return undefined; // a table in ruins is no reason not to write over it
    throw error;
  }
}

async function sayingHowToGoOn<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "interrupted") throw error;
    throw new Failure("interrupted", `interrupted: "${path}" may not start until it is written to the end`, {
      hint: "run the same command again: what is written already is skipped",
      cause: error,
    });
  }
}
