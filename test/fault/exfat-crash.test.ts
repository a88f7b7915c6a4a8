/** Power fails while an exFAT file system is changed: what was there before, and was not to go, is there afterwards. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem, treeOf } from "../../src/filesystem/index.ts";
import { sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { applyRandomEdit, Dice, randomEdit, type RandomEdit } from "../filesystem/random-edits.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { CrashDevice, type CrashState } from "./crash-device.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const skip = skipWithout("fsck.exfat");
const editsEach = Number(process.env["HOLDFAST_ROUNDS"] ?? 15);
const notHere: ReadonlySet<RandomEdit["verb"]> = new Set(["link", "symlink", "chmod", "chown"]);

function possibleEdit(dice: Dice): RandomEdit {
  for (;;) {
    const edit = randomEdit(dice);
    if (!notHere.has(edit.verb)) return edit;
  }
}

async function editOnce(device: CrashDevice, dice: Dice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  const count = 1 + dice.below(8);
  for (let n = 0; n < count; n++) await applyRandomEdit(fileSystem, possibleEdit(dice));
  await fileSystem.commit();
}

/** What `fsck.exfat` makes of a state that power failing left. */
function mended(folder: TemporaryFolder, state: CrashState, what: string): Uint8Array {
  const image = folder.join("state");
  fs.writeFileSync(image, state.bytes);
  const said: string[] = [];
  const run = (option: string): number => {
    const { status, stdout, stderr } = spawnSync("/usr/sbin/fsck.exfat", [option, image], { encoding: "utf8" });
    said.push(stdout, stderr);
    return status ?? -1;
  };
  for (let turn = 0; turn < 4 && run("-y") !== 0; turn++);
  assert.equal(run("-n"), 0, `${what}: ${said.join("\n")}`);
  return fs.readFileSync(image);
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

for (const clusterBytes of [512, 1024, 4096]) {
  test(
    `clusters of ${clusterBytes}: power may fail at any write, fsck.exfat mends it, and nothing that was there before is lost`,
    { skip },
    async () => {
      await using folder = temporaryFolder();
      const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
      const dice = new Dice(seed);
      let { bytes } = await sampleExfat(3 * 2 ** 20, clusterBytes);
      for (let edit = 0; edit < editsEach; edit++) {
        const device = new CrashDevice(bytes);
        const before = await contentsIn(bytes);
        await editOnce(device, dice);
        const after = await contentsIn(device.bytes);
        for (const state of moments(device, dice)) {
          const what = `seed ${seed}, edit ${edit}, ${state.how}`;
          const left = await contentsIn(mended(folder, state, what));
          for (const content of before)
            if (after.has(content)) assert.ok(left.has(content), `${what}: lost ${content}`);
        }
        bytes = device.bytes;
      }
    },
  );
}
