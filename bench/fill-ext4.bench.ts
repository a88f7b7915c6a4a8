import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench, BenchMaker } from "./bench.ts";
import { debianTree, smallFiles, tarOf } from "./inputs.ts";

const sizeBytes = 1_200_000_000;
const smallRatio = 8192;

/** Filling ext4 against `mke2fs -d` of the same folder. */
export const benches: BenchMaker = (folder) => {
  const ours = path.join(folder, "ours.disk");
  const theirs = path.join(folder, "theirs.ext4");
  const bench = (name: string, tree: string, source: string, ratioLimit: number, inodeRatio: number): Bench => {
    const spec = `fs=ext4,inode-ratio=${inodeRatio},from=${source}`;
    return {
      name,
      peer: "mke2fs -d (folder)",
      ratioLimit,
      ours: ["./holdfast", "disk", "create", ours, "--size", String(sizeBytes), "--partition", spec],
      theirs: ["mke2fs", "-q", "-F", "-t", "ext4", "-i", String(inodeRatio), "-d", tree, theirs],
      outputs: [ours, theirs],
      beforeTheirs() {
        fs.writeFileSync(theirs, "");
        fs.truncateSync(theirs, sizeBytes);
      },
    };
  };
  const debian = debianTree(folder);
  const small = smallFiles(folder);
  return [
    bench("fill ext4 from a folder, 300 MB of Debian", debian, debian, 0.8, 16384),
    bench("fill ext4 from a tar, 300 MB of Debian", debian, tarOf(debian), 0.5, 16384),
    bench("fill ext4 from a folder, 100,000 small files", small, small, 0.8, smallRatio),
    bench("fill ext4 from a tar, 100,000 small files", small, tarOf(small), 0.5, smallRatio),
  ];
};
