import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem } from "../../src/filesystem/index.ts";
import { applyRandomEdit, Dice, fingerprint, randomEdit } from "../filesystem/random-edits.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";
import { e2fsck } from "./e2fsck.ts";
import { StateFile } from "./state-file.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const skip = skipWithout("mke2fs", "e2fsck");

function makeImage(folder: TemporaryFolder, options: readonly string[], size: string): Uint8Array {
  const image = folder.join("made");
  fs.rmSync(image, { force: true });
  runPeer("mke2fs", ["-q", "-F", ...options, image, size]);
  return fs.readFileSync(image);
}

async function treeIn(bytes: Uint8Array): Promise<string> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return await fingerprint(fileSystem);
}

/** Makes a few random changes as one. */
async function editOnce(device: CrashDevice, dice: Dice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  const count = 1 + dice.below(8);
  for (let n = 0; n < count; n++) await applyRandomEdit(fileSystem, randomEdit(dice));
  await fileSystem.commit();
}

/** Moments at which power might fail: the ends, and some between. */
function* moments(device: CrashDevice, dice: Dice): Generator<CrashState> {
  const { writeCount } = device;
  if (writeCount === 0) return;
  yield device.after(dice.below(writeCount));
  yield device.after(Math.max(0, writeCount - 1 - dice.below(4)));
  const torn = 1 + dice.below(writeCount);
  yield device.after(torn, dice.below(1 + device.sectorsOf(torn)));
  const tornLate = Math.max(1, writeCount - dice.below(8));
  yield device.after(tornLate, dice.below(1 + device.sectorsOf(tornLate)));
  yield device.reordered(1 + dice.below(writeCount), () => dice.below(2) === 0);
  yield device.reordered(1 + dice.below(writeCount), () => dice.below(4) > 0);
}

const journalled = [
  { name: "ext4", options: ["-t", "ext4", "-J", "size=4"], size: "16M", edits: 40 },
  { name: "ext3 with blocks of 1 KiB", options: ["-t", "ext3", "-b", "1024"], size: "16M", edits: 40 },
  { name: "ext4 with quotas", options: ["-t", "ext4", "-b", "1024", "-O", "quota"], size: "16M", edits: 15 },
  { name: "ext4 without checksums", options: ["-t", "ext4", "-O", "^metadata_csum"], size: "16M", edits: 20 },
] as const;

for (const { name, options, size, edits } of journalled) {
  test(`${name}: power may fail at any write, what is left is before or after`, { skip }, async () => {
    await using folder = temporaryFolder();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const dice = new Dice(seed);
    const image = new StateFile(folder.join("state"));
    let bytes = makeImage(folder, options, size);
    let turn = 0;
    for (let edit = 0; edit < edits; edit++) {
      const device = new CrashDevice(bytes);
      const before = await treeIn(bytes);
      await editOnce(device, dice);
      const after = await treeIn(device.bytes);
      for (const state of moments(device, dice)) {
        const what = `seed ${seed}, edit ${edit}, ${state.how}`;
        if (turn++ % 4 === 0) {
          image.write(state.bytes);
          const { status, said } = e2fsck(image.path, "-y", "-E", "journal_only");
          assert.ok(status === 0 || status === 1, `${what}: ${said}`);
        } else {
          await using replayed = await editFileSystem(new MemoryDevice(state.bytes), { now });
          assert.ok(replayed.info.sizeBytes > 0);
          image.write(state.bytes);
        }
        const { status, said } = e2fsck(image.path, "-f", "-n");
        assert.equal(status, 0, `${what}: ${said}`);
        const tree = await treeIn(image.read());
        assert.ok(tree === before || tree === after, `${what}: neither before nor after\n${tree}`);
      }
      bytes = device.bytes;
    }
  });
}

test(
  "ext2: power may fail at any write, e2fsck mends it, and nothing that was there before is lost",
  { skip },
  async () => {
    await using folder = temporaryFolder();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const dice = new Dice(seed);
    const image = new StateFile(folder.join("state"));
    let bytes = makeImage(folder, ["-t", "ext2"], "16M");
    for (let edit = 0; edit < 30; edit++) {
      const device = new CrashDevice(bytes);
      const before = await contentsIn(bytes);
      await editOnce(device, dice);
      const after = await contentsIn(device.bytes);
      for (const state of moments(device, dice)) {
        const what = `seed ${seed}, edit ${edit}, ${state.how}`;
        image.write(state.bytes);
        const mended = e2fsck(image.path, "-f", "-y");
        assert.ok(mended.status === 0 || mended.status === 1, `${what}: ${mended.said}`);
        const left = await contentsIn(image.read());
        // What is both before and after was not the edit's to take away.
        for (const content of before) {
          if (after.has(content)) assert.ok(left.has(content), `${what}: lost ${content}\n${mended.said}`);
        }
      }
      bytes = device.bytes;
    }
  },
);

/** The kinds, sizes and hashes of all files, wherever they are. */
async function contentsIn(bytes: Uint8Array): Promise<Set<string>> {
  const lines = (await treeIn(bytes)).split("\n");
  const files = lines.filter((line) => / file /.test(line)).map((line) => line.split(" "));
  return new Set(files.map((words) => `${words[4] ?? ""} bytes ${words.at(-1) ?? ""}`));
}
