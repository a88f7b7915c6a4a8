import * as fs from "node:fs";
import { saveBackup, type SavedBackup, type SaveOptions, type SaveRequest } from "../../src/backup/index.ts";
import { FileDevice, SliceDevice } from "../../src/device/index.ts";
import { createDisk } from "../../src/disk/index.ts";
import { makeSwap } from "../../src/filesystem/index.ts";
import { readTable } from "../../src/partition/index.ts";
import type { TemporaryFolder } from "../temp.ts";

const mib = 2 ** 20;
export const swapUuid = "0a1b2c3d-0000-4000-8000-00000000abcd";

/** Bytes that nothing compresses, always the same. */
export function noise(lengthBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  let state = seed >>> 0;
  for (let at = 0; at < lengthBytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A folder with files to fill disks from. */
export function sampleTree(folder: TemporaryFolder, noiseBytes = 3 * mib): string {
  const tree = folder.join("tree");
  fs.mkdirSync(`${tree}/etc`, { recursive: true });
  fs.mkdirSync(`${tree}/usr`, { recursive: true });
  fs.writeFileSync(`${tree}/etc/fstab`, "UUID=1 / ext4 defaults 0 1\n");
  fs.writeFileSync(`${tree}/usr/noise`, noise(noiseBytes, 1));
  fs.writeFileSync(`${tree}/usr/text`, "all work and no play\n".repeat(50_000));
  fs.truncateSync(`${tree}/usr/text`, 2 * mib);
  return tree;
}

/**
 * A disk with boot code, FAT16, ext4 and ext2 with files, swap, and a partition of which nothing is known; the last two
 * are logical in an MBR. What no file system uses is not zero.
 */
export async function sampleDisk(folder: TemporaryFolder, table: "mbr" | "gpt"): Promise<string> {
  const path = folder.join(`${table}.disk`);
  const from = [sampleTree(folder)];
  const common = { active: false, from: [] };
  await createDisk({
    path,
    sizeBytes: 100 * mib,
    table,
    layout: "aligned",
    partitions: [
      { ...common, sizeBytes: 20 * mib, fileSystem: { kind: "fat16", label: "BOOT" }, from },
      { ...common, sizeBytes: 40 * mib, fileSystem: { kind: "ext4", label: "root" }, from },
      { ...common, sizeBytes: 16 * mib, fileSystem: { kind: "ext2", label: "small" }, from: [] },
      { ...common, sizeBytes: 4 * mib, type: "linux-swap", fileSystem: "none" },
      { ...common, sizeBytes: 3 * mib, fileSystem: "none" },
    ],
    from: [],
    force: false,
    preallocate: false,
    nowMs: 1_700_000_000_000,
  });
  await using device = await FileDevice.open(path);
  const { partitions = [] } = (await readTable(device)) ?? {};
  const [fat, ext, , ...others] = partitions.filter(({ extended }) => !extended);
  const [swap, unknown] = others;
  if (fat === undefined || ext === undefined || swap === undefined || unknown === undefined)
    throw new Error("partitions");
  await device.write(0, noise(440, 2));
  if (table === "mbr") await device.write(512, noise(2047 * 512, 3));
  await makeSwap(new SliceDevice(device, swap.startBytes, swap.sizeBytes), { uuid: swapUuid, label: "pages" });
  await device.write(unknown.startBytes + mib, noise(mib + 100, 4));
  // Free space: what was there once.
  await device.write(ext.startBytes + ext.sizeBytes - 2 * mib, noise(mib, 5));
  await device.write(fat.startBytes + fat.sizeBytes - 2 * mib, noise(mib, 6));
  return path;
}

/** Saves a disk into a folder that must not be there yet. */
export async function save(
  source: string,
  into: string,
  more: Partial<SaveRequest> = {},
  options: SaveOptions = {},
): Promise<SavedBackup> {
  const request = {
    source,
    into,
    name: "backup",
    packedAs: "zst",
    volumeBytes: 2_000_000_000,
    isUnchecked: false,
    retries: 2,
    nowMs: 1_700_000_000_000,
    command: "holdfast backup save",
    env: process.env,
    ...more,
  } as const;
  return await saveBackup(request, options);
}
