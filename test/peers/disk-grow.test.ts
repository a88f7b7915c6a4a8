/** Disks made larger, beside e2fsck, resize2fs, the kernel, sfdisk and sgdisk. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileDevice } from "../../src/device/index.ts";
import { growFileSystem, openFileSystem } from "../../src/filesystem/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { fillMounted, skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { fillSample } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const MiB = 1024 * 1024;
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

/** What mke2fs is told, and to how many MiB it grows from 24, step by step. */
interface Kind {
  readonly words: string;
  readonly toMiB: readonly number[];
  /** The features that are there in the end, and those that are not. */
  readonly features?: RegExp;
  /** resize2fs 1.47.0 leaves what e2fsck complains of, also where nobody else has changed the size before. */
  readonly isTooMuchForResize2fs?: true;
}

const steps = [25, 40, 300, 2000, 9000];
const small = "-g 1024 -N 4000"; // groups of 1 MiB: many of them, and descriptors in many blocks
const kinds: readonly Kind[] = [
  { words: "-t ext2 -b 1024", toMiB: [25, 40, 300, 1000] },
  { words: "-t ext3 -b 4096", toMiB: steps },
  { words: "-t ext3 -b 2048 -I 128", toMiB: steps },
  { words: "-t ext4 -b 1024", toMiB: steps, features: /^(?!.*meta_bg).*resize_inode/ },
  { words: "-t ext4 -b 2048", toMiB: steps },
  { words: "-t ext4 -b 4096", toMiB: [...steps, 40_000] },
  { words: "-t ext4 -b 4096 -O ^64bit", toMiB: [...steps, 40_000] },
  { words: "-t ext4 -b 1024 -O ^64bit,^flex_bg", toMiB: steps },
  { words: "-t ext4 -b 4096 -O ^resize_inode", toMiB: [...steps, 20_000], features: /meta_bg/ },
  { words: "-t ext4 -b 1024 -O ^resize_inode,meta_bg", toMiB: steps },
  { words: `-t ext4 -b 1024 ${small}`, toMiB: [25, 60, 200, 500] },
  {
    words: `-t ext4 -b 1024 ${small} -E resize=50000`,
    toMiB: [25, 60, 200, 500],
    features: /^(?!.*resize_ino).*meta_bg/,
  },
  { words: `-t ext4 -b 1024 ${small} -O ^resize_inode,meta_bg`, toMiB: [25, 60, 61, 79, 80, 81, 200, 500] },
  { words: `-t ext4 -b 1024 ${small} -O ^sparse_super,^resize_inode`, toMiB: [25, 60, 200] },
  { words: `-t ext4 -b 1024 ${small} -O sparse_super2`, toMiB: [25, 60, 200, 500] },
  {
    words: `-t ext4 -b 1024 ${small} -O sparse_super2,meta_bg,^resize_inode`,
    toMiB: [60, 200],
    isTooMuchForResize2fs: true,
  },
  { words: `-t ext4 -b 1024 ${small} -O ^has_journal`, toMiB: [25, 60, 200, 500] },
  { words: "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg", toMiB: steps },
  { words: "-t ext4 -b 4096 -O metadata_csum_seed,orphan_file", toMiB: steps },
  { words: "-t ext4 -b 4096 -E packed_meta_blocks=1", toMiB: steps },
  { words: "-t ext4 -b 1024 -G 256 -i 4096", toMiB: steps },
];

async function factsIn(image: string): Promise<ReadonlyMap<string, FileFacts>> {
  await using device = await FileDevice.open(image);
  await using fileSystem = await openFileSystem(device);
  return await factsOf(fileSystem);
}

async function growTo(image: string, sizeBytes: number): Promise<number> {
  const zeroFromBytes = fs.statSync(image).size;
  fs.truncateSync(image, sizeBytes);
  await using device = await FileDevice.open(image);
  return (await growFileSystem(device, { now, zeroFromBytes })).afterBytes;
}

for (const { words, toMiB, features, isTooMuchForResize2fs } of kinds) {
  test(
    `mke2fs ${words}: grown, e2fsck finds no fault, and resize2fs goes on`,
    { skip: skipWithout("mke2fs", "e2fsck", "resize2fs", "dumpe2fs") },
    async () => {
      await using folder = temporaryFolder();
      const [image, tree] = [folder.join("image"), folder.join("tree")];
      fs.mkdirSync(tree);
      fillSample(tree);
      runPeer("mke2fs", ["-q", "-F", ...words.split(" "), "-d", tree, image, "24M"]);
      const before = await factsIn(image);
      for (const size of toMiB) {
        const grownBytes = await growTo(image, size * MiB);
        assert.ok(grownBytes <= size * MiB && grownBytes > (size - 9) * MiB, `${grownBytes} bytes of ${size} MiB`);
        runPeer("e2fsck", ["-f", "-n", image]);
      }
      if (features !== undefined)
        assert.match(runPeer("dumpe2fs", ["-h", image]).match(/features: (.*)/)?.[1] ?? "", features);
      assert.deepEqual(await factsIn(image), before);
      if (isTooMuchForResize2fs === true) return;
      fs.truncateSync(image, (toMiB.at(-1) ?? 0) * 2 * MiB);
      runPeer("resize2fs", [image]);
      runPeer("e2fsck", ["-f", "-n", image]);
      assert.deepEqual(await factsIn(image), before);
    },
  );
}

const mountedKinds = [
  "-t ext2 -b 1024",
  "-t ext3",
  "-t ext4",
  "-t ext4 -O ^resize_inode",
  `-t ext4 -b 1024 ${small} -E resize=80000`,
];

for (const words of mountedKinds) {
  test(
    `mke2fs ${words}: the kernel mounts the larger size, finds all files, and fills the new room`,
    { skip: skipWithoutMount() || skipWithout("e2fsck") },
    async () => {
      await using folder = temporaryFolder();
      const [image, mountPoint] = [folder.join("image"), folder.join("mnt")];
      runPeer("mke2fs", ["-q", "-F", ...words.split(" "), image, "64M"]);
      let before: ReadonlyMap<string, FileFacts> = new Map();
      await whileMounted(image, mountPoint, "rw", async () => {
        await fillMounted(mountPoint);
        before = factsOfFolder(mountPoint);
      });
      const grown = await runHoldfast(["disk", "grow", image, "--size", "10GiB"]);
      assert.deepEqual([grown.stderr, grown.status], ["", 0]);
      await whileMounted(image, mountPoint, "rw", async () => {
        const { blocks, bsize } = fs.statfsSync(mountPoint);
        assert.ok(blocks * bsize > 9_000 * MiB, `${blocks} blocks of ${bsize}`);
        assert.deepEqual(factsOfFolder(mountPoint), before);
        const fd = fs.openSync(`${mountPoint}/filler`, "w");
        for (let n = 0; n < 300; n++) fs.writeSync(fd, new Uint8Array(MiB).fill(n));
        fs.closeSync(fd);
        for (let n = 0; n < 3000; n++) fs.mkdirSync(`${mountPoint}/directory-${n}`);
      });
      runPeer("e2fsck", ["-f", "-n", image]);
    },
  );
}

for (const words of ["-t ext3 -b 1024", "-t ext4"]) {
  test(
    `mke2fs ${words}: one whose journal waits to be replayed is grown and shrunk with all that is in the journal`,
    { skip: skipWithoutMount() || skipWithout("e2fsck", "cp", "sync") },
    async () => {
      await using folder = temporaryFolder();
      const [image, copy, mountPoint] = [folder.join("image"), folder.join("copy"), folder.join("mnt")];
      for (const verb of [["grow", "--size", "900MiB"], ["shrink"]]) {
        runPeer("mke2fs", ["-q", "-F", ...words.split(" "), image, "300M"]);
        let before: ReadonlyMap<string, FileFacts> = new Map();
        await whileMounted(image, mountPoint, "rw", async () => {
          fs.mkdirSync(`${mountPoint}/folder`);
          for (let n = 0; n < 200; n++) fs.writeFileSync(`${mountPoint}/folder/${n}`, `${n}`.repeat(n * 20));
          runPeer("sync", ["-f", mountPoint]);
          before = factsOfFolder(mountPoint);
          runPeer("cp", ["--sparse=always", image, copy]); // as a power failure leaves it
        });
        assert.match(runPeer("dumpe2fs", ["-h", copy]), /needs_recovery/);
        const { stderr, status } = await runHoldfast(["disk", verb[0] ?? "", copy, ...verb.slice(1)]);
        assert.deepEqual([stderr, status], ["", 0]);
        runPeer("e2fsck", ["-f", "-n", copy]);
        await whileMounted(copy, mountPoint, "ro", async () => assert.deepEqual(factsOfFolder(mountPoint), before));
      }
    },
  );
}

interface TableKind {
  readonly name: string;
  readonly words: readonly string[];
  readonly last: number;
}

const parts = (count: number) =>
  Array.from({ length: count }, (_, n) => ["--partition", `size=${n + 1 === count ? "rest" : "20MiB"},fs=ext4`]).flat();
const tables: readonly TableKind[] = [
  { name: "gpt", words: ["--table", "gpt", ...parts(2)], last: 2 },
  { name: "mbr", words: ["--table", "mbr", ...parts(2)], last: 2 },
  { name: "mbr with a logical partition", words: ["--table", "mbr", ...parts(5)], last: 6 },
  { name: "mbr with logical partitions", words: ["--table", "mbr", ...parts(7)], last: 8 },
  { name: "mbr in cylinders", words: ["--layout", "classic", ...parts(2)], last: 2 },
];

for (const { name, words, last } of tables) {
  test(
    `${name}: the table follows, and the programs for it find no fault`,
    { skip: skipWithout("sfdisk", "sgdisk", "e2fsck") },
    async () => {
      await using folder = temporaryFolder();
      const image = folder.join("disk");
      const made = await runHoldfast(["disk", "create", image, "--size", "260MiB", ...words]);
      assert.equal(made.status, 0, made.stderr);
      for (const size of [261 * MiB, 700 * MiB + 512, 3_000 * MiB]) {
        const planned = await runHoldfast(["disk", "grow", image, "--size", String(size), "--dry-run"]);
        assert.ok(fs.statSync(image).size < size);
        const grown = await runHoldfast(["disk", "grow", image, "--size", String(size)]);
        assert.deepEqual([grown.stderr, grown.status], ["", 0]);
        assert.equal(grown.stdout, planned.stdout);
        assert.equal(fs.statSync(image).size, size);
        assert.match(runPeer("sfdisk", ["-V", image]), /No errors detected/);
        if (name === "gpt") assert.match(runPeer("sgdisk", ["-v", image]), /No problems found/);
        const again = await runHoldfast(["disk", "grow", image]);
        assert.deepEqual([again.status, again.stdout.match(/as before/g)?.length], [0, 3], again.stderr);
        const checked = await runHoldfast(["disk", "check", image]);
        assert.equal(checked.status, 0, checked.stdout + checked.stderr);
      }
      const { partitiontable } = JSON.parse(runPeer("sfdisk", ["--json", image])) as {
        partitiontable: { partitions: { node: string; start: number; size: number }[] };
      };
      const grown = partitiontable.partitions.find(({ node }) => node.endsWith(`disk${last}`));
      assert.ok(grown !== undefined && (grown.start + grown.size) * 512 > 2_990 * MiB);
      runPeer("e2fsck", ["-f", "-n", `${image}?offset=${grown.start * 512}`]);
    },
  );
}

async function diskOfTwo(folder: TemporaryFolder, table: string): Promise<string> {
  const image = folder.join("disk");
  const words = ["--table", table, "--partition", "size=20MiB,fs=ext4", "--partition", "size=20MiB,fs=ext4"];
  assert.equal((await runHoldfast(["disk", "create", image, "--size", "100MiB", ...words])).status, 0);
  return image;
}

test(
  "a partition that is followed by another is refused, or takes what is free before that",
  { skip: skipWithout("sfdisk") },
  async () => {
    await using folder = temporaryFolder();
    const image = await diskOfTwo(folder, "gpt");
    const before = fs.readFileSync(image);
    const refused = await runHoldfast(["disk", "grow", image, "--size", "1GiB", "--partition", "1"]);
    assert.match(refused.stderr, /cannot grow partition 1 of ".*disk": partition 2 is behind it/);
    assert.equal(refused.status, 4);
    assert.ok(fs.readFileSync(image).equals(before));
    runPeer("sfdisk", ["--delete", image, "2"]);
    runPeer("sfdisk", ["-a", image], { input: "start=100000, size=2048\n" });
    const grown = await runHoldfast(["disk", "grow", image, "--partition", "1", "--json"]);
    assert.equal(grown.status, 0, grown.stderr);
    const { partition } = JSON.parse(grown.stdout) as { partition: { afterBytes: number } };
    assert.equal(partition.afterBytes, (100_000 - 2048) * 512);
    assert.match(runPeer("sfdisk", ["-V", image]), /No errors detected/);
  },
);

test("what cannot grow is refused before anything is changed", { skip: skipWithout("mke2fs") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  const refusals: readonly [string, RegExp, number][] = [
    ["-t ext4 -O bigalloc", /it uses bigalloc, so clusters of several blocks cannot be handed out/, 1],
    ["-t ext4 -g 8192 -O sparse_super2,^has_journal", /so a copy of its superblock cannot be moved/, 1],
    ["-t ext4 -O quota", /it uses quota/, 1],
    ["-t ext4 -E resize=4000000 -O mmp", /another computer might have it mounted/, 1],
  ];
  for (const [words, why, status] of refusals) {
    runPeer("mke2fs", ["-q", "-F", ...words.split(" "), image, "64M"]);
    const before = fs.readFileSync(image);
    const refused = await runHoldfast(["disk", "grow", image, "--size", "1GiB"]);
    assert.match(refused.stderr, why);
    assert.equal(refused.status, status);
    assert.ok(fs.readFileSync(image).equals(before));
  }
  const smaller = await runHoldfast(["disk", "grow", image, "--size", "1MiB"]);
  assert.match(smaller.stderr, /cannot grow ".*image" to 1 MiB \(1048576 bytes\): it has 64 MiB/);
  assert.equal(smaller.status, 2);
  fs.writeFileSync(image, new Uint8Array(MiB));
  const nothing = await runHoldfast(["disk", "grow", image, "--size", "2MiB"]);
  assert.match(nothing.stderr, /it holds no file system that is known/);
  assert.equal(fs.statSync(image).size, MiB);
});
