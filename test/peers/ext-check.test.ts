import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { fillSample } from "../filesystem/ext/sample-folder.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mke2fs", "debugfs", "e2fsck");

interface Damage {
  readonly name: string;
  /** Given to `debugfs -w`, which keeps checksums right. */
  readonly commands: readonly string[];
  readonly expected: RegExp;
}

const damages: readonly Damage[] = [
  {
    name: "a block free that is in use",
    commands: ["freeb 700"],
    expected: /^block 700: in use, and free in the bitmap/,
  },
  { name: "a block taken that is not in use", commands: ["setb 20000"], expected: /^block 20000: not in use/ },
  {
    name: "an inode free that is in use",
    commands: ["freei large"],
    expected: /^inode \d+ is in use, and free in the bitmap \(\/large\)/,
  },
  { name: "an inode taken that is not in use", commands: ["seti <2000>"], expected: /^inode 2000 is not in use/ },
  {
    name: "a wrong link count",
    commands: ["sif large links_count 7"],
    expected: /counts 7 links, and has 1 \(\/large\)/,
  },
  { name: "a name too many", commands: ["ln large second"], expected: /counts 1 links, and has 2/ },
  { name: "an inode without a name", commands: ["unlink large"], expected: /it is in use, and no directory names it/ },
  { name: "a directory without a name", commands: ["unlink a"], expected: /it is in use, and no directory names it/ },
  {
    name: "a name without an inode",
    commands: ["clri large"],
    expected: /"large" names inode \d+, which is not in use/,
  },
  { name: "a directory with two names", commands: ["ln empty twin"], expected: /it has a second name/ },
  { name: "a wrong size", commands: ["sif large size 100"], expected: /it has blocks up to \d+, and 100 bytes/ },
  { name: "a wrong size of a directory", commands: ["sif many size 1000"], expected: /says it has 1000 bytes/ },
  { name: "a wrong count of blocks", commands: ["sif large blocks 2"], expected: /says that it takes 1024 bytes/ },
  { name: "a time of deletion", commands: ["sif large dtime 12345"], expected: /has a time of deletion/ },
  { name: "a mode of no kind", commands: ["sif large mode 0110644"], expected: /is no kind of file/ },
  {
    name: "a type that is another",
    commands: ["sif size-100 mode 010644"],
    expected: /has type 1, its inode \d+ has 5/,
  },
  {
    name: "a wrong count of free blocks",
    commands: ["ssv free_blocks_count 5"],
    expected: /superblock counts 5 free blocks/,
  },
  {
    name: "a wrong count of free inodes",
    commands: ["ssv free_inodes_count 5"],
    expected: /superblock counts 5 free inodes/,
  },
  {
    name: "a group's free blocks",
    commands: ["set_bg 0 free_blocks_count 3", "set_bg 0 checksum calc"],
    expected: /group 0 counts 3 free blocks/,
  },
  {
    name: "a group's directories",
    commands: ["set_bg 0 used_dirs_count 99", "set_bg 0 checksum calc"],
    expected: /group 0 counts 99 directories/,
  },
  {
    name: "a group's checksum",
    commands: ["set_bg 0 checksum 1"],
    expected: /checksum of the descriptor of group 0 is wrong/,
  },
  { name: "an orphan", commands: ["ssv last_orphan 30"], expected: /1 inodes wait/ },
  {
    name: "errors that the kernel found",
    commands: ["ssv state 2"],
    expected: /marked the file system as having errors/,
  },
];

/** With a map of pointers debugfs can set each of them. */
const mapDamages: readonly Damage[] = [
  {
    name: "a block of two files",
    commands: ["sif size-4097 block[0] 6000", "sif size-4096 block[0] 6000"],
    expected: /block 6000 belongs to something else too/,
  },
  {
    name: "a file over an inode table",
    commands: ["sif size-4096 block[1] 200"],
    expected: /block 200 belongs to something else too/,
  },
  {
    name: "a block outside",
    commands: ["sif size-4096 block[0] 99999999"],
    expected: /not all inside the file system/,
  },
  { name: "a map outside", commands: ["sif large block[IND] 99999999"], expected: /names block 99999999/ },
];

let folder: TemporaryFolder;

before(() => {
  folder = temporaryFolder();
  if (skip !== false) return;
  fs.mkdirSync(folder.join("sample"));
  fillSample(folder.join("sample"));
  make("ext4", ["-t", "ext4", "-b", "1024"]);
  make("ext2", ["-t", "ext2", "-b", "1024"]);
});

after(() => folder[Symbol.asyncDispose]());

function make(name: string, options: readonly string[]): void {
  runPeer("mke2fs", ["-q", "-F", ...options, "-d", folder.join("sample"), folder.join(name), "24M"]);
}

for (const [kind, list] of [
  ["ext4", damages],
  ["ext2", mapDamages],
] as const) {
  for (const damage of list) {
    test(`finds ${damage.name}`, { skip }, async () => {
      const image = folder.join("image");
      fs.copyFileSync(folder.join(kind), image);
      for (const command of damage.commands) runPeer("debugfs", ["-w", "-R", command, image]);
      const found = await problemsOf(image);
      assert.ok(
        found.some((message) => damage.expected.test(message)),
        `${damage.expected} in:\n${found.join("\n")}`,
      );
    });
  }
}

test("finds nothing that e2fsck does not find, and all that it repairs", { skip }, async () => {
  const image = folder.join("image");
  fs.copyFileSync(folder.join("ext4"), image);
  for (const command of ["freeb 700", "clri large", "sif size-100 links_count 3", "unlink a"]) {
    runPeer("debugfs", ["-w", "-R", command, image]);
  }
  assert.ok((await problemsOf(image)).length >= 4);
  repair(image);
  assert.deepEqual(await problemsOf(image), []);
});

test("looks at a large file system in several windows", { skip }, async () => {
  const image = folder.join("large");
  fs.writeFileSync(image, "");
  fs.truncateSync(image, 300 * 2 ** 30); // more than 2^28 blocks
  const options = ["-t", "ext4", "-b", "1024", "-N", "100000", "-O", "^has_journal,^resize_inode"];
  runPeer("mke2fs", ["-q", "-F", ...options, "-d", folder.join("sample"), image]);
  assert.deepEqual(await problemsOf(image), []);
  // In the last group: debugfs does not write the bitmaps of those that were never used.
  runPeer("debugfs", ["-w", "-R", "setb 314572000 5", image]);
  const found = await problemsOf(image);
  assert.ok(found.includes("blocks 314572000 to 314572004: not in use, and taken in the bitmap"), found.join("\n"));
  fs.rmSync(image);
});

/** e2fsck exits 1 where it has repaired everything. */
function repair(image: string): void {
  try {
    runPeer("e2fsck", ["-fy", image]);
  } catch (error) {
    if (!(error instanceof Error && "status" in error && error.status === 1)) throw error;
  }
}

async function problemsOf(image: string): Promise<string[]> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const messages: string[] = [];
  for await (const { message } of fileSystem.check()) messages.push(message);
  return messages;
}
