import { test } from "node:test";
import { sampleFat } from "../filesystem/fat/sample-fat.ts";
import { skipWithout } from "../peers/peer.ts";
import { assertNothingIsLost } from "./crash-fat.ts";

const skip = skipWithout("fsck.fat");

for (const [kind, sizeBytes, clusterBytes] of [
  ["fat12", 2 ** 21, 1024],
  ["fat16", 5 * 2 ** 20, 1024],
  ["fat32", 34 * 2 ** 20, 512],
] as const) {
  test(
    `${kind}: power may fail at any write, fsck.fat mends it, and nothing that was there before is lost`,
    { skip },
    async () => {
      const { bytes } = await sampleFat(kind, sizeBytes, clusterBytes);
      await assertNothingIsLost({ bytes, editCount: kind === "fat32" ? 20 : 40, mender: ["fsck.fat", "-a"] });
    },
  );
}
