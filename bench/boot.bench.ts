import * as path from "node:path";
import type { Bench } from "./bench.ts";
import { bootableTree } from "./inputs.ts";

/** What making a disk start costs: the same disk with and without it. */
export const benches: readonly Bench[] = [
  {
    name: "a disk of 4 GB that starts, from a ready tree",
    peer: "the same disk without --boot",
    secondsBeyondLimit: 2,
    prepare(folder) {
      const tree = bootableTree(folder);
      const [ours, theirs] = [path.join(folder, "ours.disk"), path.join(folder, "theirs.disk")];
      const words = ["--size", "4GB", "--table", "gpt", "--from", tree];
      return {
        ours: ["./holdfast", "disk", "create", ours, ...words, "--boot", "bios,uefi"],
        theirs: ["./holdfast", "disk", "create", theirs, ...words],
        outputs: [ours, theirs],
      };
    },
  },
];
