import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { checkBackup, restoreBackup, showBackup, type BackupProblem } from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { FileReader, readBytes } from "../../src/device/index.ts";
import { showDisk } from "../../src/disk/index.ts";
import { readTable } from "../../src/partition/index.ts";
import { temporaryFolder } from "../temp.ts";
import { sampleDisk, save } from "./sample-disk.ts";

const folder = temporaryFolder();
const { env } = process;
let disk = "";

before(async () => {
  disk = await sampleDisk(folder, "mbr");
});

after(() => folder[Symbol.asyncDispose]());

test("single partitions of a disk are saved without the others, and restored one by one", async () => {
  await using place = temporaryFolder();
  const saved = await save(disk, place.path, { partitions: [2, 6] });
  assert.deepEqual(
    saved.parts.map(({ name }) => name),
    ["sda2", "sda6"],
  );
  const names = fs.readdirSync(saved.path);
  assert.ok(!names.includes("disk"), "Clonezilla takes it for partitions, not for a disk");
  assert.ok(names.includes("sda-pt.sf"));
  assert.equal(fs.readFileSync(`${saved.path}/parts`, "utf8"), "sda2 sda6\n");
  const problems: BackupProblem[] = [];
  await checkBackup(saved.path, { env, onProblem: async (problem) => void problems.push(problem) });
  assert.deepEqual(problems, []);
  assert.deepEqual((await showBackup(saved.path, { env })).problems, []);
  const root = place.join("root");
  await restoreBackup({ backup: saved.path, target: root, partition: "2", force: false, env });
  assert.equal((await showDisk(root)).fileSystem?.label, "root");
  const unknown = place.join("unknown");
  await restoreBackup({ backup: saved.path, target: unknown, partition: "sda6", force: false, env });
  await using reader = await FileReader.open(disk);
  const partition = (await readTable(reader))?.partitions.find(({ number }) => number === 6);
  const original = await readBytes(reader, partition!.startBytes, partition!.sizeBytes);
  assert.ok(fs.readFileSync(unknown).equals(original));
});

test("a partition that is not there, or that only holds others, is not saved", async () => {
  await using place = temporaryFolder();
  const isMissing = (error: unknown): boolean => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /^cannot save partition (4|9) of ".*": there is none$/);
    return error.code === "not-found";
  };
  for (const number of [9, 4]) await assert.rejects(save(disk, place.path, { partitions: [2, number] }), isMissing);
  assert.deepEqual(fs.readdirSync(place.path), []);
});

test("a file that is one file system is saved as a partition is", async () => {
  await using place = temporaryFolder();
  const whole = await save(disk, place.path, { name: "whole" });
  const image = place.join("root.img");
  await restoreBackup({ backup: whole.path, target: image, partition: "2", force: false, env });
  const saved = await save(image, place.path, { name: "part", disk: "sdc3" });
  assert.equal(fs.readFileSync(`${saved.path}/parts`, "utf8"), "sdc3\n");
  const again = place.join("again.img");
  await restoreBackup({ backup: saved.path, target: again, partition: "3", force: false, env });
  assert.ok(fs.readFileSync(again).equals(fs.readFileSync(image)));
  await assert.rejects(save(image, place.path, { partitions: [1] }), /it has no partition table/);
});
