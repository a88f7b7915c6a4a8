import type { BlockReader } from "../../device/index.ts";
import type { Recognised, Recogniser } from "./recognised.ts";
import { btrfs } from "./btrfs.ts";
import { f2fs } from "./f2fs.ts";
import { luks } from "./luks.ts";
import { lvm2 } from "./lvm2.ts";
import { isTakenByOthers } from "./others.ts";
import { squashfs } from "./squashfs.ts";
import { swap } from "./swap.ts";
import { xfs } from "./xfs.ts";

/** In the order in which they are asked. */
const recognisers: readonly Recogniser[] = [luks, xfs, squashfs, f2fs, btrfs, swap, lvm2];

/**
 * What fills a device, of the kinds that this program recognises but does not look into; undefined where there is none
 * of them. What is wrong with it is in its problems: damage is not thrown, and neither time nor memory are without
 * bound on it.
 */
export async function recognise(reader: BlockReader): Promise<Recognised | undefined> {
  for (const { first } of recognisers) {
    const found = await first(reader);
    if (found !== undefined) return compared(found, reader);
  }
  if (await isTakenByOthers(reader)) return undefined;
  for (const { second } of recognisers) {
    const found = await second?.(reader);
    if (found !== undefined) return compared(found, reader);
  }
  return undefined;
}

const smallestBlockBytes = 512;

/** With what is wrong between its numbers and the device; what cannot be is left out. */
function compared(found: Recognised, reader: BlockReader): Recognised {
  const { kind, sizeBytes } = found;
  const problems = [...found.problems];
  const isNumber = Number.isSafeInteger(sizeBytes) && sizeBytes > 0;
  const error = (message: string): number => problems.push({ severity: "error", message });
  if (!isNumber) error(`the size of the ${kind} cannot be what it says`);
  else if (sizeBytes > reader.sizeBytes) {
    error(`the ${kind} takes ${sizeBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  const told = { ...found, problems, sizeBytes: isNumber ? sizeBytes : reader.sizeBytes };
  const isWithin = (bytes: number | undefined): boolean => {
    return bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= told.sizeBytes;
  };
  const isCounted = isWithin(found.usedBytes) && isWithin(found.freeBytes);
  if (!isCounted) Object.assign(told, { usedBytes: undefined, freeBytes: undefined });
  if (found.blockSizeBytes < smallestBlockBytes) told.blockSizeBytes = smallestBlockBytes;
  return told;
}
