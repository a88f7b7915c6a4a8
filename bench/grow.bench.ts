import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { makeDisk } from "./inputs.ts";

const fromBytes = 4 * 2 ** 30;
const toBytes = 64 * 2 ** 30;
const partitionStart = 1024 * 1024;

/** An empty ext4 file system without a partition table, for resize2fs knows none. */
function imageIn(folder: string, name: string): string {
  const image = path.join(folder, name);
  fs.rmSync(image, { force: true });
  fs.writeFileSync(image, "");
  fs.truncateSync(image, fromBytes);
  execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", image]);
  return image;
}

const growing: Bench = {
  name: "grow ext4 from 4 to 64 GiB",
  peer: "truncate, resize2fs",
  ratioLimit: 1,
  prepare(folder) {
    const made = imageIn(folder, "made.image");
    const [ours, theirs] = [path.join(folder, "ours.image"), path.join(folder, "theirs.image")];
    const copyTo = (image: string) => () => void execFileSync("cp", ["--sparse=always", made, image]);
    return {
      ours: ["./holdfast", "disk", "grow", ours, "--size", String(toBytes)],
      theirs: ["sh", "-c", `truncate -s ${toBytes} "$0" && resize2fs "$0"`, theirs],
      beforeOurs: copyTo(ours),
      beforeTheirs: copyTo(theirs),
      outputs: [ours, theirs],
      cleanUp: () => fs.rmSync(made),
    };
  },
};

/** The whole job: resize2fs knows no partition table, and wants a file system that was just checked. */
const growingDisk: Bench = {
  name: "grow a disk from 4 to 64 GiB: file, GPT, partition and ext4",
  peer: "truncate, sfdisk, losetup, e2fsck, resize2fs (root)",
  ratioLimit: 1,
  prepare(folder) {
    const [made, ours, theirs] = ["made", "ours", "theirs"].map((name) => path.join(folder, `${name}.disk`)) as [
      string,
      string,
      string,
    ];
    makeDisk(made, "--size", String(fromBytes), "--table", "gpt");
    const byHand = [
      `truncate -s ${toBytes} "$0"`,
      `sfdisk -q --relocate gpt-bak-std "$0"`,
      `echo ", +" | sfdisk -q --no-reread --no-tell-kernel -N 1 "$0"`,
      `loop=$(losetup -f --show -o ${partitionStart} --sizelimit $((${toBytes} - 2 * ${partitionStart})) "$0")`,
      `e2fsck -f -p "$loop" > /dev/null`,
      `resize2fs "$loop" 2> /dev/null`,
      `losetup -d "$loop"`,
    ].join(" && ");
    const copyTo = (disk: string) => () => void execFileSync("cp", ["--sparse=always", made, disk]);
    return {
      ours: ["./holdfast", "disk", "grow", ours, "--size", String(toBytes)],
      theirs: ["sh", "-c", byHand, theirs],
      beforeOurs: copyTo(ours),
      beforeTheirs: copyTo(theirs),
      outputs: [ours, theirs],
      cleanUp: () => fs.rmSync(made),
    };
  },
};

/** Giving a disk more room. */
export const benches: readonly Bench[] = [growing, growingDisk];
