import { test } from "node:test";
import { sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { skipWithout } from "../peers/peer.ts";
import { assertNothingIsLost } from "./crash-fat.ts";

const skip = skipWithout("fsck.exfat");
const editCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 15);

for (const clusterBytes of [512, 1024, 4096]) {
  test(
    `clusters of ${clusterBytes}: power may fail at any write, fsck.exfat mends it, and nothing that was there before is lost`,
    { skip },
    async () => {
      const { bytes } = await sampleExfat(3 * 2 ** 20, clusterBytes);
      await assertNothingIsLost({ bytes, editCount, mender: ["fsck.exfat", "-y"] });
    },
  );
}
