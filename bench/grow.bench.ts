import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";

const fromBytes = 4 * 2 ** 30;
const toBytes = 64 * 2 ** 30;

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

/** Giving a disk more room. */
export const benches: readonly Bench[] = [growing];
