/** Power fails while an exFAT file system is changed: what was there before, and was not to go, is there afterwards. */
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { fileSets, setBytes } from "../../src/filesystem/exfat/directory-sets.ts";
import { factsIn } from "../../src/filesystem/exfat/exfat-file.ts";
import { clusterAt, readLayout } from "../../src/filesystem/exfat/layout.ts";
import { sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { Dice } from "../filesystem/random-edits.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { assertNothingLost } from "./cut-off-edits.ts";
import { StateFile } from "./state-file.ts";

const skip = skipWithout("fsck.exfat");
const editsEach = Number(process.env["HOLDFAST_ROUNDS"] ?? 8);
const mender = { program: "fsck.exfat", mend: "-y", look: "-n" };

/** The same file system, all directories of one cluster with some free entries in front: sets may be across sectors, as others put them. */
async function withSetsAnywhere(bytes: Uint8Array, dice: Dice): Promise<Uint8Array> {
  const moved = Uint8Array.from(bytes);
  const layout = await readLayout(new MemoryDevice(moved));
  const shift = (cluster: number, clusters: number): void => {
    const at = clusterAt(layout, cluster);
    const directory = moved.subarray(at, at + layout.clusterBytes);
    for (const set of fileSets(directory)) {
      const { file, stream } = factsIn(setBytes(directory, set));
      if ((file.attributes & 0x10) !== 0) shift(stream.firstCluster, stream.dataBytes / layout.clusterBytes);
    }
    const end = Array.from({ length: directory.length / 32 }, (_, slot) => directory[slot * 32]).indexOf(0);
    const free = 1 + dice.below(14);
    if (clusters !== 1 || end < 0 || (end + free) * 32 > directory.length) return;
    directory.copyWithin(free * 32, 0, end * 32);
    for (let slot = 0; slot < free; slot++)
      directory.fill(0, slot * 32, slot * 32 + 32).fill(5, slot * 32, slot * 32 + 1);
  };
  shift(layout.rootCluster, 1);
  return moved;
}

for (const [clusterBytes, isAnywhere] of [
  [512, false],
  [1024, false],
  [4096, true],
] as const) {
  test(
    `clusters of ${clusterBytes}: power may fail at any write, fsck.exfat mends it, and nothing that was there before is lost`,
    { skip },
    async () => {
      await using folder = temporaryFolder();
      const image = new StateFile(folder.join("state"));
      const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
      const dice = new Dice(seed);
      let { bytes } = await sampleExfat(3 * 2 ** 20, clusterBytes);
      for (let edit = 0; edit < editsEach; edit++) {
        if (isAnywhere) bytes = await withSetsAnywhere(bytes, dice);
        bytes = await assertNothingLost(bytes, { dice, image, mender, what: `seed ${seed}, edit ${edit}` });
      }
    },
  );
}
