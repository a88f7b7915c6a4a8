import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./bench.ts";

const sizeBytes = 4_000_000_000;

/** An empty disk of 4 GB, Node's start included, against partitioning and formatting by two programs. */
export const benches: readonly Bench[] = [
  {
    name: "empty disk of 4 GB",
    peer: "sfdisk, mke2fs",
    ratioLimit: 1,
    secondsLimit: 0.25,
    prepare(folder) {
      const ours = path.join(folder, "ours.disk");
      const theirs = path.join(folder, "theirs.disk");
      const script = `echo 2048,,83 | sfdisk -q "${theirs}" && mke2fs -q -F -t ext4 -E offset=1048576 "${theirs}" 976307`;
      return {
        ours: ["./holdfast", "disk", "create", ours, "--size", String(sizeBytes)],
        theirs: ["sh", "-c", script],
        outputs: [ours, theirs],
        beforeTheirs() {
          fs.writeFileSync(theirs, "");
          fs.truncateSync(theirs, sizeBytes);
        },
      };
    },
  },
];
