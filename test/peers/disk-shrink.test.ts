/** Disks made smaller, beside e2fsck, resize2fs, the kernel, sfdisk and sgdisk. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileDevice } from "../../src/device/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { fillMounted, skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { fillSample, noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const MiB = 1024 * 1024;

async function factsIn(image: string): Promise<ReadonlyMap<string, FileFacts>> {
  await using device = await FileDevice.open(image);
  await using fileSystem = await openFileSystem(device);
  return await factsOf(fileSystem);
}

async function shrink(...words: readonly string[]): Promise<{ readonly file: { readonly afterBytes: number } }> {
  const { stdout, stderr, status } = await runHoldfast(["disk", "shrink", "--json", ...words]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as { file: { afterBytes: number } };
}

const small = "-g 1024 -N 4000"; // groups of 1 MiB: many of them, and descriptors in many blocks
const kinds = [
  "-t ext2 -b 1024",
  "-t ext3 -b 4096",
  "-t ext3 -b 2048 -I 128",
  "-t ext4 -b 1024",
  "-t ext4 -b 4096",
  "-t ext4 -b 1024 -O ^64bit,^flex_bg",
  "-t ext4 -b 1024 -O ^resize_inode",
  "-t ext4 -b 1024 -O ^resize_inode,meta_bg",
  "-t ext4 -b 1024 -O ^has_journal",
  "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg",
  "-t ext4 -b 1024 -O sparse_super2",
  "-t ext4 -b 1024 -O metadata_csum_seed,ea_inode",
  "-t ext4 -b 1024 -E packed_meta_blocks=1",
  `-t ext4 -b 1024 ${small}`,
  `-t ext4 -b 1024 ${small} -O ^resize_inode,meta_bg`,
  `-t ext4 -b 1024 ${small} -O ^sparse_super,^resize_inode`,
  `-t ext4 -b 4096 -J size=16 -O orphan_file`,
];

for (const words of kinds) {
  test(
    `mke2fs ${words}: shrunk to what it needs, e2fsck finds no fault, and resize2fs goes on`,
    { skip: skipWithout("mke2fs", "e2fsck", "resize2fs") },
    async () => {
      await using folder = temporaryFolder();
      const [image, tree] = [folder.join("image"), folder.join("tree")];
      fs.mkdirSync(tree);
      fillSample(tree);
      runPeer("mke2fs", ["-q", "-F", ...words.split(" "), "-d", tree, image, "300M"]);
      const before = await factsIn(image);
      const half = await shrink(image, "--size", String(150 * MiB + 512));
      assert.equal(half.file.afterBytes, 150 * MiB + 512);
      runPeer("e2fsck", ["-f", "-n", image]);
      assert.deepEqual(await factsIn(image), before);
      const least = await shrink(image);
      assert.ok(least.file.afterBytes < 45 * MiB, `${least.file.afterBytes} bytes`);
      assert.equal(fs.statSync(image).size, least.file.afterBytes);
      runPeer("e2fsck", ["-f", "-n", image]);
      assert.deepEqual(await factsIn(image), before);
      fs.truncateSync(image, 100 * MiB);
      runPeer("resize2fs", [image]);
      if (!words.includes("orphan_file")) runPeer("e2fsck", ["-f", "-n", image]); // resize2fs 1.47.0 breaks that file
      assert.deepEqual(await factsIn(image), before);
    },
  );
}

const mountedKinds = ["-t ext3 -b 1024", "-t ext4 -b 1024", "-t ext4 -b 4096", "-t ext4 -b 1024 -g 1024 -N 60000"];

for (const words of mountedKinds) {
  test(
    `mke2fs ${words}: what the kernel has spread over a disk is all there when that is shrunk`,
    { skip: skipWithoutMount() || skipWithout("e2fsck") },
    async () => {
      await using folder = temporaryFolder();
      const [image, mountPoint] = [folder.join("image"), folder.join("mnt")];
      runPeer("mke2fs", ["-q", "-F", ...words.split(" "), image, "600M"]);
      let before: ReadonlyMap<string, FileFacts> = new Map();
      await whileMounted(image, mountPoint, "rw", async () => {
        await fillMounted(mountPoint);
        // The kernel gives each directory of the root a group of its own.
        for (let n = 0; n < 60; n++) {
          const directory = `${mountPoint}/spread-${n}`;
          fs.mkdirSync(`${directory}/below/further`, { recursive: true });
          for (let m = 0; m < 12; m++) fs.writeFileSync(`${directory}/below/${m}`, noise(m, 40_000));
          fs.linkSync(`${directory}/below/3`, `${mountPoint}/small/hard-${n}`);
          fs.symlinkSync("long/".repeat(30), `${directory}/link`);
        }
        const many = `${mountPoint}/spread-59/many`;
        fs.mkdirSync(many);
        for (let n = 0; n < 2000; n++) fs.writeFileSync(`${many}/a-name-that-takes-a-lot-of-room-${n}`, `${n}`);
        before = factsOfFolder(mountPoint);
      });
      const { file } = await shrink(image);
      assert.ok(file.afterBytes < 120 * MiB, `${file.afterBytes} bytes`);
      runPeer("e2fsck", ["-f", "-n", image]);
      await whileMounted(image, mountPoint, "rw", async () => {
        assert.deepEqual(factsOfFolder(mountPoint), before);
        for (let n = 0; n < 60; n++) fs.rmSync(`${mountPoint}/spread-${n}`, { recursive: true });
      });
      runPeer("e2fsck", ["-f", "-n", image]);
      const grown = await runHoldfast(["disk", "grow", image, "--size", "2GiB"]);
      assert.equal(grown.status, 0, grown.stderr);
      runPeer("e2fsck", ["-f", "-n", image]);
    },
  );
}

const parts = [
  "--partition",
  "size=20MiB,fs=ext4",
  "--partition",
  "size=20MiB,fs=ext3",
  "--partition",
  "size=rest,fs=ext4",
];
const tables = {
  gpt: ["--table", "gpt", ...parts],
  mbr: ["--table", "mbr", ...parts],
  "mbr with a logical partition": [
    "--table",
    "mbr",
    ...parts,
    "--partition",
    "size=20MiB,fs=ext4",
    "--partition",
    "size=20MiB,fs=ext4",
  ],
  "mbr in cylinders": ["--layout", "classic", ...parts],
};

for (const [name, words] of Object.entries(tables)) {
  test(
    `${name}: the table follows, and the programs for it find no fault`,
    { skip: skipWithout("sfdisk", "sgdisk") },
    async () => {
      await using folder = temporaryFolder();
      const image = folder.join("disk");
      const made = await runHoldfast(["disk", "create", image, "--size", "700MiB", ...words]);
      assert.equal(made.status, 0, made.stderr);
      const isLogical = name.includes("logical");
      if (isLogical) assert.equal((await runHoldfast(["disk", "grow", image, "--size", "900MiB"])).status, 0);
      for (const size of [["--size", isLogical ? "800MiB" : "300MiB"], []]) {
        const planned = await runHoldfast(["disk", "shrink", image, ...size, "--dry-run"]);
        const shrunk = await runHoldfast(["disk", "shrink", image, ...size]);
        assert.deepEqual([shrunk.stderr, shrunk.status], ["", 0]);
        assert.equal(shrunk.stdout, planned.stdout);
        assert.match(runPeer("sfdisk", ["-V", image]), /No errors detected/);
        if (name === "gpt") assert.match(runPeer("sgdisk", ["-v", image]), /No problems found/);
        const checked = await runHoldfast(["disk", "check", image]);
        assert.equal(checked.status, 0, checked.stdout + checked.stderr);
      }
      const limit = isLogical ? 730 * MiB : 80 * MiB;
      assert.ok(fs.statSync(image).size < limit, `${fs.statSync(image).size} bytes`);
    },
  );
}

test("what cannot shrink is refused before anything is changed", { skip: skipWithout("mke2fs") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  const tree = folder.join("tree");
  fs.mkdirSync(tree);
  fs.writeFileSync(`${tree}/file`, noise(1, 10 * MiB));
  const refusals: readonly [string, readonly string[], RegExp, number][] = [
    ["-t ext4 -O bigalloc", [], /it uses bigalloc/, 1],
    ["-t ext4 -O stable_inodes,encrypt", [], /it uses stable_inodes, so it may not become smaller/, 1],
    ["-t ext4", ["--size", "9MiB"], /cannot shrink the file system to 9437184 bytes: it needs \d+/, 1],
    ["-t ext4", ["--size", "90MiB"], /cannot shrink ".*image" to 90 MiB \(94371840 bytes\): it has 64 MiB/, 2],
  ];
  for (const [words, options, why, status] of refusals) {
    runPeer("mke2fs", ["-q", "-F", ...words.split(" "), "-d", tree, image, "64M"]);
    const before = fs.readFileSync(image);
    const refused = await runHoldfast(["disk", "shrink", image, ...options]);
    assert.match(refused.stderr, why);
    assert.equal(refused.status, status);
    assert.ok(fs.readFileSync(image).equals(before));
  }
});
