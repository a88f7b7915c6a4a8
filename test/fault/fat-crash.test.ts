/** Power fails while a FAT file system is changed: what was there before, and was not to go, is there afterwards. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, treeOf } from "../../src/filesystem/index.ts";
import { sampleFat } from "../filesystem/fat/sample-fat.ts";
import { applyRandomEdit, Dice, randomEdit, type RandomEdit } from "../filesystem/random-edits.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";
import { StateFile } from "./state-file.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const skip = skipWithout("fsck.fat");
const notOnFat: ReadonlySet<RandomEdit["verb"]> = new Set(["link", "symlink", "chmod", "chown"]);

function fatEdit(dice: Dice): RandomEdit {
  for (;;) {
    const edit = randomEdit(dice);
    if (!notOnFat.has(edit.verb)) return edit;
  }
}

async function editOnce(device: CrashDevice, dice: Dice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  const count = 1 + dice.below(8);
  for (let n = 0; n < count; n++) await applyRandomEdit(fileSystem, fatEdit(dice));
  await fileSystem.commit();
}

/**
 * What `fsck.fat` makes of a state that power failing left. Of a directory that was moved, and has both names, it
 * empties one, and sees only when run again that no directory is left there, nor its long name.
 */
function mended(image: StateFile, state: CrashState, what: string): Uint8Array {
  image.write(state.bytes);
  const said: string[] = [];
  const run = (option: string): number => {
    const { status, stdout, stderr } = spawnSync("/usr/sbin/fsck.fat", [option, image.path], { encoding: "utf8" });
    said.push(stdout, stderr);
    return status ?? -1;
  };
  for (let turn = 0; turn < 4 && run("-a") !== 0; turn++);
  assert.equal(run("-n"), 0, `${what}: ${said.join("\n")}`);
  return image.read();
}

/** The sizes and hashes of all files, wherever they are. */
async function contentsIn(bytes: Uint8Array): Promise<Set<string>> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  const contents = new Set<string>();
  for await (const batch of treeOf(fileSystem, "/").entries()) {
    for (const entry of batch) {
      if (entry.kind !== "file" || entry.sizeBytes === 0) continue;
      const hash = createHash("sha256");
      for await (const piece of entry.content ?? []) hash.update(piece.bytes);
      contents.add(`${entry.sizeBytes} bytes ${hash.digest("hex").slice(0, 16)}`);
    }
  }
  return contents;
}

/** All moments between two writes of small edits, some of larger ones, and reordered and torn writes. */
function* moments(device: CrashDevice, dice: Dice): Generator<CrashState> {
  const { writeCount } = device;
  for (let count = 0; count < writeCount; count++)
    if (writeCount < 12 || dice.below(4) === 0) yield device.after(count);
  if (writeCount === 0) return;
  for (let n = 0; n < 4; n++) {
    const torn = 1 + dice.below(writeCount);
    yield device.after(torn, dice.below(1 + device.sectorsOf(torn)));
    yield device.reordered(1 + dice.below(writeCount), () => dice.below(1 + n) === 0);
  }
}

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
        const device = new CrashDevice(bytes);
        const before = await contentsIn(bytes);
        await editOnce(device, dice);
        const after = await contentsIn(device.bytes);
        for (const state of moments(device, dice)) {
          const what = `seed ${seed}, edit ${edit}, ${state.how}`;
          const left = await contentsIn(mended(image, state, what));
          for (const content of before)
            if (after.has(content)) assert.ok(left.has(content), `${what}: lost ${content}`);
        }
        bytes = device.bytes;
      }
    },
  );
}
