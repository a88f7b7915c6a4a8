import { execFileSync } from "node:child_process";
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
  name: "put 2,000 small files in two folders into FAT32",
  peer: "mcopy -s, fsync",
  ratioLimit: 1,
  prepare(folder) {
    const tree = smallFiles(folder);
    const folders = Array.from({ length: 2 }, (_, n) => path.join(tree, `folder-00${n}`));
    const made = makeDisk(path.join(folder, "made.disk"), "--size", String(diskBytes), "--partition", "fs=fat32");
    const [ours, theirs] = [path.join(folder, "ours.disk"), path.join(folder, "theirs.disk")];
    const copyTo = (disk: string) => () => void execFileSync("cp", ["--sparse=always", made, disk]);
    const mcopy = `mcopy -s -i "$0@@${partitionStart}" "$@" ::/ && sync "$0"`;
    return {
      ours: ["./holdfast", "disk", "put", ...folders, `${ours}:/`],
      theirs: ["sh", "-c", mcopy, theirs, ...folders],
      beforeOurs: copyTo(ours),
      beforeTheirs: copyTo(theirs),
      outputs: [ours, theirs],
      cleanUp: () => fs.rmSync(made),
    };
  },
};

/** FAT against mtools. */
export const benches: readonly Bench[] = [largeFileIn, smallFilesIn];
