import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { OutputFile, type Failure } from "../../src/base/index.ts";
import { FileDevice, FileReader } from "../../src/device/index.ts";
import { encodeTime } from "../../src/filesystem/ext/inode.ts";
import { makeExt, measureExt, openExt, type ExtOptions, type MadeExt } from "../../src/filesystem/ext/index.ts";
import type { Problem } from "../../src/filesystem/index.ts";
import type { DeviceNumber, TreeEntry, TreeSource } from "../../src/tree/index.ts";
import { factsOf, factsOfTree, type FileFacts } from "../filesystem/file-facts.ts";
import { contentOf, randomTree, sourceOf, type ModelFile, type ModelTree } from "../filesystem/random-tree.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };

async function makeImage(
  image: string,
  sizeBytes: number,
  sources: readonly TreeSource[],
  options: Omit<ExtOptions, "now">,
): Promise<MadeExt> {
  await using output = OutputFile.create(image);
  await using device = FileDevice.overNewFile(image, output.fd, sizeBytes);
  const made = await makeExt(device, sources, { now, ...options });
  output.commit();
  return made;
}

function assertClean(image: string): void {
  const said = runPeer("e2fsck", ["-fn", image]);
  const complaints = said.split("\n").filter((line) => line !== "" && !/^Pass \d|: \d+\/\d+ files/.test(line));
  assert.deepEqual(complaints, []);
}

/** Every entry with the file that it names. */
function* namedFiles(tree: ModelTree): Generator<{ readonly path: string; readonly file: ModelFile }> {
  const byPath = new Map(tree.entries.map((entry) => [entry.path, entry]));
  for (const entry of tree.entries) {
    const file = entry.kind === "hardlink" ? byPath.get(entry.linkTarget) : entry;
    if (file !== undefined && file.kind !== "hardlink") yield { path: entry.path, file };
  }
}

/** Compares the files and links that `debugfs rdump` takes out with the model. */
function assertDumped(tree: ModelTree, image: string, folder: string): void {
  fs.mkdirSync(folder);
  runPeer("debugfs", ["-R", `rdump / ${folder}`, image]);
  for (const { path: name, file } of namedFiles(tree)) {
    const there = path.join(folder, name);
    if (file.kind === "file") assert.ok(fs.readFileSync(there).equals(contentOf(file)), `content of ${name}`);
    else if (file.kind === "symlink") assert.equal(fs.readlinkSync(there), file.linkTarget);
    else if (file.kind === "directory") assert.ok(fs.statSync(there).isDirectory());
  }
}

const debugfsTypes: Readonly<Record<ModelFile["kind"], string>> = {
  file: "regular",
  directory: "directory",
  symlink: "symlink",
  character: "character special",
  block: "block special",
  fifo: "FIFO",
  socket: "socket",
};

/** Compares what `debugfs stat` says of each file with the model. */
function assertStats(tree: ModelTree, image: string, hasNanoseconds: boolean): void {
  const named = [...namedFiles(tree)];
  const commands = named.map(({ path: name }) => `stat "/${name}"\n`).join("");
  const said = runPeer("debugfs", ["-f", "-", image], { input: commands }).split(/^debugfs: stat .*\n/m);
  for (const [n, { path: name, file }] of named.entries()) {
    const stat = said[n + 1] ?? "";
    const type = /Type: (.*?) +Mode: +(\d+)/.exec(stat);
    assert.equal(type?.[1], debugfsTypes[file.kind], `kind of ${name}`);
    assert.equal(Number.parseInt(type?.[2] ?? "", 8), file.mode, `mode of ${name}`);
    const owner = /User: +(-?\d+) +Group: +(-?\d+)/.exec(stat);
    assert.deepEqual([Number(owner?.[1]) >>> 0, Number(owner?.[2]) >>> 0], [file.uid, file.gid], `owner of ${name}`);
    const time = /mtime: 0x([0-9a-f]+)(?::([0-9a-f]+))?/.exec(stat);
    const encoded = encodeTime(file.modified, hasNanoseconds);
    assert.equal(Number.parseInt(time?.[1] ?? "", 16), encoded.seconds, `time of ${name}`);
    if (hasNanoseconds) assert.equal(Number.parseInt(time?.[2] ?? "", 16), encoded.extra, `time of ${name}`);
    for (const attribute of file.xattrs?.keys() ?? [])
      assert.ok(stat.includes(` ${attribute} (`), `${attribute} of ${name}`);
    if (file.device !== undefined) {
      assert.match(stat, new RegExp(`Device major/minor number: ${deviceText(file.device)}`), `device ${name}`);
    }
  }
}

const deviceText = ({ major, minor }: DeviceNumber): string => {
  return `${String(major).padStart(2, "0")}:${String(minor).padStart(2, "0")}`;
};

/** Compares what our own reader sees with the model, and lets it check what it sees. */
async function assertReadBack(tree: ModelTree, image: string, hasWideTimes: boolean): Promise<void> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openExt(reader);
  const problems: Problem[] = [];
  for await (const problem of fileSystem.check()) problems.push(problem);
  assert.deepEqual(problems, []);
  const comparable = (facts: Map<string, FileFacts>): unknown[] =>
    [...facts]
      .filter(([name]) => name !== "" && name !== "lost+found")
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { firstPath: _firstPath, modified, ...rest }]) => [name, rest, hasWideTimes ? modified : undefined]);
  assert.deepEqual(comparable(await factsOf(fileSystem)), comparable(await factsOfTree(sourceOf(tree))));
}

const options = fc.record({
  kind: fc.constantFrom("ext2", "ext3", "ext4"),
  blockSizeBytes: fc.constantFrom(1024, 2048, 4096),
  inodeSizeBytes: fc.constantFrom(128, 256, 256, 512),
  sizeMib: fc.integer({ min: 60, max: 700 }),
  features: fc.subarray(
    ["flex_bg", "extent", "metadata_csum", "dir_index", "sparse_super", "resize_inode", "uninit_bg"],
    { maxLength: 3 },
  ),
  withOrWithout: fc.constantFrom("", "^"),
});

test(
  "any tree with any options is clean to e2fsck and read back the same by debugfs and by us",
  {
    skip: skipWithout("e2fsck", "debugfs"),
  },
  async () => {
    await fc.assert(
      fc.asyncProperty(randomTree(120), options, async (tree, { sizeMib, features, withOrWithout, ...rest }) => {
        await using folder = temporaryFolder();
        const image = folder.join("image");
        const chosen = features.map((feature) => withOrWithout + feature);
        await makeImage(image, sizeMib * 1024 * 1024 + 3000, [sourceOf(tree)], { ...rest, features: chosen });
        assertClean(image);
        assertDumped(tree, image, folder.join("dump"));
        assertStats(tree, image, rest.inodeSizeBytes > 128);
        await assertReadBack(tree, image, rest.inodeSizeBytes > 128);
      }),
      { numRuns: 40, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
    );
  },
);

const plain = { mode: 0o644, uid: 0, gid: 0, modified: now } as const;

function treeOf(entries: () => Iterable<TreeEntry>): TreeSource {
  return {
    name: "made tree",
    async *entries() {
      for (const entry of entries()) yield [entry];
    },
    async [Symbol.asyncDispose]() {},
  };
}

function file(name: string, content: string): TreeEntry {
  return {
    ...plain,
    path: name,
    kind: "file",
    sizeBytes: content.length,
    content: [{ at: 0, bytes: Buffer.from(content) }],
  };
}

function directory(name: string, mode = 0o755): TreeEntry {
  return { ...plain, mode, path: name, kind: "directory", sizeBytes: 0 };
}

for (const blockSizeBytes of [1024, 4096]) {
  test(
    `a directory of 100,000 entries is indexed, blocks of ${blockSizeBytes}`,
    {
      skip: skipWithout("e2fsck", "debugfs"),
    },
    async () => {
      await using folder = temporaryFolder();
      const image = folder.join("image");
      const many = treeOf(function* () {
        yield directory("many");
        for (let n = 0; n < 100_000; n++) yield file(`many/entry-${n}`, "");
      });
      await makeImage(image, 400 * 1024 * 1024, [many], { kind: "ext4", blockSizeBytes, inodeRatioBytes: 2048 });
      assertClean(image);
      assert.match(runPeer("debugfs", ["-R", "htree_dump /many", image]), /Indirect levels: 1/);
      for (const n of [0, 4711, 99_999]) {
        assert.match(runPeer("debugfs", ["-R", `stat /many/entry-${n}`, image]), /Type: regular/);
      }
    },
  );
}

for (const kind of ["ext2", "ext4"] as const) {
  test(`a sparse file of 5 GiB keeps its holes in ${kind}`, { skip: skipWithout("e2fsck", "debugfs") }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    const sizeBytes = 5 * 2 ** 30;
    const bytes = Buffer.from("the end");
    const content = [
      { at: 0, bytes: Buffer.from("the start") },
      { at: 4 * 2 ** 30 - 3, bytes: Buffer.from("across 4 GiB") },
      { at: sizeBytes - bytes.length, bytes },
    ];
    const large = treeOf(() => [{ ...plain, path: "large", kind: "file", sizeBytes, content }]);
    await makeImage(image, 64 * 1024 * 1024, [large], { kind, blockSizeBytes: 4096 });
    assertClean(image);
    assert.match(runPeer("debugfs", ["-R", "stat /large", image]), new RegExp(`Size: ${sizeBytes}`));
    const raw = fs.readFileSync(image);
    for (const piece of content) {
      for (const [n, byte] of piece.bytes.entries()) {
        const at = piece.at + n;
        const block = Number(runPeer("debugfs", ["-R", `bmap /large ${Math.floor(at / 4096)}`, image]));
        assert.equal(raw[block * 4096 + (at % 4096)], byte);
      }
    }
  });
}

test(
  "later trees replace files, merge directories and go through links",
  {
    skip: skipWithout("e2fsck", "debugfs"),
  },
  async () => {
    for (const kind of ["ext2", "ext4"] as const) {
      await using folder = temporaryFolder();
      const image = folder.join("image");
      const attribute = new Map([["user.large", new Uint8Array(600).fill(7)]]);
      const base = treeOf(() => [
        directory("usr"),
        directory("usr/lib"),
        { ...plain, path: "lib", kind: "symlink", sizeBytes: 0, linkTarget: "usr/lib" },
        { ...file("usr/lib/old", "x".repeat(70_000)), xattrs: attribute } as TreeEntry,
        file("replaced", "before"),
        { path: "second-name", kind: "hardlink", linkTarget: "replaced" },
        directory("becomes-file"),
        { ...file("shares", "a"), xattrs: attribute } as TreeEntry,
      ]);
      const update = treeOf(() => [
        directory("lib", 0o700),
        file("lib/new", "new"),
        file("usr/lib/old", "short"),
        file("replaced", "after"),
        file("becomes-file", "a file now"),
        file("without/parents/named", "deep"),
      ]);
      await makeImage(image, 32 * 1024 * 1024, [base, update], { kind });
      assertClean(image);
      const cat = (name: string): string => runPeer("debugfs", ["-R", `cat ${name}`, image]);
      assert.equal(cat("/usr/lib/new"), "new");
      assert.equal(cat("/usr/lib/old"), "short");
      assert.equal(cat("/replaced"), "after");
      assert.equal(cat("/second-name"), "before");
      assert.equal(cat("/becomes-file"), "a file now");
      assert.equal(cat("/without/parents/named"), "deep");
      assert.match(runPeer("debugfs", ["-R", "stat /lib", image]), /Type: symlink/);
    }
  },
);

test("a file system that is too small says what would do, and that does", { skip: skipWithout("e2fsck") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  const tree = (): TreeSource =>
    treeOf(function* () {
      for (let n = 0; n < 3000; n++) yield file(`file-${n}`, "x".repeat(n * 7));
    });
  const sizeMib = 16;
  let needed = 0;
  await assert.rejects(makeImage(image, sizeMib * 2 ** 20, [tree()], { kind: "ext4" }), (error: Failure) => {
    assert.equal(error.code, "no-space");
    needed = Number(/need one of (\d+) bytes/.exec(error.message)?.[1]);
    return true;
  });
  assert.deepEqual(fs.readdirSync(folder.path), [], "no file is left behind");
  assert.ok(needed > sizeMib * 2 ** 20);
  await makeImage(image, needed, [tree()], { kind: "ext4" });
  assertClean(image);
});

test("the size that is measured holds the tree and little more", { skip: skipWithout("e2fsck") }, async () => {
  await using folder = temporaryFolder();
  const tree = (): TreeSource =>
    treeOf(function* () {
      yield directory("d");
      for (let n = 0; n < 20_000; n++) yield file(`d/file-with-a-long-name-${n}`, "x".repeat(n % 9000));
    });
  for (const kind of ["ext2", "ext3", "ext4"] as const) {
    const image = folder.join(kind);
    const measured = await measureExt([tree()], { kind, now });
    const made = await makeImage(image, measured.sizeBytes, [tree()], { kind, inodeCount: measured.inodeCount });
    assertClean(image);
    assert.ok(made.freeBlocks * made.blockSizeBytes < 4 * 2 ** 20, `${made.freeBlocks} blocks are free`);
  }
});

test("the same input gives the same bytes", async () => {
  await using folder = temporaryFolder();
  const uuid = "01234567-89ab-cdef-0123-456789abcdef";
  const tree = fc.sample(randomTree(60), { numRuns: 1, seed: 7 })[0] as ModelTree;
  const images = [folder.join("one"), folder.join("two")];
  for (const [n, image] of images.entries()) {
    await makeImage(image, 64 * 2 ** 20, [sourceOf(tree, n + 3)], { kind: "ext4", uuid, isReproducible: true });
  }
  const [one, two] = images.map((image) => fs.readFileSync(image));
  assert.ok(one !== undefined && two !== undefined && one.equals(two));
});
