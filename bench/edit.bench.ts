import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { largeFile, makeDisk } from "./inputs.ts";

const diskBytes = 4_000_000_000;
const partitionStart = 1024 * 1024;

/** A disk of 4 GB with an empty ext4 file system, by its name. */
function diskIn(folder: string, name: string): string {
  return makeDisk(path.join(folder, name), "--size", String(diskBytes));
}

const oneFile: Bench = {
  name: "replace one small file in a disk of 4 GB",
  peer: "debugfs -w",
  ratioLimit: 1,
  secondsLimit: 0.4,
  prepare(folder) {
    const [ours, theirs] = [diskIn(folder, "ours.disk"), diskIn(folder, "theirs.disk")];
    const [file, requests] = [path.join(folder, "motd"), path.join(folder, "requests")];
    fs.writeFileSync(file, "hello\n");
    fs.writeFileSync(requests, `rm /motd\nwrite ${file} /motd\n`);
    return {
      ours: ["./holdfast", "disk", "put", file, `${ours}:/motd`],
      theirs: ["debugfs", "-w", "-f", requests, `${theirs}?offset=${partitionStart}`],
      outputs: [],
      cleanUp: () => [ours, theirs].forEach((disk) => fs.rmSync(disk)),
    };
  },
};

const largeFileIn: Bench = {
  name: "put a file of 1 GiB into a disk, replacing one",
  peer: "cp onto a loop mount, fsync (root)",
  ratioLimit: 1.11,
  prepare(folder) {
    const [ours, theirs] = [diskIn(folder, "ours.disk"), diskIn(folder, "theirs.disk")];
    const [file, mountPoint] = [largeFile(folder), path.join(folder, "mnt")];
    fs.mkdirSync(mountPoint, { recursive: true });
    execFileSync("mount", ["-o", `loop,offset=${partitionStart}`, theirs, mountPoint]);
    return {
      ours: ["./holdfast", "disk", "put", file, `${ours}:/file`],
      theirs: ["sh", "-c", `cp "$0" "$1" && sync -f "$1"`, file, path.join(mountPoint, "file")],
      outputs: [],
      cleanUp() {
        execFileSync("umount", [mountPoint]);
        for (const disk of [ours, theirs]) fs.rmSync(disk);
      },
    };
  },
};

/** Changing what is inside a disk, everything on the disk at the end. */
export const benches: readonly Bench[] = [oneFile, largeFileIn];
