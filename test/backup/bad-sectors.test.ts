import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import {
  checkBackup,
  restoreBackup,
  showBackup,
  type BackupProblem,
  type SavedBackup,
  type SaveRequest,
} from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem, resolvePath } from "../../src/filesystem/index.ts";
import { openPartitionReader, readTable } from "../../src/partition/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { FailingReader } from "./failing-reader.ts";
import { sampleDisk, save } from "./sample-disk.ts";

const folder = temporaryFolder();
const { env } = process;
let disk = "";
/** The disk as it is restored where all of it can be read. */
let wanted = Buffer.alloc(0);

before(async () => {
  disk = await sampleDisk(folder, "mbr");
  const { path } = await save(disk, folder.path);
  await restoreBackup({ backup: path, target: folder.join("wanted"), force: false, env });
  wanted = fs.readFileSync(folder.join("wanted"));
});

after(() => folder[Symbol.asyncDispose]());

function saveFailing(
  place: TemporaryFolder,
  isBad: (sector: number) => boolean,
  more: Partial<SaveRequest> = {},
): Promise<SavedBackup> {
  return save(disk, place.path, more, {
    throughDevice: (device, startBytes) => new FailingReader(device, isBad, startBytes),
  });
}

/** The sectors of a file's data, from the beginning of the disk. */
async function sectorsOf(number: number, path: string): Promise<number[]> {
  await using reader = await FileReader.open(disk);
  const partition = (await readTable(reader))?.partitions.find((one) => one.number === number);
  await using fileSystem = await openFileSystem(openPartitionReader(reader, partition!));
  const places = (await fileSystem.places?.(await resolvePath(fileSystem, path))) ?? [];
  return places.flatMap(({ deviceAt, lengthBytes }) => {
    const first = (partition!.startBytes + deviceAt) / 512;
    return Array.from({ length: Math.floor(lengthBytes / 512) }, (_, n) => first + n);
  });
}

test("files with sectors that cannot be read are named, the rest is saved, and whoever looks is told", async () => {
  await using place = temporaryFolder();
  const inRoot = (await sectorsOf(2, "/usr/noise")).slice(1000, 1003);
  const inBoot = (await sectorsOf(1, "/usr/text")).slice(5, 6);
  const bad = new Set([...inRoot, ...inBoot]);
  const saved = await saveFailing(place, (sector) => bad.has(sector));
  assert.deepEqual(saved.unreadable, {
    sectors: 4,
    files: ["sda1: /usr/text", "sda2: /usr/noise"],
    list: "sda-bad-sectors.txt",
  });
  const list = fs.readFileSync(`${saved.path}/sda-bad-sectors.txt`, "utf8").split("\n");
  assert.ok(list.includes(`${inBoot[0]} 1 sda1`));
  assert.ok(list.includes(`${inRoot[0]} 3 sda2`));
  assert.ok(list.includes("sda2: /usr/noise"));
  await restoreBackup({ backup: saved.path, target: place.join("back"), force: false, env });
  const hole = Buffer.from(wanted);
  for (const sector of bad) hole.fill(0, sector * 512, sector * 512 + 512);
  assert.ok(fs.readFileSync(place.join("back")).equals(hole));
  assert.deepEqual((await showBackup(saved.path, { env })).unreadable, { sectors: 4, files: saved.unreadable.files });
  const problems: BackupProblem[] = [];
  await checkBackup(saved.path, { env, onProblem: async (problem) => void problems.push(problem) });
  assert.deepEqual(problems, [
    {
      severity: "warning",
      where: "sda-bad-sectors.txt",
      message: "4 sectors could not be read when it was saved, and are zeros now: sda1: /usr/text, sda2: /usr/noise",
    },
  ]);
});

test("a file system whose structures cannot be read is refused, or on request all that can be read is saved", async () => {
  await using place = temporaryFolder();
  await using reader = await FileReader.open(disk);
  const root = (await readTable(reader))!.partitions.find(({ number }) => number === 2)!;
  const first = root.startBytes / 512;
  const ranges = [
    { from: first, until: first + 8, isKnown: false }, // the superblock: nobody can tell any more what this is
    { from: first + 16, until: first + 400, isKnown: true }, // what tells which blocks are used
  ];
  for (const { from, until, isKnown } of ranges) {
    const isBad = (sector: number): boolean => sector >= from && sector < until;
    const isRefused = (error: unknown): boolean => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, "damaged");
      assert.match(error.message, /^cannot save sda2: /);
      return /sectors of it cannot be read; --unchecked saves what can/.test(error.hint ?? "");
    };
    if (isKnown) await assert.rejects(saveFailing(place, isBad), isRefused);
    const saved = await saveFailing(place, isBad, { isUnchecked: true, name: `from-${from}` });
    assert.equal(saved.parts.find(({ name }) => name === "sda2")?.saved, "whole");
    const target = place.join("back");
    await restoreBackup({ backup: saved.path, target, partition: "2", force: true, env });
    const original = fs.readFileSync(disk).subarray(root.startBytes, root.startBytes + root.sizeBytes);
    original.fill(0, from * 512 - root.startBytes, until * 512 - root.startBytes);
    assert.ok(fs.readFileSync(target).equals(original));
  }
});

test("whatever sectors are bad, all others of what is used are restored as they were", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 3; round++) {
    await using place = temporaryFolder();
    // Behind the table, which restores from a list of its own.
    const bad = new Set<number>();
    for (let n = 0; n < 40; n++) {
      const first = 2048 + random(wanted.length / 512 - 2048);
      for (let sector = first; sector <= first + random(20); sector++) bad.add(sector);
    }
    const saved = await saveFailing(place, (sector) => bad.has(sector), { isUnchecked: true });
    const target = place.join("back");
    await restoreBackup({ backup: saved.path, target, force: false, env });
    const back = fs.readFileSync(target);
    const zeros = Buffer.alloc(512);
    for (let at = 2048 * 512; at < wanted.length; at += 512) {
      if (wanted.compare(back, at, at + 512, at, at + 512) === 0 || bad.has(at / 512)) continue;
      // Nothing that is used, and there in a partition that is saved whole.
      assert.equal(wanted.compare(zeros, 0, 512, at, at + 512), 0, `seed ${seed}, round ${round}, byte ${at}`);
    }
  }
});
