/** A file system that grows when the power fails: it is as before or as after, and growing it again finishes it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { growFileSystem, openFileSystem, shrinkFileSystem } from "../../src/filesystem/index.ts";
import { Dice, fingerprint } from "../filesystem/random-edits.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { CrashDevice, moments, type CrashState } from "./crash-device.ts";
import { e2fsck } from "./e2fsck.ts";
import { StateFile } from "./state-file.ts";

const skip = skipWithout("mke2fs", "e2fsck");
const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const momentCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 6);
const options = { now: { seconds: 1_700_000_000, nanoseconds: 0 }, zeroFromBytes: Infinity };
const MiB = 1024 * 1024;

/** Groups of 1 MiB, so that a small file system has many, and their descriptors need more blocks. */
const small = ["-b", "1024", "-g", "1024", "-N", "640"];

/** An image with files in it, and noise where it is to grow. */
function makeImage(folder: TemporaryFolder, words: readonly string[], toMiB: number): Uint8Array {
  const [image, tree] = [folder.join("made"), folder.join("tree")];
  fs.mkdirSync(`${tree}/a/b`, { recursive: true });
  for (let n = 0; n < 40; n++) fs.writeFileSync(`${tree}/a/file-${n}`, `content ${n} `.repeat(n * 20));
  fs.symlinkSync("file-1", `${tree}/a/link`);
  runPeer("mke2fs", ["-q", "-F", ...small, ...words, "-d", tree, image, "5M"]);
  const bytes = new Uint8Array(toMiB * MiB);
  bytes.fill(0xa5);
  bytes.set(fs.readFileSync(image));
  return bytes;
}

async function look(bytes: Uint8Array): Promise<{ readonly tree: string; readonly sizeBytes: number }> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return { tree: await fingerprint(fileSystem), sizeBytes: fileSystem.info.sizeBytes };
}

const kinds = [
  { name: "ext4", words: ["-t", "ext4"], toMiB: 40 },
  { name: "ext4 within its last group", words: ["-t", "ext4", "-g", "8192"], toMiB: 7 },
  { name: "ext4 whose resize inode has too little room", words: ["-t", "ext4", "-E", "resize=20000"], toMiB: 60 },
  { name: "ext4 without a resize inode", words: ["-t", "ext4", "-O", "^resize_inode"], toMiB: 40 },
  { name: "ext4 with meta_bg", words: ["-t", "ext4", "-O", "^resize_inode,meta_bg"], toMiB: 40 },
  { name: "ext4 with sparse_super2", words: ["-t", "ext4", "-O", "sparse_super2"], toMiB: 40 },
  { name: "ext3", words: ["-t", "ext3", "-I", "128"], toMiB: 40 },
];
const withoutJournal = [
  { name: "ext2", words: ["-t", "ext2"], toMiB: 40 },
  { name: "ext4 with checksums", words: ["-t", "ext4", "-O", "^has_journal"], toMiB: 40 },
  {
    name: "ext4 whose resize inode has too little room",
    words: ["-t", "ext4", "-O", "^has_journal", "-E", "resize=20000"],
    toMiB: 60,
  },
];

/** Grows it, and gives every moment to `judge` with the sizes before and after. */
async function growAndStop(
  kind: (typeof kinds)[number],
  judge: (state: CrashState, image: StateFile, sizes: readonly number[]) => Promise<void>,
): Promise<void> {
  await using folder = temporaryFolder();
  const dice = new Dice(seed);
  const device = new CrashDevice(makeImage(folder, kind.words, kind.toMiB));
  const before = await look(device.bytes);
  await growFileSystem(device, options);
  const after = await look(device.bytes);
  assert.equal(after.tree, before.tree);
  assert.ok(after.sizeBytes > before.sizeBytes);
  const image = new StateFile(folder.join("state"));
  for (const state of moments(device, dice, momentCount)) {
    const how = `seed ${seed}, ${state.how}`;
    await judge({ ...state, how }, image, [before.sizeBytes, after.sizeBytes]);
    // Done again, it is finished.
    const again = new MemoryDevice(state.bytes);
    await growFileSystem(again, options);
    image.write(again.bytes);
    const { status, said } = e2fsck(image.path, "-f", "-n");
    assert.equal(status, 0, `${how}, grown again: ${said}`);
    assert.deepEqual(await look(again.bytes), after, how);
  }
}

for (const kind of kinds) {
  test(`${kind.name}: cut off at any write, it is before or after, and is finished by growing it again`, { skip }, () =>
    growAndStop(kind, async ({ how, bytes }, image, sizes) => {
      image.write(bytes);
      const replayed = e2fsck(image.path, "-y", "-E", "journal_only");
      assert.ok(replayed.status === 0 || replayed.status === 1, `${how}: ${replayed.said}`);
      const { status, said } = e2fsck(image.path, "-f", "-n");
      assert.equal(status, 0, `${how}: ${said}`);
      assert.ok(sizes.includes((await look(image.read())).sizeBytes), how);
    }),
  );
}

for (const kind of withoutJournal) {
  test(`${kind.name}, without a journal: cut off at any write, it is finished by growing it again`, { skip }, () =>
    growAndStop(kind, async ({ how, bytes }, image) => {
      image.write(bytes);
      const before = (await look(bytes)).tree;
      const { status, said } = e2fsck(image.path, "-f", "-y");
      assert.ok(status === 0 || status === 1, `${how}: ${said}`);
      assert.equal((await look(image.read())).tree, before, how);
    }),
  );
}

test(
  "what is half grown without a journal is not shrunk, nor taken for clean by whoever changes it",
  { skip },
  async () => {
    await using folder = temporaryFolder();
    const device = new CrashDevice(makeImage(folder, ["-t", "ext2"], 40));
    await growFileSystem(device, options);
    const refusals = new Set<string>();
    for (let count = 0; count <= device.writeCount; count++) {
      const state = new MemoryDevice(device.after(count).bytes);
      await shrinkFileSystem(state, options).catch((error: Error) => refusals.add(error.message));
      await using fileSystem = await openFileSystem(state);
      for await (const { severity, message } of fileSystem.check()) {
        if (refusals.size === 0) assert.notEqual(severity, "error", message);
      }
    }
    assert.deepEqual([...refusals], ["cannot shrink the file system: growing it was cut off"]);
  },
);
