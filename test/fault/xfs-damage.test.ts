/** XFS damaged at random: each flipped bit of a structure is found, and whatever is damaged ends in an answer, soon. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { Bitmap } from "../../src/bytes/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { checksumOf } from "../../src/filesystem/xfs/checksum.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { fillXfs, makeXfs, skipWithoutXfs } from "../filesystem/xfs/xfs-image.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { lookAtAll, randomFrom } from "./look-at-all.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 10);
const skip = skipWithout("mkfs.xfs") || skipWithoutMount() || skipWithoutXfs();
const paths = ["/many/a-name-somewhat-longer-300", "/few/hard", "/some/name-1", "/missing"];

/** A structure: how it is told, how much its checksum covers, and where that stands. */
interface Kind {
  readonly name: string;
  readonly magic: number;
  readonly magicAt: number;
  readonly magicBytes: 2 | 4;
  readonly unit: "sector" | "block" | "inode";
  readonly checksumAt: number;
}

const kind = (name: string, magic: number, unit: Kind["unit"], checksumAt: number): Kind => {
  return { name, magic, magicAt: 0, magicBytes: 4, unit, checksumAt };
};
const indexKind = (name: string, magic: number): Kind => {
  return { name, magic, magicAt: 8, magicBytes: 2, unit: "block", checksumAt: 12 };
};
const kinds: readonly Kind[] = [
  kind("free space header", 0x58414746, "sector", 216),
  kind("inode header", 0x58414749, "sector", 312),
  kind("free list", 0x5841464c, "sector", 32),
  kind("bnobt", 0x41423342, "block", 52),
  kind("cntbt", 0x41423343, "block", 52),
  kind("inobt", 0x49414233, "block", 52),
  kind("finobt", 0x46494233, "block", 52),
  kind("rmapbt", 0x524d4233, "block", 52),
  kind("refcountbt", 0x52334643, "block", 52),
  kind("tree of extents", 0x424d4133, "block", 64),
  kind("directory of one block", 0x58444233, "block", 4),
  kind("names", 0x58444433, "block", 4),
  kind("free room", 0x58444633, "block", 4),
  kind("link", 0x58534c4d, "block", 12),
  kind("value", 0x5841524d, "block", 12),
  indexKind("node", 0x3ebe),
  indexKind("leaf of attributes", 0x3bee),
  indexKind("only leaf of names", 0x3df1),
  indexKind("leaf of names", 0x3dff),
  { ...kind("inode", 0x494e, "inode", 100), magicBytes: 2 },
];

interface Sample {
  readonly bytes: Uint8Array;
  /** Where there are structures of each kind that are in use. */
  readonly places: ReadonlyMap<Kind, readonly number[]>;
  readonly sizes: Readonly<Record<Kind["unit"], number>>;
}

async function sampleOf(options: string, sizeMiB: number): Promise<Sample> {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeXfs(image, sizeMiB, options);
  await whileMounted(image, folder.join("mounted"), "", async () => fillXfs(folder.join("mounted"), 900));
  const bytes = Uint8Array.from(fs.readFileSync(image));
  const view = new DataView(bytes.buffer);
  const sizes = { sector: view.getUint16(102), block: view.getUint32(4), inode: view.getUint16(104) };
  const logAt = Number(view.getBigUint64(48)); // in group 1 at most: see the options
  const groupBits = view.getUint8(124);
  const logBlock = (logAt >>> groupBits) * view.getUint32(84) + (logAt & (2 ** groupBits - 1));
  const log = { start: logBlock * sizes.block, end: (logBlock + view.getUint32(96)) * sizes.block };
  const places = new Map<Kind, number[]>(kinds.map((one) => [one, []]));
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) {
    for (let at = startBytes; at < startBytes + lengthBytes; at += sizes.sector) {
      if (at >= log.start && at < log.end) continue;
      const found = kinds.find((one) => at % sizes[one.unit] === 0 && isAt(view, at, one));
      if (found !== undefined) places.get(found)?.push(at);
    }
  }
  return { bytes, places, sizes };
}

function isAt(view: DataView, at: number, { magic, magicAt, magicBytes, unit }: Kind): boolean {
  const found = magicBytes === 4 ? view.getUint32(at + magicAt) : view.getUint16(at + magicAt);
  return found === magic && (unit !== "inode" || view.getUint16(at + 2) !== 0);
}

/** Whether opening fails or the check has something to say. */
async function isFound(bytes: Uint8Array): Promise<boolean> {
  try {
    await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
    for await (const { severity } of fileSystem.check()) if (severity === "error") return true;
    return false;
  } catch (error) {
    if (error instanceof Failure) return true;
    throw error;
  }
}

/** The blocks that would be saved. */
async function usedBlocks(bytes: Uint8Array, blockBytes: number): Promise<Bitmap> {
  const used = new Bitmap(bytes.length / blockBytes);
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) {
    used.setRange(startBytes / blockBytes, lengthBytes / blockBytes);
  }
  return used;
}

test("a flipped bit in any structure is found, and nothing is left out of a backup for it", { skip }, async () => {
  const { bytes, places, sizes } = await sampleOf("-m rmapbt=1 -d agcount=2", 48);
  assert.equal(await isFound(bytes), false);
  const used = await usedBlocks(bytes, sizes.block);
  const random = randomFrom(firstSeed);
  for (const [one, found] of places) {
    assert.ok(found.length > 0, `there is none of ${one.name}`);
    for (let round = 0; round < 3; round++) {
      const at = (found[random(found.length)] ?? 0) + random(sizes[one.unit]);
      const bit = 1 << random(8);
      bytes[at]! ^= bit;
      const what = `${one.name}, bit ${bit} of byte ${at}, seed ${firstSeed}`;
      assert.ok(await isFound(bytes), what);
      const now = await usedBlocks(bytes, sizes.block);
      for (let n = used.nextSet(0); n >= 0; n = used.nextSet(n + 1)) assert.ok(now.has(n), `block ${n}: ${what}`);
      bytes[at]! ^= bit;
    }
  }
  assert.equal(await isFound(bytes), false);
});

for (const [options, sizeMiB] of [
  ["-m rmapbt=1 -d agcount=2", 48],
  ["-b size=1024 -n size=4096 -m rmapbt=1 -d agcount=2", 48],
] as const) {
  test(`damage under right checksums ends in a failure, soon: ${options}`, { skip }, async () => {
    const { bytes: whole, places, sizes } = await sampleOf(options, sizeMiB);
    assert.equal(await lookAtAll(whole, paths.slice(0, 3)), 0);
    for (let round = 0; round < roundCount; round++) {
      const seed = firstSeed + round;
      const random = randomFrom(seed);
      const bytes = Uint8Array.from(whole);
      const count = 1 + random(3);
      for (let n = 0; n < count; n++) {
        const one = kinds[random(kinds.length)]!;
        const found = places.get(one)!;
        const at = found[random(found.length)]!;
        const piece = bytes.subarray(at, at + sizes[one.unit]);
        for (let left = 1 + random(4); left > 0; left--) {
          const near = random(2) === 0 ? 200 : piece.length;
          piece[random(Math.min(near, piece.length))] = [0, 1, 0xff, random(256)][random(4)]!;
        }
        const sum = checksumOf(piece, one.checksumAt);
        new DataView(bytes.buffer, at, piece.length).setUint32(one.checksumAt, sum, true);
      }
      await assert.doesNotReject(lookAtAll(bytes, paths), `seed ${seed}`);
    }
  });
}

test("damage without checksums ends in a failure, soon", { skip: skipWithout("mkfs.xfs", "xfs_db") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  fillPrototype(folder.join("file"), folder.join("prototype"));
  makeXfs(image, 32, `-m crc=0 -b size=512 -n size=4096 -d agcount=2 -p ${folder.join("prototype")}`);
  const attributes = Array.from({ length: 40 }, (_, n) => ["-c", `attr_set -u -v ${n * 60 + 1} name-${n}`]).flat();
  runPeer("xfs_db", ["-x", "-c", "path /some/name-3", ...attributes, image]);
  const whole = Uint8Array.from(fs.readFileSync(image));
  const known = ["/some/name-300", "/some/name-7"];
  assert.equal(await lookAtAll(whole, known), 0);
  const groupBytes = new DataView(whole.buffer).getUint32(84) * 512;
  for (let round = 0; round < 2 * roundCount; round++) {
    const seed = firstSeed + round;
    const random = randomFrom(seed);
    const bytes = Uint8Array.from(whole);
    for (let left = 1 + random(20); left > 0; left--) {
      // The headers and trees of a group, or anything of the inodes, names and attributes behind them.
      const at = random(2) * groupBytes + random(random(2) === 0 ? 8192 : 300_000);
      bytes[at] = [0, 1, 0xff, random(256)][random(4)]!;
    }
    await assert.doesNotReject(lookAtAll(bytes, [...known, "/missing"]), `seed ${seed}`);
  }
});

/** A tree for mkfs.xfs: many names, a long target, and files. */
function fillPrototype(file: string, prototype: string): void {
  fs.writeFileSync(file, "all work and no play\n".repeat(30));
  const names = Array.from({ length: 400 }, (_, n) => `name-${n} ---644 0 0 ${file}`);
  const tree = ["d--755 0 0", `long l--777 0 0 ${"t".repeat(900)}`, "some d--755 0 0", ...names, "$", "$", ""];
  fs.writeFileSync(prototype, ["/dev/null", "0 0", ...tree].join("\n"));
}
