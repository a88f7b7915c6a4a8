/** XFS that contradicts itself under right checksums: what xfs_repair finds, the check finds, and says what it is. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { makeXfs, problemsOf, usingXfs } from "../filesystem/xfs/xfs-image.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mkfs.xfs", "xfs_db", "xfs_repair");

/** Two files, a directory with a file and a directory in it. */
function makeImage(folder: TemporaryFolder, options: string): string {
  const [image, text, prototype] = [folder.join("image"), folder.join("text"), folder.join("prototype")];
  fs.writeFileSync(text, "x".repeat(30_000));
  const lines = [
    "/dev/null",
    "0 0",
    "d--755 0 0",
    `one ---644 0 0 ${text}`,
    `two ---644 0 0 ${text}`,
    `few d--755 0 0\ninner ---644 0 0 ${text}\ndeep d--755 0 0\n$\n$`,
    "$\n",
  ];
  fs.writeFileSync(prototype, lines.join("\n"));
  makeXfs(image, 48, `${options} -p ${prototype}`);
  return image;
}

const write = (...words: readonly string[]): string[] => words.flatMap((word) => ["-c", word]);

/** Commands for xfs_db, and what the check has to say then. */
const damages: readonly (readonly [name: string, commands: readonly string[], wanted: RegExp])[] = [
  [
    "a count of links",
    ["path /one", "write -d core.nlinkv2 7"],
    /^error: inode \d+ says that it has 7 names, and has 1 \(\/one\)$/,
  ],
  [
    "a file without its name",
    ["path /", "write -d u3.sfdir3.list[0].inumber.i4 132"],
    /^error: inode 131 is in use and has no name$/,
  ],
  [
    "blocks of another file",
    ["path /one", "write -d u3.bmx[0].startblock 34"],
    /^error: inode \d+ has block 3\d of group 0, which something else has too/,
  ],
  [
    "free blocks",
    ["path /one", "write -d u3.bmx[0].startblock 3000"],
    /^error: inode \d+ has block 3000 of group 0, which is free \(\/one\)$/,
  ],
  [
    "blocks of a header",
    ["path /one", "write -d u3.bmx[0].startblock 0"],
    /has block 0 of group 0, which something else has/,
  ],
  [
    "blocks beyond the end",
    ["path /one", "write -d u3.bmx[0].startblock 16380"],
    /^error: inode \d+: it cannot have 8 blocks from block 16380 on/,
  ],
  ["a number of blocks", ["path /two", "write -d core.nblocks 999"], /says that it has 999 blocks, and has 8/],
  [
    "a name of nothing",
    ["path /", "write -d u3.sfdir3.list[1].inumber.i4 180"],
    /^error: "two" in the directory in inode 128 is inode 180, which is not in use/,
  ],
  [
    "a name of another kind",
    ["path /", "write -d u3.sfdir3.list[0].filetype 2"],
    /^error: "one" in the directory in inode 128 is said to be a directory, and is a file/,
  ],
  [
    "a directory that is in another",
    ["path /few", "write -d u3.sfdir3.hdr.parent.i4 133"],
    /^error: the directory in inode \d+ is in inode 128, and says that it is in 133/,
  ],
  [
    "free blocks of a group",
    ["agf 0", "write -d freeblks 7"],
    /^error: the free space of .* group 0: 7 blocks, .* 6110 are/,
  ],
  ["the tree by size", ["agf 0", "addr cntroot", "write -d recs[1].blockcount 5"], /its two trees do not agree/],
  [
    "the tree by place",
    ["agf 0", "addr bnoroot", "write -d recs[1].startblock 8"],
    /^error: .*(has block \d+ of group 0, which something else has too|its two trees do not agree)/,
  ],
  [
    "free inodes",
    ["agi 0", "addr root", "write -d recs[1].free 0xfffffffffffffff0"],
    /^error: the inodes of XFS allocation group 0/,
  ],
  [
    "the tree of free inodes",
    ["agi 0", "addr free_root", "write -d recs[1].startino 192"],
    /its two trees do not agree/,
  ],
  ["a count of inodes", ["agi 0", "write -d count 3"], /^error: the inodes of .* group 0: 58 of 3 are said to be free/],
  ["references", ["agf 0", "addr refcntroot", "write -d numrecs 2000"], /it cannot have 2000 entries/],
  ["a root that is outside", ["agf 0", "write -d bnoroot 70000"], /a tree of 1 levels begins at block 70000 of/],
  ["a level", ["agf 0", "addr bnoroot", "write -d level 1"], /it is of level 1 where 0 should be/],
  ["a size that cannot be", ["path /few", "write -d core.size 5000"], /5000 bytes have no room in the inode/],
  ["a kind that is none", ["path /one", "write -d core.mode 0170644"], /it is of no kind/],
];

test("what contradicts itself in an XFS is found, as by xfs_repair, and told", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = makeImage(folder, "");
  await usingXfs(image, async (fileSystem) => assert.deepEqual(await problemsOf(fileSystem), []));
  const whole = fs.readFileSync(image);
  for (const [name, commands, wanted] of damages) {
    fs.writeFileSync(image, whole);
    runPeer("xfs_db", ["-x", ...write(...commands), image]);
    await usingXfs(image, async (fileSystem) => {
      const problems = await problemsOf(fileSystem);
      assert.ok(
        problems.some((problem) => wanted.test(problem)),
        `${name}:\n${problems.join("\n")}`,
      );
    });
    assert.throws(() => runPeer("xfs_repair", ["-n", image]), { status: 1 }, name);
  }
});

test("counters of the superblock that differ are a warning, and keep nobody from a backup", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = makeImage(folder, "");
  runPeer("xfs_db", ["-x", ...write("sb 0", "write fdblocks 5", "write ifree 6"), image]);
  await usingXfs(image, async (fileSystem) => {
    const problems = await problemsOf(fileSystem);
    assert.equal(problems.length, 2);
    for (const problem of problems) assert.match(problem, /^warning: the superblock says that there are [56] free /);
  });
});
