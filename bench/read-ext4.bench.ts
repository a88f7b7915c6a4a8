import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { debianTree, smallFiles } from "./inputs.ts";

function reading(of: string, makeTree: (folder: string) => string): Bench {
  return {
    name: `list and hash every file, ${of}`,
    peer: "debugfs rdump",
    ratioLimit: 1,
    prepare(folder) {
      const image = imageOf(makeTree(folder));
      const dump = path.join(folder, "dump");
      return {
        ours: [process.execPath, "--max-semi-space-size=8", "bench/list-and-hash.ts", image], // as ./holdfast starts Node
        theirs: ["debugfs", "-R", `rdump / ${dump}`, image],
        outputs: [dump],
        beforeTheirs: () => fs.mkdirSync(dump),
      };
    },
  };
}

function imageOf(tree: string): string {
  const image = `${tree}.ext4`;
  if (fs.existsSync(image)) return image;
  fs.writeFileSync(`${image}.part`, "");
  fs.truncateSync(`${image}.part`, 1_200_000_000);
  execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", "-i", "8192", "-d", tree, `${image}.part`]);
  fs.renameSync(`${image}.part`, image);
  return image;
}

/** Listing and hashing every file of an ext4 image against `debugfs rdump` of the same image. */
export const benches: readonly Bench[] = [
  reading("300 MB of Debian", debianTree),
  reading("100,000 small files", smallFiles),
];
