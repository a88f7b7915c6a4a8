/** A btrfs that was damaged at random, or by hand: an error in time, other copies where there are any, and never a wrong file. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { blockGroup, chunkItem, nodeHeader } from "../../src/filesystem/btrfs/records.ts";
import { itemTypes } from "../../src/filesystem/btrfs/key.ts";
import { TreeNode } from "../../src/filesystem/btrfs/node.ts";
import { btrfsSuperblock, superblockPlaces } from "../../src/filesystem/btrfs/superblock.ts";
import { openFileSystem, probe, recognise, resolvePath, type Problem } from "../../src/filesystem/index.ts";
import { openBtrfs } from "../../src/filesystem/btrfs/index.ts";
import { madeBtrfs, nodePlaces, sampleFolder, seal } from "../filesystem/btrfs/made-btrfs.ts";
import { factsOf } from "../filesystem/file-facts.ts";
import { skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { lookAtAll, randomFrom } from "./look-at-all.ts";

const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 40);
const skip = skipWithout("mkfs.btrfs");
const paths = ["/many/file-7", "/deep/er/still/large", "/missing"];
const [firstPlace, mirrorPlace] = superblockPlaces;

async function sample(sizeMiB: number, options: string): Promise<Uint8Array<ArrayBuffer>> {
  await using folder = temporaryFolder();
  return Uint8Array.from(fs.readFileSync(madeBtrfs(folder, sampleFolder(folder), sizeMiB, options)));
}

async function problemsOf(bytes: Uint8Array): Promise<Problem[]> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return await Array.fromAsync(fileSystem.check());
}

async function readAt(bytes: Uint8Array, path: string): Promise<Buffer> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  const id = await resolvePath(fileSystem, path);
  const whole = Buffer.alloc((await fileSystem.stat(id)).sizeBytes);
  for await (const { at, bytes: piece } of fileSystem.content(id)) whole.set(piece, at);
  return whole;
}

function nodeAt(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at, at + btrfsSuperblock.get(bytes, "nodeBytes", firstPlace));
}

test("damage anywhere in the structures ends in a failure, soon", { skip }, async () => {
  const whole = await sample(32, "--mixed -n 4096");
  assert.equal(await lookAtAll(whole, paths.slice(0, 2)), 0);
  const places = nodePlaces(whole);
  for (let round = 0; round < roundCount; round++) {
    const seed = firstSeed + round;
    const random = randomFrom(seed);
    const bytes = Uint8Array.from(whole);
    for (let count = 1 + random(3); count > 0; count--) {
      const isNode = random(8) > 0;
      const node = isNode
        ? nodeAt(bytes, places[random(places.length)]!)
        : bytes.subarray(firstPlace, firstPlace + 4096);
      damage(node, random);
      seal(node); // so that it gets further than to the checksum
    }
    try {
      await lookAtAll(bytes, paths);
    } catch (error) {
      throw new Error(`with HOLDFAST_SEED=${seed} HOLDFAST_ROUNDS=1`, { cause: error });
    }
  }
});

/** Changes a bit of a header, or of where items are, or a whole number. */
function damage(node: Uint8Array, random: (below: number) => number): void {
  const usedBytes = Math.min(node.length, 101 + nodeHeader.get(node, "itemCount") * 33);
  const at = random(3) === 0 ? random(node.length - 8) : 32 + random(Math.max(1, usedBytes - 40));
  if (random(2) === 0) node[at]! ^= 1 << random(8);
  else node.fill(random(2) === 0 ? 0xff : 0, at, at + 1 + random(8));
}

test("a node whose one copy is damaged is read from the other, and named", { skip }, async () => {
  const whole = await sample(150, "-n 16384 -m dup");
  await using fileSystem = await openFileSystem(new MemoryDevice(whole));
  const wanted = await factsOf(fileSystem);
  const copies = new Map<number, number[]>();
  for (const at of nodePlaces(whole)) {
    const logical = nodeHeader.get(nodeAt(whole, at), "logical");
    copies.set(logical, [...(copies.get(logical) ?? []), at]);
  }
  for (const which of [0, 1]) {
    const bytes = Uint8Array.from(whole);
    for (const places of copies.values()) if (places.length === 2) bytes[places[which]! + 200]! ^= 4;
    const problems = await problemsOf(bytes);
    assert.ok(problems.length >= 8 && problems.every(({ severity }) => severity === "warning"));
    assert.match(
      problems[0]!.message,
      new RegExp(`^copy ${which + 1} of the node \\d+ of tree 3, at \\d+ of the device: its checksum does not match$`),
    );
    await using mended = await openFileSystem(new MemoryDevice(bytes));
    assert.deepEqual(await factsOf(mended), wanted);
  }
});

test("data that is damaged is read from another copy, or not at all", { skip }, async () => {
  for (const [options, sizeMiB, copyCount] of [
    ["--mixed -n 4096", 32, 1],
    ["--mixed -m dup -d dup --csum xxhash", 240, 2],
    ["-n 16384 -d single --csum sha256", 150, 1],
  ] as const) {
    const whole = await sample(sizeMiB, options);
    const wanted = await readAt(whole, "/deep/er/still/large");
    const found: number[] = [];
    const needle = wanted.subarray(100_000, 100_064);
    for (let at = Buffer.from(whole.buffer).indexOf(needle); at >= 0;) {
      found.push(at);
      at = Buffer.from(whole.buffer).indexOf(needle, at + 1);
    }
    assert.equal(found.length, copyCount, options);
    whole[found[0]!]! ^= 0x10;
    if (copyCount === 2) assert.ok(wanted.equals(await readAt(whole, "/deep/er/still/large")), options);
    whole[found.at(-1)!]! ^= 0x20;
    await assert.rejects(readAt(whole, "/deep/er/still/large"), (error) => {
      return error instanceof Failure && /cannot read file \d+: the checksum of its data at \d+/.test(error.message);
    });
  }
});

test("where the superblock is damaged or gone the mirror is used, and the check says so", { skip }, async () => {
  const whole = await sample(150, "-n 16384 -L mirrored");
  const wanted = await readAt(whole, "/deep/Läb ☃");
  for (const [lengthBytes, message] of [
    [1, "the checksum of the superblock does not match"],
    [4096, "the superblock is gone"],
  ] as const) {
    const bytes = Uint8Array.from(whole);
    bytes.fill(0x55, firstPlace + 300, firstPlace + 301);
    if (lengthBytes > 1) bytes.fill(0, firstPlace, firstPlace + lengthBytes);
    assert.equal(await probe(new MemoryDevice(bytes)), "btrfs");
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    assert.equal(fileSystem.info.label, "mirrored");
    assert.deepEqual(fileSystem.info.notes, [`the superblock is broken: the mirror at ${mirrorPlace} is used`]);
    assert.ok(wanted.equals(await readAt(bytes, "/deep/Läb ☃")));
    assert.deepEqual(await problemsOf(bytes), [{ severity: "error", message }]);
  }
  const bytes = Uint8Array.from(whole);
  bytes[mirrorPlace + 300]! ^= 1;
  const message = `the checksum of the mirror of the superblock at ${mirrorPlace} does not match`;
  assert.deepEqual(await problemsOf(bytes), [{ severity: "warning", message }]);
});

test("what is not known is refused by name", { skip }, async () => {
  const whole = await sample(32, "--mixed");
  const cases: readonly (readonly [Parameters<typeof btrfsSuperblock.patch>[1], RegExp])[] = [
    [{ incompatible: 0x2001n }, /what this program does not know: extent-tree-v2$/],
    [{ incompatible: 0x5001n }, /what this program does not know: zoned, raid-stripe-tree$/],
    [{ incompatible: 1n | (1n << 40n) }, /what this program does not know: incompatible feature 0x10000000000$/],
    [{ readOnlyCompatible: 0x10n }, /what this program does not know: read-only-compatible feature 0x10$/],
    [{ incompatible: 0n }, /of 2008, before/],
    [{ deviceCount: 3 }, /is spread over 3 devices, of which this is number 1$/],
    [{ flags: 1n << 33n }, /an image of metadata only/],
  ];
  for (const [values, wanted] of cases) {
    const bytes = Uint8Array.from(whole);
    const superblock = bytes.subarray(firstPlace, firstPlace + 4096);
    btrfsSuperblock.patch(superblock, values);
    seal(superblock);
    const device = new MemoryDevice(bytes);
    await assert.rejects(openBtrfs(device), (error) => {
      return error instanceof Failure && error.code === "unsupported" && wanted.test(error.message);
    });
    assert.equal(await probe(device), undefined);
    assert.match((await recognise(device))?.whyNotRead ?? "", wanted);
  }
});

test("counters, owners and references that do not agree are told", { skip }, async () => {
  const whole = await sample(32, "--mixed -n 4096");
  const change = async (tree: number, type: number, work: (item: Uint8Array) => void): Promise<string[]> => {
    const bytes = Uint8Array.from(whole);
    // Of older leaves, which are free, nobody takes notice.
    for (const at of nodePlaces(bytes)) {
      const node = new TreeNode(nodeAt(bytes, at));
      const items = node.level > 0 ? [] : Array.from({ length: node.count }, (_, n) => n);
      const found = node.owner === tree ? items.find((n) => node.type(n) === type) : undefined;
      if (found === undefined) continue;
      work(node.data(found));
      seal(nodeAt(bytes, at));
    }
    return (await problemsOf(bytes)).map(({ severity, message }) => `${severity}: ${message}`);
  };
  const cases: readonly (readonly [number, number, (item: Uint8Array) => void, RegExp])[] = [
    [
      2,
      itemTypes.blockGroup,
      (item) => blockGroup.patch(item, { usedBytes: 57_344 }),
      /error: the block group .* 57344 bytes/,
    ],
    [2, itemTypes.metadata, (item) => (item[0]! += 1), /error: the extent \d+ has 2 references, 1 are listed/],
    [
      3,
      itemTypes.chunk,
      (item) => chunkItem.patch(item, { flags: 1n }),
      /error: the node \d+ of tree \d+ cannot be there/,
    ],
    [4, itemTypes.deviceExtent, (item) => (item[26]! ^= 1), /error: what is given out at \d+ of the device/],
    [5, itemTypes.inode, (item) => (item[40]! += 1), /warning: file \d+ says that it has 2 names, there are 1/],
    [5, itemTypes.dirIndex, (item) => (item[0]! ^= 64), /error: "\S+" in file \d+ stands for one file when listed/],
    [5, itemTypes.dirItem, (item) => (item[30]! ^= 1), /error: "\S+" in file \d+ is not where its hash is/],
    [
      5,
      itemTypes.extentData,
      (item) => (item[8]! ^= 1),
      /error: file \d+, its data at 0: \d+ bytes in its item cannot/,
    ],
    [10, 198, (item) => (item[0]! += 1), /error: the tree of free space does not match/],
  ];
  for (const [tree, type, work, wanted] of cases) {
    const problems = await change(tree, type, work);
    assert.ok(
      problems.some((problem) => wanted.test(problem)),
      `${wanted} in:\n${problems.join("\n")}`,
    );
  }
});
