/** File systems of all kinds that grow, are changed, and shrink, in any order: e2fsck finds no fault, no file changes. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { FileDevice } from "../../src/device/index.ts";
import { editFileSystem, growFileSystem, openFileSystem, shrinkFileSystem } from "../../src/filesystem/index.ts";
import { applyRandomEdit, Dice, fingerprint, randomEdit } from "../filesystem/random-edits.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 12);
const stepsPerRound = 6;
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const MiB = 1024 * 1024;

function randomKind(dice: Dice): string[] {
  const type = dice.pick(["ext2", "ext3", "ext4", "ext4", "ext4"]);
  const blockSize = dice.pick([1024, 1024, 2048, 4096]);
  const words = ["-t", type, "-b", String(blockSize)];
  if (dice.below(2) === 0) words.push("-g", String(dice.pick([1024, 2048, 4096])));
  words.push("-N", String(dice.pick([2000, 6000, 20_000])));
  words.push("-I", String(dice.pick([128, 256, 256])));
  if (dice.below(3) === 0) words.push("-E", `resize=${dice.pick([100_000, 300_000])}`);
  const features: string[] = [];
  const [first] = [dice.below(6)];
  if (first === 0) features.push("^resize_inode");
  if (first === 1) features.push("^resize_inode", "meta_bg");
  if (first === 2) features.push("^resize_inode", "^sparse_super");
  if (first === 3 && type !== "ext2") features.push("sparse_super2");
  if (type === "ext4") {
    if (dice.below(3) === 0) features.push("^64bit");
    if (dice.below(3) === 0) features.push("^flex_bg");
    if (dice.below(3) === 0) features.push("^metadata_csum", "uninit_bg");
    if (first !== 3 && dice.below(5) === 0) features.push("^has_journal");
    if (dice.below(5) === 0) features.push("^extent", "^64bit");
  }
  if (features.some((feature) => feature === "^resize_inode")) {
    const at = words.indexOf("-E");
    if (at >= 0) words.splice(at, 2);
  }
  if (features.length > 0) words.push("-O", features.join(","));
  return words;
}

async function edit(image: string, dice: Dice): Promise<void> {
  await using device = await FileDevice.open(image);
  for (let n = 0; n < 3; n++) {
    await using fileSystem = await editFileSystem(device, { now });
    try {
      for (let m = 0; m < 12; m++) await applyRandomEdit(fileSystem, randomEdit(dice));
      await fileSystem.commit();
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "no-space") throw error;
    }
  }
}

async function treeIn(image: string): Promise<string> {
  await using device = await FileDevice.open(image);
  await using fileSystem = await openFileSystem(device);
  return await fingerprint(fileSystem);
}

async function resize(image: string, dice: Dice): Promise<string> {
  if (dice.below(2) === 0) {
    const before = fs.statSync(image).size;
    const toBytes = Math.floor(before * (1 + (dice.below(1000) / 1000) * dice.pick([0.02, 1, 6])));
    fs.truncateSync(image, Math.min(toBytes, 600 * MiB));
    await using device = await FileDevice.open(image);
    const zeroFromBytes = dice.below(2) === 0 ? before : Infinity;
    const { afterBytes } = await growFileSystem(device, { now, zeroFromBytes });
    return `grow to ${afterBytes}`;
  }
  const options = dice.below(2) === 0 ? {} : { sizeBytes: Math.floor(fs.statSync(image).size * 0.7) };
  let done;
  try {
    await using device = await FileDevice.open(image);
    done = await shrinkFileSystem(device, { now, ...options });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "no-space") throw error;
    return `did not shrink: ${error.message}`;
  }
  fs.truncateSync(image, done.afterBytes);
  return `shrink to ${done.afterBytes}`;
}

test(
  "a file system of any kind grows, is changed and shrinks in any order",
  { skip: skipWithout("mke2fs", "e2fsck") },
  async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    for (let seed = firstSeed; seed < firstSeed + roundCount; seed++) {
      const dice = new Dice(seed);
      const words = randomKind(dice);
      fs.rmSync(image, { force: true });
      runPeer("mke2fs", ["-q", "-F", ...words, image, `${20 + dice.below(60)}M`]);
      const steps = [words.join(" ")];
      for (let step = 0; step < stepsPerRound; step++) {
        await edit(image, dice);
        const tree = await treeIn(image);
        const where = () => `HOLDFAST_SEED=${seed}: mke2fs ${steps.join("; ")}`;
        try {
          steps.push(await resize(image, dice));
          runPeer("e2fsck", ["-f", "-n", image]);
        } catch (error) {
          const said =
            error instanceof Error && "stdout" in error ? String(error.stdout).slice(0, 2000) : String(error);
          assert.fail(`${where()}\n${said}\n${error instanceof Error ? error.stack : ""}`);
        }
        assert.ok((await treeIn(image)) === tree, `${where()}: the files are others`);
      }
    }
  },
);
