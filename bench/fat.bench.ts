import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { largeFile, makeDisk, smallFiles } from "./inputs.ts";

const diskBytes = 4_000_000_000;
const partitionStart = 1024 * 1024;

/** What a user of a USB key waits for: an ISO copied onto it. */
const largeFileIn: Bench = {
  name: "put a file of 1 GiB into FAT32, replacing one",
  peer: "mcopy, fsync",
  ratioLimit: 1,
  prepare(folder) {
    const file = largeFile(folder);
    const [ours, theirs] = ["ours.disk", "theirs.disk"].map((name) => {
      return makeDisk(path.join(folder, name), "--size", String(diskBytes), "--partition", "fs=fat32");
    }) as [string, string];
    const mcopy = `mcopy -D o -i "$1@@${partitionStart}" "$0" ::/file && sync "$1"`;
    return {
      ours: ["./holdfast", "disk", "put", file, `${ours}:/file`],
      theirs: ["sh", "-c", mcopy, file, theirs],
      outputs: [],
      cleanUp: () => [ours, theirs].forEach((disk) => fs.rmSync(disk)),
    };
  },
};

const smallFilesIn: Bench = {
  name: "make FAT32 and fill it from a folder, 100,000 small files",
  peer: "mkfs.fat, mcopy -s",
  ratioLimit: 1,
  prepare(folder) {
    const tree = smallFiles(folder);
    const [ours, theirs] = [path.join(folder, "ours.disk"), path.join(folder, "theirs.fat")];
    const spec = `fs=fat32,from=${tree}`;
    const fill = 'mkfs.fat -F 32 -C "$1" 1000000 > /dev/null && mcopy -s -i "$1" "$0"/* ::/';
    return {
      ours: ["./holdfast", "disk", "create", ours, "--size", "1024000000", "--partition", spec],
      theirs: ["sh", "-c", fill, tree, theirs],
      outputs: [ours, theirs],
    };
  },
};

/** FAT against mtools. */
export const benches: readonly Bench[] = [largeFileIn, smallFilesIn];
