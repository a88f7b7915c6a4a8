/** A file system that shrinks when the power fails: every file is there, and shrinking it again finishes it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { openFileSystem, shrinkFileSystem } from "../../src/filesystem/index.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { Dice, fingerprint } from "../filesystem/random-edits.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { CrashDevice, moments } from "./crash-device.ts";
import { e2fsck } from "./e2fsck.ts";
import { StateFile } from "./state-file.ts";

const skip = skipWithout("mke2fs", "e2fsck", "debugfs");
const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const momentCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 4);
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
/** Groups of 1 MiB, so that a small file system has many, and their descriptors need several blocks. */
const small = ["-b", "1024", "-g", "1024", "-N", "2400"];

/** Files and directories all over it, their inodes too: of many, most are removed again. */
function makeImage(folder: TemporaryFolder, words: readonly string[]): Uint8Array {
  const [image, tree, requests] = [folder.join("made"), folder.join("tree"), folder.join("requests")];
  fs.mkdirSync(`${tree}/a/b`, { recursive: true });
  for (let n = 0; n < 60; n++) fs.writeFileSync(`${tree}/a/file-${n}`, noise(n, n * 5000));
  fs.writeFileSync(`${tree}/a/sparse`, noise(1, 10));
  fs.truncateSync(`${tree}/a/sparse`, 300_000);
  fs.appendFileSync(`${tree}/a/sparse`, noise(2, 3000));
  fs.symlinkSync("long/".repeat(30), `${tree}/a/link`);
  for (let n = 0; n < 90; n++) fs.writeFileSync(`${tree}/a/b/file-with-a-rather-long-name-${n}`, `${n}`);
  for (let n = 0; n < 800; n++) {
    const directory = `${tree}/d-${Math.floor(n / 40)}`;
    fs.mkdirSync(`${directory}/empty`, { recursive: true });
    fs.writeFileSync(`${directory}/${n}`, `${n}`);
  }
  fs.linkSync(`${tree}/d-19/760`, `${tree}/a/hard`);
  runPeer("mke2fs", ["-q", "-F", ...small, ...words, "-d", tree, image, "30M"]);
  const removed = Array.from({ length: 30 }, (_, n) => `rm /a/file-${n * 2}`);
  for (let n = 0; n < 800; n++) if (n % 40 > 3) removed.push(`rm /d-${Math.floor(n / 40)}/${n}`);
  fs.writeFileSync(requests, removed.join("\n"));
  runPeer("debugfs", ["-w", "-f", requests, image]);
  runPeer("e2fsck", ["-f", "-n", image]);
  return fs.readFileSync(image);
}

async function treeIn(bytes: Uint8Array): Promise<string> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return await fingerprint(fileSystem);
}

const kinds = [
  { name: "ext4", words: ["-t", "ext4"], hasJournal: true },
  { name: "ext4 without a resize inode", words: ["-t", "ext4", "-O", "^resize_inode"], hasJournal: true },
  { name: "ext4 with meta_bg", words: ["-t", "ext4", "-O", "^resize_inode,meta_bg"], hasJournal: true },
  { name: "ext3", words: ["-t", "ext3", "-I", "128"], hasJournal: true },
  { name: "ext2", words: ["-t", "ext2", "-N", "12000", "-I", "128"], hasJournal: false }, // its inodes stay where they are
];

for (const { name, words, hasJournal } of kinds) {
  test(
    `${name}: cut off at any write, no file is lost, and it is finished by shrinking it again`,
    { skip },
    async () => {
      await using folder = temporaryFolder();
      const dice = new Dice(seed);
      const device = new CrashDevice(makeImage(folder, words));
      const tree = await treeIn(device.bytes);
      const { beforeBytes, afterBytes } = await shrinkFileSystem(device, { now });
      assert.ok(afterBytes < beforeBytes * 0.6, `${afterBytes} of ${beforeBytes} bytes`);
      const image = new StateFile(folder.join("state"));
      for (const { how, bytes } of moments(device, dice, momentCount)) {
        const what = `seed ${seed}, ${how}`;
        image.write(bytes);
        const mended = e2fsck(image.path, "-y", ...(hasJournal ? ["-E", "journal_only"] : ["-f"]));
        assert.ok(mended.status === 0 || mended.status === 1, `${what}: ${mended.said}`);
        const { status, said } = e2fsck(image.path, "-f", "-n");
        assert.equal(status, 0, `${what}: ${said}`);
        assert.ok((await treeIn(image.read())) === tree, `${what}: the files are others`);
        // Without a journal it takes e2fsck first.
        const again = new MemoryDevice(hasJournal ? bytes : image.read());
        const done = await shrinkFileSystem(again, { now });
        assert.ok(done.afterBytes <= afterBytes * 1.05, what);
        image.write(again.bytes.subarray(0, done.afterBytes));
        const finished = e2fsck(image.path, "-f", "-n");
        assert.equal(finished.status, 0, `${what}, shrunk again: ${finished.said}`);
        assert.ok((await treeIn(image.read())) === tree, `${what}, shrunk again: the files are others`);
      }
    },
  );
}
