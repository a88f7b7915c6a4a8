import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench, BenchMaker } from "./bench.ts";
import { debianTree, smallFiles } from "./inputs.ts";

/** Listing and hashing every file of an ext4 image against `debugfs rdump` of the same image. */
export const benches: BenchMaker = (folder) => {
  const bench = (name: string, tree: string): Bench => {
    const image = `${tree}.ext4`;
    if (!fs.existsSync(image)) {
      fs.writeFileSync(`${image}.part`, "");
      fs.truncateSync(`${image}.part`, 1_200_000_000);
      execFileSync("mke2fs", ["-q", "-F", "-t", "ext4", "-i", "8192", "-d", tree, `${image}.part`]);
      fs.renameSync(`${image}.part`, image);
    }
    const dump = path.join(folder, "dump");
    return {
      name,
      peer: "debugfs rdump",
      ratioLimit: 1,
      ours: [process.execPath, "--max-semi-space-size=8", "bench/list-and-hash.ts", image], // as ./holdfast starts Node
      theirs: ["debugfs", "-R", `rdump / ${dump}`, image],
      outputs: [dump],
      beforeTheirs: () => fs.mkdirSync(dump),
    };
  };
  return [
    bench("list and hash every file, 300 MB of Debian", debianTree(folder)),
    bench("list and hash every file, 100,000 small files", smallFiles(folder)),
  ];
};
