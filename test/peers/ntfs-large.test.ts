/** NTFS with what small volumes do not have: files and the table in many pieces, large directories, large holes. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem, resolvePath, type FileSystem } from "../../src/filesystem/index.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder } from "../filesystem/file-facts.ts";
import { makeNtfs, ntfsProblems, skipNtfs, whileNtfs } from "../filesystem/ntfs/sample-ntfs.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";

async function withFileSystem<T>(image: string, work: (fileSystem: FileSystem) => Promise<T>): Promise<T> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  return await work(fileSystem);
}

/**
 * Fills a volume, frees every other cluster, has the table of files take those, and frees others for a file. What
 * ntfs-3g keeps for the table is filled first.
 */
function fillInPieces(root: string): void {
  fs.mkdirSync(`${root}/names`);
  const name = (n: number): string => `${root}/names/a name that makes a directory long ${(n * 7919) % 100_003}`;
  const count = untilFull((n) => fs.writeFileSync(name(n), noise(n, 1000)));
  for (let n = 0; n <= count; n += 2) fs.rmSync(name(n), { force: true });
  fs.writeFileSync(`${root}/whole`, noise(10, 300_000));
  untilFull((n) => fs.writeFileSync(`${root}/names/${n}`, ""));
  for (let n = 1; n <= count; n += 4) fs.rmSync(name(n), { force: true });
  untilFull((n) => fs.appendFileSync(`${root}/pieces`, noise(n, 1024)));
}

/** Does something with 0, 1, 2 … until there is no more space; gives how often. */
function untilFull(work: (n: number) => void): number {
  let count = 0;
  try {
    for (; ; count++) work(count);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  return count;
}

test("files, their table and directories in many pieces read as with ntfs-3g", { skip: skipNtfs }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 8, ["-c", "512"]);
  await whileNtfs(image, fillInPieces);
  await withFileSystem(image, async (fileSystem) => {
    const id = await resolvePath(fileSystem, "/pieces");
    const places = await fileSystem.places?.(id);
    assert.ok((places?.length ?? 0) > 200, `${places?.length} pieces`);
    // Neither the list of its clusters nor that of the table's fits a record: others have the rest.
    for (const number of [0, id]) {
      assert.match(runPeer("ntfsinfo", ["-i", String(number), image]), /\$ATTRIBUTE_LIST/);
    }
    const ours = await factsOf(fileSystem);
    await whileNtfs(image, (root) => {
      const theirs = factsOfFolder(root);
      assert.equal(ours.size, theirs.size);
      for (const [name, { kind, hash, sizeBytes, modified }] of theirs) {
        const found = ours.get(name);
        assert.deepEqual(
          [found?.kind, found?.hash, found?.sizeBytes, found?.modified],
          [kind, hash, sizeBytes, modified],
        );
      }
    });
    for (const path of ["/names/17", "/NAMES/A NAME THAT MAKES A DIRECTORY LONG 23757"])
      await resolvePath(fileSystem, path);
  });
  assert.deepEqual(await ntfsProblems(image), []);
});

test("holes of many GiB, and what was never written, are not read", { skip: skipNtfs }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeNtfs(image, 16);
  const place = 6 * 2 ** 30 + 12_345;
  await whileNtfs(image, (root) => {
    const file = fs.openSync(`${root}/sparse`, "w");
    fs.writeSync(file, "first", 0);
    fs.writeSync(file, "last", place);
    fs.closeSync(file);
    fs.truncateSync(`${root}/sparse`, 9 * 2 ** 30);
  });
  await withFileSystem(image, async (fileSystem) => {
    const id = await resolvePath(fileSystem, "/sparse");
    const { sizeBytes, allocatedBytes } = await fileSystem.stat(id);
    assert.equal(sizeBytes, 9 * 2 ** 30);
    assert.ok(allocatedBytes < 2 ** 20);
    const found = new Map<number, string>();
    let dataBytes = 0;
    for await (const { at, bytes } of fileSystem.content(id)) {
      dataBytes += bytes.length;
      for (const wanted of [0, place]) {
        if (at <= wanted && wanted < at + bytes.length) {
          found.set(wanted, Buffer.from(bytes.subarray(wanted - at, wanted - at + 5)).toString());
        }
      }
    }
    assert.deepEqual([...found.values()], ["first", "last"]);
    assert.ok(dataBytes < 2 ** 20);
  });
  assert.deepEqual(await ntfsProblems(image), []);
});
