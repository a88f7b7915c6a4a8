import type { BlockDevice } from "../device/index.ts";
import { openFileSystem, probe } from "./probe.ts";

/** An id that a file system had, and the one that it has now, both as `blkid` shows them. */
export interface RenewedId {
  readonly before: string | undefined;
  readonly after: string;
}

const renewable: ReadonlySet<string> = new Set(["ext", "fat", "exfat", "ntfs"]);

/**
 * Gives a file system that nobody uses yet another id, made from a UUID. Undefined where it is of a kind whose id this
 * program does not change.
 */
export async function renewVolumeId(device: BlockDevice, uuid: string): Promise<RenewedId | undefined> {
  const family = await probe(device);
  if (family === undefined || !renewable.has(family)) return undefined;
  const before = await idOf(device);
  if (family === "ext") await (await import("./ext/index.ts")).renewExtUuid(device, uuid);
  else if (family === "ntfs") await (await import("./ntfs/index.ts")).renewNtfsSerial(device, uuid);
  else if (family === "fat") await (await import("./fat/index.ts")).renewFatNumber(device, uuid);
  else await (await import("./exfat/index.ts")).renewExfatSerial(device, uuid);
  const after = await idOf(device);
  return after === undefined ? undefined : { before, after };
}

async function idOf(device: BlockDevice): Promise<string | undefined> {
  await using fileSystem = await openFileSystem(device);
  return fileSystem.info.uuid;
}
