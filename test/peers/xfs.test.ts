/** XFS as its own tools make it and the kernel fills it: read, counted and saved as they do. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { Bitmap } from "../../src/bytes/index.ts";
import { resolvePath, type FileSystem } from "../../src/filesystem/index.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { numberAfter } from "../filesystem/recognise/recognised-file.ts";
import { fillXfs, makeXfs, problemsOf, skipWithoutXfs, usingXfs } from "../filesystem/xfs/xfs-image.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const run = promisify(execFile);
const skip = skipWithout("mkfs.xfs", "xfs_repair", "xfs_db", "partclone.xfs") || skipWithoutMount();
const skipMount = skip || skipWithoutXfs();

/** What a mounted XFS shows besides its ACLs is how it keeps them. */
function withoutOwnNames(facts: ReadonlyMap<string, FileFacts>): Map<string, FileFacts> {
  return new Map(
    [...facts].map(([path, one]) => {
      const xattrs = Object.entries(one.xattrs).filter(([name]) => !name.startsWith("trusted.SGI_ACL_"));
      return [path, { ...one, xattrs: Object.fromEntries(xattrs) }];
    }),
  );
}

function assertSame(found: ReadonlyMap<string, FileFacts>, wanted: ReadonlyMap<string, FileFacts>): void {
  assert.deepEqual([...found.keys()].toSorted(), [...wanted.keys()].toSorted());
  for (const [path, facts] of wanted) assert.deepEqual(found.get(path), facts, path);
}

/** The bitmap of used blocks as partclone has it in its image. */
async function bitmapOfPartclone(image: string, out: string): Promise<Bitmap> {
  await run("/usr/sbin/partclone.xfs", ["-L", "/dev/null", "-c", "-s", image, "-o", out], { maxBuffer: 2 ** 26 });
  const head = fs.readFileSync(out);
  const blocks = Number(head.readBigUInt64LE(60));
  return new Bitmap(blocks, head.subarray(110, 110 + Math.ceil(blocks / 8)));
}

async function assertUsedAs(fileSystem: FileSystem, theirs: Bitmap): Promise<void> {
  const { blockSizeBytes, sizeBytes } = fileSystem.info;
  assert.equal(theirs.length * blockSizeBytes, sizeBytes);
  const ours = new Bitmap(theirs.length);
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) {
    ours.setRange(startBytes / blockSizeBytes, lengthBytes / blockSizeBytes);
  }
  for (let block = 0; block < theirs.length; block++) {
    if (ours.has(block) !== theirs.has(block)) assert.fail(`block ${block}: ours ${ours.has(block)}`);
  }
}

const cases: readonly (readonly [options: string, sizeMiB: number, manyNames: number])[] = [
  ["", 96, 30_000],
  ["-b size=1024 -n size=64k -m rmapbt=1 -d agcount=5", 96, 3000],
  ["-b size=16k -n size=64k -l size=20m", 200, 3000],
  ["-b size=64k -l size=40m", 300, 2000],
  ["-s size=4096 -m rmapbt=1,inobtcount=1 -i nrext64=1,size=1024 -d agcount=7", 150, 3000],
  ["-m finobt=0,reflink=0,bigtime=0,inobtcount=0 -i sparse=0,size=2048 -n size=16k", 96, 3000],
];

for (const [options, sizeMiB, manyNames] of cases) {
  test(`XFS ${options} is read as the kernel reads it`, { skip: skipMount }, async () => {
    await using folder = temporaryFolder();
    const [image, mounted] = [folder.join("image"), folder.join("mounted")];
    makeXfs(image, sizeMiB, `-L täg ${options}`);
    let wanted = new Map<string, FileFacts>();
    await whileMounted(image, mounted, "", async () => {
      fillXfs(mounted, manyNames);
      wanted = withoutOwnNames(factsOfFolder(mounted));
    });
    await usingXfs(image, async (fileSystem) => {
      assert.deepEqual(await problemsOf(fileSystem), []);
      assertSame(await factsOf(fileSystem), wanted);
      for (const n of [1, 2, 1500]) {
        const id = await resolvePath(fileSystem, `/many/a-name-somewhat-longer-${n}`);
        assert.equal(id, await resolvePath(fileSystem, `/some/name-${n % 150}`));
      }
      const many = await resolvePath(fileSystem, "/many");
      assert.equal(await fileSystem.find(many, "a-name-somewhat-longer-7"), undefined);
      await assertUsedAs(fileSystem, await bitmapOfPartclone(image, folder.join("partclone")));
      const said = runPeer("xfs_db", ["-r", "-c", "sb 0", "-c", "print blocksize dblocks fdblocks", image]);
      const { info } = fileSystem;
      assert.deepEqual([info.label, info.notes], ["täg", []]);
      assert.equal(info.uuid, runPeer("blkid", ["-p", "-s", "UUID", "-o", "value", image]).trim());
      assert.equal(info.freeBytes, numberAfter(said, "fdblocks") * info.blockSizeBytes);
    });
  });
}

/** How many of these there is room for. */
function countUntilFull(limit: number, make: (n: number) => void): number {
  for (let n = 0; n < limit; n++) {
    try {
      make(n);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      return n;
    }
  }
  return limit;
}

/** Leaves free only stretches that are shorter than XFS would rather have, and has it take those. */
function fillToTheBrim(root: string): number {
  const piece = noise(3, 20_480);
  const count = countUntilFull(10_000, (n) => fs.writeFileSync(`${root}/piece-${n}`, piece));
  runPeer("sync", ["-f", root]);
  for (let n = 1; n < count; n += 2) fs.rmSync(`${root}/piece-${n}`, { force: true });
  fs.mkdirSync(`${root}/names`);
  return countUntilFull(20_000, (n) => fs.writeFileSync(`${root}/names/${"long".repeat(20)}-${n}`, ""));
}

test(
  "a crowded XFS, with inodes in half chunks and a directory in many pieces, is read",
  { skip: skipMount },
  async () => {
    await using folder = temporaryFolder();
    const [image, mounted] = [folder.join("image"), folder.join("mounted")];
    makeXfs(image, 32, "-d agcount=2");
    let count = 0;
    let wanted = new Map<string, FileFacts>();
    await whileMounted(image, mounted, "", async () => {
      count = fillToTheBrim(mounted);
      wanted = factsOfFolder(mounted);
    });
    const format = runPeer("xfs_db", ["-r", "-c", "path /names", "-c", "print core.format", image]);
    assert.match(format, /3 \(btree\)/);
    const trees = [0, 1].flatMap((group) => ["-c", `agi ${group}`, "-c", "addr root", "-c", "print recs"]);
    assert.match(runPeer("xfs_db", ["-r", ...trees, image]), /:\[\d+,0x?[1-9a-f]/, "a mask of holes");
    await usingXfs(image, async (fileSystem) => {
      assert.deepEqual(await problemsOf(fileSystem), []);
      assertSame(await factsOf(fileSystem), wanted);
      const names = await resolvePath(fileSystem, "/names");
      assert.notEqual(await fileSystem.find(names, `${"long".repeat(20)}-${count - 1}`), undefined);
      await assertUsedAs(fileSystem, await bitmapOfPartclone(image, folder.join("partclone")));
    });
  },
);

test("XFS whose UUID was changed is read: its blocks keep the first one", { skip: skipMount }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeXfs(image, 48, "");
  await whileMounted(image, folder.join("mounted"), "", async () => fillXfs(folder.join("mounted"), 200));
  const before = await usingXfs(image, (fileSystem) => factsOf(fileSystem));
  const uuid = "0a1b2c3d-4e5f-4012-8345-6789abcdef01";
  runPeer("xfs_db", ["-x", "-c", `uuid ${uuid}`, image]);
  await usingXfs(image, async (fileSystem) => {
    assert.deepEqual([fileSystem.info.uuid, fileSystem.info.features.includes("meta_uuid")], [uuid, true]);
    assert.deepEqual(await problemsOf(fileSystem), []);
    assert.deepEqual(await factsOf(fileSystem), before);
  });
});
