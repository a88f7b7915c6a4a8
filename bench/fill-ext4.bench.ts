import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { debianTree, smallFiles, tarOf } from "./inputs.ts";

const sizeBytes = 1_200_000_000;

interface Filling {
  readonly of: string;
  readonly from: "folder" | "tar";
  readonly ratioLimit: number;
  readonly inodeRatio: number;
  readonly makeTree: (folder: string) => string;
}

function filling({ of, from, ratioLimit, inodeRatio, makeTree }: Filling): Bench {
  return {
    name: `fill ext4 from a ${from}, ${of}`,
    peer: "mke2fs -d (folder)",
    ratioLimit,
    prepare(folder) {
      const ours = path.join(folder, "ours.disk");
      const theirs = path.join(folder, "theirs.ext4");
      const tree = makeTree(folder);
      const spec = `fs=ext4,inode-ratio=${inodeRatio},from=${from === "tar" ? tarOf(tree) : tree}`;
      return {
        ours: ["./holdfast", "disk", "create", ours, "--size", String(sizeBytes), "--partition", spec],
        theirs: ["mke2fs", "-q", "-F", "-t", "ext4", "-i", String(inodeRatio), "-d", tree, theirs],
        outputs: [ours, theirs],
        beforeTheirs() {
          fs.writeFileSync(theirs, "");
          fs.truncateSync(theirs, sizeBytes);
        },
      };
    },
  };
}

const debian = { of: "300 MB of Debian", inodeRatio: 16384, makeTree: debianTree };
const small = { of: "100,000 small files", inodeRatio: 8192, makeTree: smallFiles };

/** Filling ext4 against `mke2fs -d` of the same folder. */
export const benches: readonly Bench[] = [
  filling({ ...debian, from: "folder", ratioLimit: 0.8 }),
  filling({ ...debian, from: "tar", ratioLimit: 0.5 }),
  filling({ ...small, from: "folder", ratioLimit: 0.8 }),
  filling({ ...small, from: "tar", ratioLimit: 0.5 }),
];
