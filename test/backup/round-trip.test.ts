import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as zlib from "node:zlib";
import { after, before, test } from "node:test";
import { listBackups, openBackup, restoreBackup, showBackup } from "../../src/backup/index.ts";
import { Failure, libc } from "../../src/base/index.ts";
import { FileReader, readBytes, type BlockReader } from "../../src/device/index.ts";
import { checkDisk, getFiles, readFile, showDisk } from "../../src/disk/index.ts";
import { readTable } from "../../src/partition/index.ts";
import { temporaryFolder } from "../temp.ts";
import { sampleDisk, save, swapUuid } from "./sample-disk.ts";

const folder = temporaryFolder();
const disks = { mbr: "", gpt: "" };
const { env } = process;

before(async () => {
  disks.mbr = await sampleDisk(folder, "mbr");
  disks.gpt = await sampleDisk(folder, "gpt");
});

after(() => folder[Symbol.asyncDispose]());

/** All files of a partition with everything that is known of them. */
async function tarOf(image: string, partition: number): Promise<string> {
  const hash = createHash("sha256");
  const target = { kind: "tar", write: async (bytes: Uint8Array) => void hash.update(bytes) } as const;
  await getFiles({ image, partition }, target);
  return hash.digest("hex");
}

async function problemsIn(image: string): Promise<string[]> {
  const problems: string[] = [];
  await checkDisk({ image }, { onProblem: async ({ where, message }) => void problems.push(`${where}: ${message}`) });
  return problems;
}

async function hashOf(reader: BlockReader, at: number, lengthBytes: number): Promise<string> {
  const hash = createHash("sha256");
  for (let done = 0; done < lengthBytes; done += 2 ** 20) {
    hash.update(await readBytes(reader, at + done, Math.min(2 ** 20, lengthBytes - done)));
  }
  return hash.digest("hex");
}

/** What must not change of a disk: its table, boot code, hidden bytes, files, swap, and unknown partitions. */
async function factsOf(image: string): Promise<unknown> {
  await using reader = await FileReader.open(image);
  const table = await readTable(reader);
  const report = await showDisk(image);
  const numbers = report.partitions.filter(({ extended }) => !extended).map(({ number }) => number);
  const [fat = 0, ext4 = 0, ext2 = 0, , unknown = 0] = numbers;
  const last = table?.partitions.find(({ number }) => number === unknown);
  const hiddenBytes = table?.kind === "mbr" ? 2047 * 512 : 33 * 512;
  return {
    table,
    partitions: report.partitions,
    bootCode: await hashOf(reader, 0, 440),
    hidden: await hashOf(reader, 512, hiddenBytes),
    end: await hashOf(reader, reader.sizeBytes - 33 * 512, 33 * 512),
    files: await Promise.all([fat, ext4, ext2].map((number) => tarOf(image, number))),
    unknown: await hashOf(reader, last?.startBytes ?? 0, last?.sizeBytes ?? 0),
  };
}

const packings = { mbr: ["zst", "gz"], gpt: ["zst", "lz4", "uncomp"] } as const;

for (const kind of ["mbr", "gpt"] as const) {
  for (const packedAs of packings[kind]) {
    test(`a ${kind} disk saved as ${packedAs} and restored has everything it had`, async () => {
      await using place = temporaryFolder();
      const saved = await save(disks[kind], place.path, { packedAs, volumeBytes: 2 ** 20 });
      assert.deepEqual(saved.warnings, []);
      const restored = place.join("restored");
      await restoreBackup({ backup: saved.path, target: restored, force: false, env });
      assert.deepEqual(await problemsIn(restored), []);
      assert.deepEqual(await factsOf(restored), await factsOf(disks[kind]));
    });
  }

  test(`a ${kind} backup is a disk to be looked into, without restoring it`, async () => {
    await using place = temporaryFolder();
    const saved = await save(disks[kind], place.path, { packedAs: packings[kind][1] });
    const openImage = (name: string): Promise<BlockReader> => openBackup(name, { env });
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile({ image: saved.path, partition: 2, path: "/usr/noise" }, { openImage })) {
      pieces.push(Uint8Array.from(piece));
    }
    assert.ok(Buffer.concat(pieces).equals(fs.readFileSync(folder.join("tree", "usr", "noise"))));
    await using original = await FileReader.open(disks[kind]);
    await using reader = await openBackup(saved.path, { env });
    assert.deepEqual(await readTable(reader), await readTable(original));
  });
}

test("what cannot be read anywhere says so, and how to look into it all the same", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.mbr, place.path, { packedAs: "uncomp" });
  for (const name of fs.readdirSync(saved.path).filter((one) => one.endsWith(".uncomp.aa"))) {
    const file = `${saved.path}/${name}`;
    fs.writeFileSync(file.replace("uncomp", "zst"), zlib.zstdCompressSync(fs.readFileSync(file)));
    fs.rmSync(file);
  }
  await assert.rejects(openBackup(saved.path, { env }), (error) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /^cannot look into sda1: it is compressed so that no part can be read alone$/);
    assert.match(error.hint ?? "", /^restore it first: holdfast backup restore ".*" FILE --partition sda1$/);
    return true;
  });
});

test("what no file system uses is not saved, and not in the restored disk", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.gpt, place.path);
  const used = saved.parts.find(({ name }) => name === "sda2")?.usedBytes ?? Infinity;
  assert.ok(used < 15 * 2 ** 20, `${used} bytes of 40 MiB`);
  assert.deepEqual(
    saved.parts.map((part) => part.saved),
    ["image", "image", "image", "swap", "whole"],
  );
});

test("volumes have the size asked for, and all but the last are full", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.gpt, place.path, { volumeBytes: 2 ** 20 });
  const volumes = fs.readdirSync(saved.path).filter((name) => name.startsWith("sda2."));
  assert.deepEqual(volumes.slice(0, 2), ["sda2.ext4-ptcl-img.zst.aa", "sda2.ext4-ptcl-img.zst.ab"]);
  const sizes = volumes.map((name) => fs.statSync(`${saved.path}/${name}`).size);
  assert.ok(sizes.slice(0, -1).every((size) => size === 2 ** 20));
  assert.ok(sizes.at(-1)! <= 2 ** 20);
});

test("one partition is restored as a file of its own, by number or name", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.mbr, place.path);
  for (const partition of ["2", "sda2"]) {
    const target = place.join(`part-${partition}`);
    const restored = await restoreBackup({ backup: saved.path, target, partition, force: false, env });
    assert.equal(restored.sizeBytes, 40 * 2 ** 20);
    assert.deepEqual(await problemsIn(target), []);
    assert.equal((await showDisk(target)).fileSystem?.label, "root");
  }
  const swap = place.join("swap");
  await restoreBackup({ backup: saved.path, target: swap, partition: "5", force: false, env });
  assert.equal(fs.statSync(swap).size, 4 * 2 ** 20);
  const missing = restoreBackup({ backup: saved.path, target: place.join("x"), partition: "4", force: false, env });
  await assert.rejects(missing, /cannot find data of partition 4/);
});

test("a restored disk may be larger, and not smaller than what is on it", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.gpt, place.path);
  const target = place.join("larger");
  await restoreBackup({ backup: saved.path, target, sizeBytes: 150 * 2 ** 20, force: false, env });
  assert.deepEqual(await problemsIn(target), []);
  const small = restoreBackup({ backup: saved.path, target: place.join("s"), sizeBytes: 2 ** 24, force: false, env });
  await assert.rejects(
    small,
    (error) => error instanceof Failure && error.code === "no-space" && /takes at least [\d.]+ MiB/.test(error.message),
  );
  assert.deepEqual(fs.readdirSync(place.path).sort(), ["backup", "larger"]);
});

test("a file system that takes a whole disk is saved and restored", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.mbr, place.path);
  const bare = place.join("bare");
  await restoreBackup({ backup: saved.path, target: bare, partition: "2", force: false, env });
  const again = await save(bare, place.join("more"));
  assert.equal(fs.existsSync(`${again.path}/disk`), false);
  const target = place.join("restored");
  await restoreBackup({ backup: again.path, target, partition: "sda", force: false, env });
  assert.deepEqual(await problemsIn(target), []);
  const openImage = (name: string): Promise<BlockReader> => openBackup(name, { env });
  const pieces: Uint8Array[] = [];
  for await (const piece of readFile({ image: again.path, path: "/etc/fstab" }, { openImage })) pieces.push(piece);
  assert.match(Buffer.concat(pieces).toString(), /UUID=1/);
});

test("show and list tell what is there", async () => {
  await using place = temporaryFolder();
  const saved = await save(disks.gpt, place.path);
  const report = await showBackup(saved.path, { env });
  assert.equal(report.disks[0]?.sizeBytes, 100 * 2 ** 20);
  const rows = report.disks[0]?.partitions.map(({ name, saved: how, type, label, uuid }) => [
    name,
    how,
    type,
    label,
    uuid,
  ]);
  assert.deepEqual(rows?.[3], ["sda4", "swap", "swap", "pages", swapUuid]);
  assert.deepEqual(rows?.map((row) => row.slice(0, 4)).slice(0, 2), [
    ["sda1", "used", "vfat", "BOOT"],
    ["sda2", "used", "ext4", "root"],
  ]);
  fs.mkdirSync(place.join("begun.part"));
  fs.mkdirSync(place.join("something else"));
  const listed = await listBackups(place.path, { env });
  assert.deepEqual(
    listed.map(({ name, isFinished }) => [name, isFinished]),
    [
      ["backup", true],
      ["begun.part", false],
    ],
  );
});

test("a damaged file system is refused and nothing is left, unless it is to be saved as it is", async () => {
  await using place = temporaryFolder();
  const broken = place.join("broken");
  fs.copyFileSync(disks.gpt, broken);
  const ext = (await showDisk(broken)).partitions[1];
  const fd = fs.openSync(broken, "r+");
  fs.writeSync(fd, Buffer.alloc(4096, 0xaa), 0, 4096, (ext?.startBytes ?? 0) + 4096);
  fs.closeSync(fd);
  await assert.rejects(
    save(broken, place.join("home")),
    (error) => error instanceof Failure && error.code === "damaged",
  );
  assert.deepEqual(fs.readdirSync(place.join("home")), []);
});

test("an image that another program has locked is not saved", { skip: process.platform !== "linux" }, async () => {
  await using place = temporaryFolder();
  const fd = fs.openSync(disks.gpt, "r+");
  assert.equal(libc()?.lockWhole(fd), true);
  await assert.rejects(save(disks.gpt, place.path), (error) => error instanceof Failure && error.code === "refused");
  fs.closeSync(fd);
  await save(disks.gpt, place.path);
});

test("a name that is taken is refused, finished or not", async () => {
  await using place = temporaryFolder();
  await save(disks.gpt, place.path);
  await assert.rejects(save(disks.gpt, place.path), /it is there already/);
  fs.mkdirSync(place.join("other.part"));
  await assert.rejects(save(disks.gpt, place.path, { name: "other" }), /is there from another run/);
  assert.ok(fs.existsSync(place.join("other.part")));
});
