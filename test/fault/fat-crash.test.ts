/** Power fails while a FAT file system is changed: what was there before, and was not to go, is there afterwards. */
import { test } from "node:test";
import { sampleFat } from "../filesystem/fat/sample-fat.ts";
import { Dice } from "../filesystem/random-edits.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { assertNothingLost } from "./cut-off-edits.ts";
import { StateFile } from "./state-file.ts";

const skip = skipWithout("fsck.fat");
/**
 * Of a directory that was moved, and has both names, it empties one, and sees only when run again that no directory is
 * left there, nor its long name.
 */
const mender = { program: "fsck.fat", mend: "-a", look: "-n" };

for (const [kind, sizeBytes, clusterBytes] of [
  ["fat12", 2 ** 21, 1024],
  ["fat16", 5 * 2 ** 20, 1024],
  ["fat32", 34 * 2 ** 20, 512],
] as const) {
  test(
    `${kind}: power may fail at any write, fsck.fat mends it, and nothing that was there before is lost`,
    { skip },
    async () => {
      await using folder = temporaryFolder();
      const image = new StateFile(folder.join("state"));
      const seed = Math.floor(Math.random() * 2 ** 31);
      const dice = new Dice(seed);
      let { bytes } = await sampleFat(kind, sizeBytes, clusterBytes);
      for (let edit = 0; edit < (kind === "fat32" ? 20 : 40); edit++) {
        bytes = await assertNothingLost(bytes, { dice, image, mender, what: `seed ${seed}, edit ${edit}` });
      }
    },
  );
}
