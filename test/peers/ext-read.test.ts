import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem, resolvePath, type FileSystem, type Problem } from "../../src/filesystem/index.ts";
import { fillSample } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mke2fs", "debugfs", "e2fsck");

interface ImageCase {
  readonly name: string;
  readonly options: readonly string[];
  readonly sizeMiB?: number;
  /** Given to `debugfs -w` after the image was filled. */
  readonly commands?: readonly string[];
  /** Run e2fsck -fyD, which makes indexes of directories. */
  readonly index?: boolean;
  /** Of a file that mke2fs gets wrong the dump is the measure alone: version 1.47.0 cuts sparse files with inline_data. */
  readonly wrong?: readonly string[];
  /** mke2fs drops extended attributes here. */
  readonly hasNoXattrs?: boolean;
}

const cases: readonly ImageCase[] = [
  { name: "ext2, 1 KiB", options: ["-t", "ext2", "-b", "1024"] },
  { name: "ext2, 2 KiB", options: ["-t", "ext2", "-b", "2048"] },
  { name: "ext2, 4 KiB", options: ["-t", "ext2", "-b", "4096"] },
  { name: "ext2, 64 KiB", options: ["-t", "ext2", "-b", "65536"], sizeMiB: 64 },
  { name: "ext2, revision 0", options: ["-t", "ext2", "-r", "0", "-b", "1024"], hasNoXattrs: true },
  { name: "ext2 without filetype", options: ["-t", "ext2", "-O", "^filetype"] },
  { name: "ext3, 1 KiB", options: ["-t", "ext3", "-b", "1024"] },
  { name: "ext3, 4 KiB", options: ["-t", "ext3", "-b", "4096"] },
  { name: "ext4, 1 KiB", options: ["-t", "ext4", "-b", "1024"] },
  { name: "ext4, 2 KiB", options: ["-t", "ext4", "-b", "2048"] },
  { name: "ext4, 4 KiB", options: ["-t", "ext4", "-b", "4096"] },
  { name: "ext4, 64 KiB", options: ["-t", "ext4", "-b", "65536"], sizeMiB: 64 },
  { name: "ext4 without extents", options: ["-t", "ext4", "-O", "^extent,^64bit"] },
  { name: "ext4 with inline data", options: ["-t", "ext4", "-O", "inline_data"], wrong: ["sparse"] },
  {
    name: "ext4 with inline data, inodes of 1 KiB",
    options: ["-t", "ext4", "-O", "inline_data", "-I", "1024"],
    wrong: ["sparse"],
  },
  { name: "ext4, inodes of 128 bytes", options: ["-t", "ext4", "-I", "128"] },
  { name: "ext4 with bigalloc", options: ["-t", "ext4", "-O", "bigalloc", "-C", "16384"] },
  { name: "ext4 with bigalloc, 1 KiB", options: ["-t", "ext4", "-O", "bigalloc", "-b", "1024", "-C", "8192"] },
  { name: "ext4 with meta_bg", options: ["-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"], sizeMiB: 64 },
  { name: "ext4 without 64bit", options: ["-t", "ext4", "-O", "^64bit"] },
  { name: "ext4 without flex_bg", options: ["-t", "ext4", "-O", "^flex_bg", "-b", "1024"], sizeMiB: 32 },
  { name: "ext4 with sparse_super2", options: ["-t", "ext4", "-O", "sparse_super2,^resize_inode", "-b", "1024"] },
  { name: "ext4 without sparse_super", options: ["-t", "ext4", "-O", "^sparse_super,^resize_inode", "-b", "1024"] },
  { name: "ext4 with uninit_bg", options: ["-t", "ext4", "-O", "^metadata_csum,uninit_bg", "-b", "1024"], sizeMiB: 48 },
  { name: "ext4 with a seed of its own", options: ["-t", "ext4", "-O", "metadata_csum_seed"] },
  { name: "ext4 with ea_inode", options: ["-t", "ext4", "-O", "ea_inode"] },
  { name: "ext4 with quota and project", options: ["-t", "ext4", "-O", "quota,project"] },
  { name: "ext4 with an orphan file", options: ["-t", "ext4", "-O", "orphan_file"] },
  { name: "ext4 with fast commits", options: ["-t", "ext4", "-O", "fast_commit"] },
  { name: "ext4 with mmp", options: ["-t", "ext4", "-O", "mmp"] },
  { name: "ext4 with encrypt", options: ["-t", "ext4", "-O", "encrypt"] },
  { name: "ext4 with casefold", options: ["-t", "ext4", "-O", "casefold"] },
  { name: "ext4 with verity, stable inodes", options: ["-t", "ext4", "-O", "verity,stable_inodes"] },
  { name: "ext4 without a journal", options: ["-t", "ext4", "-O", "^has_journal"] },
  { name: "ext4 with large_dir", options: ["-t", "ext4", "-O", "large_dir", "-b", "1024"], index: true },
  { name: "ext4 with indexes by half MD4", options: ["-t", "ext4", "-b", "1024"], index: true },
  { name: "ext3 with indexes", options: ["-t", "ext3", "-b", "1024"], index: true },
  { name: "ext4 with indexes and 64 KiB", options: ["-t", "ext4", "-b", "65536"], sizeMiB: 64, index: true },
  {
    name: "ext4 with devices of both encodings",
    options: ["-t", "ext4"],
    commands: ["mknod tty c 4 64", "mknod disk b 8 17", "mknod wide c 300 70000", "mknod pipe p"],
  },
];

let folder: TemporaryFolder;
let sample: string;

before(() => {
  folder = temporaryFolder();
  sample = folder.join("sample");
  fs.mkdirSync(sample);
  fillSample(sample);
});

after(() => folder[Symbol.asyncDispose]());

for (const one of cases) {
  test(`reads ${one.name} as debugfs does`, { skip }, async () => {
    const image = folder.join("image");
    try {
      makeImage(image, one);
      await using reader = await FileReader.open(image);
      await using fileSystem = await openFileSystem(reader);
      const facts = await factsOf(fileSystem);
      assertSameTree(facts, modelOf(one));
      assertDumped(facts, image, { dump: folder.join("dump"), fromBytes: one.name.includes("inline") ? 1024 : 0 });
      await assertFound(fileSystem, facts);
      await assertUsed(fileSystem, image);
      assert.deepEqual(await problemsOf(fileSystem), []);
    } finally {
      fs.rmSync(image, { force: true });
      fs.rmSync(folder.join("dump"), { recursive: true, force: true });
    }
  });
}

test("finds names whatever their case where the directory says so", { skip }, async () => {
  const image = folder.join("folded");
  runPeer("mke2fs", ["-q", "-F", "-t", "ext4", "-O", "casefold", "-d", sample, image, "24M"]);
  runPeer("debugfs", ["-w", "-R", "sif many flags 0x40080000", image]);
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const many = await resolvePath(fileSystem, "many");
  const id = await fileSystem.find(many, "a-file-with-a-rather-long-name-77");
  assert.ok(id !== undefined);
  assert.equal(await fileSystem.find(many, "A-File-With-A-Rather-LONG-name-77"), id);
  assert.equal(await fileSystem.find(many, "A-File-With-A-Rather-LONG-name-7777"), undefined);
  assert.equal(await fileSystem.find(fileSystem.rootId, "MANY"), undefined);
});

function makeImage(image: string, one: ImageCase): void {
  runPeer("mke2fs", ["-q", "-F", "-E", "root_owner", ...one.options, "-d", sample, image, `${one.sizeMiB ?? 24}M`]);
  for (const command of one.commands ?? []) runPeer("debugfs", ["-w", "-R", command, image]);
  if (one.index === true) tolerate(() => runPeer("e2fsck", ["-fyD", image]));
}

/** e2fsck exits 1 where it has changed anything. */
function tolerate(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Error && "status" in error && error.status === 1)) throw error;
  }
}

async function problemsOf(fileSystem: FileSystem): Promise<Problem[]> {
  const problems: Problem[] = [];
  for await (const problem of fileSystem.check()) problems.push(problem);
  return problems;
}

const ownNames: ReadonlySet<string> = new Set(["lost+found", "tty", "disk", "wide", "pipe"]);

function modelOf(one: ImageCase): Map<string, FileFacts> {
  const model = factsOfFolder(sample);
  for (const name of one.wrong ?? []) model.delete(name);
  if (one.hasNoXattrs === true) for (const [name, facts] of model) model.set(name, { ...facts, xattrs: {} });
  return model;
}

/** All that mke2fs takes over from a folder. It writes times in whole seconds. */
function assertSameTree(facts: Map<string, FileFacts>, model: Map<string, FileFacts>): void {
  const names = [...facts.keys()].filter((name) => !ownNames.has(name) && model.has(name));
  assert.deepEqual(names.sort(), [...model.keys()].sort());
  for (const [name, expected] of model) {
    if (name === "") continue;
    const { modified, ...rest } = facts.get(name)!;
    const { modified: expectedTime, ...expectedRest } = expected;
    assert.deepEqual(rest, expectedRest, name);
    assert.equal(modified.seconds, expectedTime.seconds, name);
  }
}

/**
 * Compares the files with what `debugfs rdump` takes out, but for those below `fromBytes`: version 1.47.0 pads
 * files that stand in their inode to 60 bytes.
 */
function assertDumped(
  facts: Map<string, FileFacts>,
  image: string,
  { dump, fromBytes }: { readonly dump: string; readonly fromBytes: number },
): void {
  fs.mkdirSync(dump);
  runPeer("debugfs", ["-R", `rdump / ${dump}`, image]);
  const dumped = factsOfFolder(dump);
  for (const [name, { kind, hash, linkTarget, sizeBytes }] of facts) {
    const isDumped = kind === "symlink" || kind === "directory" || (kind === "file" && sizeBytes >= fromBytes);
    if (!isDumped) continue;
    const there = dumped.get(name);
    assert.deepEqual(
      { kind, hash, linkTarget },
      { kind: there?.kind, hash: there?.hash, linkTarget: there?.linkTarget },
      name,
    );
  }
}

/** Every name that is listed is found, by index or not; a name that is not there is not. */
async function assertFound(fileSystem: FileSystem, facts: Map<string, FileFacts>): Promise<void> {
  for (const [name, { kind }] of facts) {
    if (kind !== "directory") continue;
    let id: number | undefined = fileSystem.rootId;
    for (const part of name === "" ? [] : name.split("/")) id = await fileSystem.find(id!, part);
    for await (const items of fileSystem.list(id!)) {
      for (const item of items) assert.equal(await fileSystem.find(id!, item.name), item.id, item.name);
    }
    assert.equal(await fileSystem.find(id!, "no such name"), undefined);
  }
}

/** What is used and what is free make up the whole, and free is what dumpe2fs says it is. */
async function assertUsed(fileSystem: FileSystem, image: string): Promise<void> {
  let usedBytes = 0;
  let end = -1;
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) {
    assert.ok(startBytes > end && lengthBytes > 0);
    usedBytes += lengthBytes;
    end = startBytes + lengthBytes;
  }
  const { sizeBytes, freeBytes, blockSizeBytes } = fileSystem.info;
  assert.equal(usedBytes, sizeBytes - freeBytes);
  const said = runPeer("dumpe2fs", ["-h", image]);
  assert.equal(freeBytes / blockSizeBytes, Number(/Free blocks: +(\d+)/.exec(said)?.[1]));
}
