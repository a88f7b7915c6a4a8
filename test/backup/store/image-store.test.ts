/** Backups in file systems that this program writes itself. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { checkBackup, listBackups, openBackup, restoreBackup } from "../../../src/backup/index.ts";
import { openStore } from "../../../src/backup/store/index.ts";
import { Failure } from "../../../src/base/index.ts";
import { checkDisk, createDisk, listFiles, readFile } from "../../../src/disk/index.ts";
import { parseBackupPlace } from "../../../src/cli/backup/place-in-backup.ts";
import { temporaryFolder } from "../../temp.ts";
import { sampleDisk, save } from "../sample-disk.ts";
import { testStore } from "./contract.ts";

const mib = 2 ** 20;
const folder = temporaryFolder();
const env = {};
let count = 0;
let disk = "";

before(async () => {
  disk = await sampleDisk(folder, "mbr");
});

after(() => folder[Symbol.asyncDispose]());

async function image(kind: "ext4" | "fat32" | "exfat", sizeBytes = 48 * mib): Promise<string> {
  const path = folder.join(`${kind}-${++count}`);
  await createDisk({
    path,
    sizeBytes,
    table: "gpt",
    layout: "aligned",
    partitions: [{ active: false, from: [], fileSystem: { kind, label: "store" } }],
    from: [],
    force: false,
    preallocate: false,
    nowMs: Date.now(),
  });
  return path;
}

for (const kind of ["ext4", "fat32", "exfat"] as const) {
  testStore({
    kind: `a folder in an image, ${kind}`,
    newPlace: async () => `${await image(kind)}:1/`,
    access: () => ({ env, nowMs: Date.now() }),
  });

  test(`${kind} in an image becomes full while a disk is saved: that is said, and nothing looks finished`, async () => {
    const target = await image(kind, 40 * mib);
    {
      await using store = await openStore(`${target}:1/`, { env });
      await using writer = await store.create("ballast");
      const free = (await store.freeBytes()) ?? 0;
      for (let left = free - 3 * mib; left > 0; left -= mib) await writer.write(Buffer.alloc(mib, 1));
      await writer.commit();
    }
    await assert.rejects(save(disk, `${target}:1/`, { env, volumeBytes: 2 ** 20 }), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, "no-space", error.message);
      return true;
    });
    await checkDisk({ image: target }, { onProblem: async ({ message }) => assert.fail(message) });
    const names: string[] = [];
    for await (const { items } of listFiles({ image: target, partition: 1, path: "/" }, { isRecursive: true })) {
      names.push(...items.map(({ name }) => name));
    }
    assert.deepEqual(
      names.filter((name) => name === "backup"),
      [],
    );
  });
}

test(`a disk is saved into an image, looked into, checked and restored`, async () => {
  await using own = temporaryFolder();
  const target = await image("ext4", 64 * mib);
  const home = `${target}:1/backups/of disks`;
  const saved = await save(disk, home, { env, volumeBytes: 2 ** 20 });
  assert.equal(saved.path, `${home}/backup`);
  const [listed] = await listBackups(home, { env });
  assert.deepEqual([listed?.name, listed?.isFinished, listed?.problems], ["backup", true, []]);
  await checkDisk({ image: target }, { onProblem: async ({ message }) => assert.fail(message) });
  const place = parseBackupPlace(`${saved.path}:2/usr/noise`);
  assert.deepEqual(place, { image: saved.path, partition: 2, path: "/usr/noise" });
  const pieces: Uint8Array[] = [];
  const openImage = (name: string) => openBackup(name, { env });
  for await (const piece of readFile(place, { openImage })) pieces.push(Uint8Array.from(piece));
  assert.ok(Buffer.concat(pieces).equals(fs.readFileSync(folder.join("tree", "usr", "noise"))));
  await checkBackup(saved.path, { env, onProblem: async ({ message }) => assert.fail(message) });
  const here = await save(disk, own.join("here"));
  for (const [backup, restored] of [
    [saved.path, "from-there"],
    [here.path, "from-here"],
  ] as const) {
    await restoreBackup({ backup, target: own.join(restored), force: false, env });
  }
  assert.ok(fs.readFileSync(own.join("from-there")).equals(fs.readFileSync(own.join("from-here"))));
});

test("volumes are no larger than a file can be", async () => {
  for (const [kind, wanted] of [
    ["fat32", 2 ** 32 - 1],
    ["exfat", undefined],
  ] as const) {
    await using store = await openStore(`${await image(kind)}:1/`, { env });
    assert.equal(await store.largestFileBytes(), wanted);
  }
});

test("an image is not saved into itself", async () => {
  const target = await image("ext4");
  await assert.rejects(save(target, `${target}:1/backups`, { env }), /into itself/);
});
