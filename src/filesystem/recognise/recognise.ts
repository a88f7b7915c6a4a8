import type { BlockReader } from "../../device/index.ts";
import type { Problem } from "../file-system.ts";
import type { Recognised, Recogniser } from "./recognised.ts";
import { btrfs } from "./btrfs.ts";
import { exfat } from "./exfat.ts";
import { f2fs } from "./f2fs.ts";
import { luks } from "./luks.ts";
import { lvm2 } from "./lvm2.ts";
import { ntfs } from "./ntfs.ts";
import { squashfs } from "./squashfs.ts";
import { swap } from "./swap.ts";
import { xfs } from "./xfs.ts";

/** In the order in which they are asked. */
const recognisers: readonly Recogniser[] = [luks, ntfs, exfat, xfs, squashfs, f2fs, btrfs, swap, lvm2];

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
  for (const { second } of recognisers) {
    const found = await second?.(reader);
    if (found !== undefined) return compared(found, reader);
  }
  return undefined;
}

/** With what is wrong between its numbers and the device. */
function compared(found: Recognised, reader: BlockReader): Recognised {
  const { sizeBytes } = found;
  if (sizeBytes > 0 && sizeBytes <= reader.sizeBytes) return { ...found, ...plausible(found) };
  const message = Number.isSafeInteger(sizeBytes)
    ? `the ${found.kind} takes ${sizeBytes} bytes, its device ends at ${reader.sizeBytes}`
    : `the size of the ${found.kind} cannot be what it says`;
  const problem: Problem = { severity: "error", message };
  const told = Number.isSafeInteger(sizeBytes) && sizeBytes > 0 ? sizeBytes : reader.sizeBytes;
  return {
    ...found,
    sizeBytes: told,
    ...plausible({ ...found, sizeBytes: told }),
    problems: [...found.problems, problem],
  };
}

/** Used and free space, where they are within the whole. */
function plausible({ sizeBytes, usedBytes, freeBytes }: Recognised): Pick<Recognised, "usedBytes" | "freeBytes"> {
  const isWithin = (bytes: number | undefined): boolean => bytes === undefined || (bytes >= 0 && bytes <= sizeBytes);
  if (isWithin(usedBytes) && isWithin(freeBytes)) return { usedBytes, freeBytes };
  return { usedBytes: undefined, freeBytes: undefined };
}
