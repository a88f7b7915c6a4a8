import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import {
  checkBackup,
  listBackups,
  openBackup,
  restoreBackup,
  showBackup,
  type BackupProblem,
} from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { readBytes } from "../../src/device/index.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";

const folder = temporaryFolder();
const { env } = process;
const backups = { zst: "", uncomp: "" };

before(async () => {
  const disk = await sampleDisk(folder, "gpt");
  const volumeBytes = 2 ** 20;
  backups.zst = (await save(disk, folder.path, { name: "zst", packedAs: "zst", volumeBytes })).path;
  backups.uncomp = (await save(disk, folder.path, { name: "uncomp", packedAs: "uncomp", volumeBytes: 2 ** 30 })).path;
});

after(() => folder[Symbol.asyncDispose]());

async function check(backup: string): Promise<BackupProblem[]> {
  const problems: BackupProblem[] = [];
  await checkBackup(backup, { env, onProblem: async (problem) => void problems.push(problem) });
  return problems;
}

function flip(file: string, at: number, mask = 0x04): void {
  const fd = fs.openSync(file, "r+");
  const byte = Buffer.alloc(1);
  fs.readSync(fd, byte, 0, 1, at);
  fs.writeSync(fd, Buffer.of(byte[0]! ^ mask), 0, 1, at);
  fs.closeSync(fd);
}

test("a backup as it was written has no problems", async () => {
  for (const backup of Object.values(backups)) assert.deepEqual(await check(backup), []);
});

test("one flipped bit in any file is found, and the file named", async () => {
  const names = fs.readdirSync(backups.zst);
  assert.ok(names.filter((name) => name.startsWith("sda2.")).length > 2, "several volumes");
  for (const [n, name] of names.entries()) {
    const file = `${backups.zst}/${name}`;
    const at = Math.floor((fs.statSync(file).size * ((n % 7) + 1)) / 9);
    flip(file, at);
    const problems = await check(backups.zst).catch((error: unknown) => {
      // Where even the list of partitions cannot be read there is nothing to go by.
      assert.ok(error instanceof Failure);
      return [{ severity: "error", where: name, message: error.message }] as const;
    });
    const named = problems.filter(({ severity, where }) => severity === "error" && where === name);
    assert.notEqual(named.length, 0, `${name}: ${JSON.stringify(problems)}`);
    flip(file, at);
  }
});

test("a missing volume, a short one and a missing table are told", async () => {
  const last = fs.readdirSync(backups.zst).findLast((name) => name.startsWith("sda2."))!;
  for (const name of ["sda2.ext4-ptcl-img.zst.ab", last, "sda-pt.sf", "sda1.vfat-ptcl-img.zst.aa", "SHA1SUMS"]) {
    const file = `${backups.zst}/${name}`;
    fs.renameSync(file, folder.join("aside"));
    const problems = await check(backups.zst);
    assert.ok(
      problems.some(({ message, severity }) => severity === "error" && message.includes(name.slice(0, 4))),
      name,
    );
    fs.renameSync(folder.join("aside"), file);
  }
  const file = `${backups.zst}/${last}`;
  const whole = fs.readFileSync(file);
  for (const length of [0, 1, whole.length - 1]) {
    fs.truncateSync(file, length);
    const restoring = restoreBackup({ backup: backups.zst, target: folder.join("target"), force: false, env });
    await assert.rejects(restoring, (error) => error instanceof Failure && error.code === "damaged");
    assert.equal(fs.existsSync(folder.join("target")), false);
    fs.writeFileSync(file, whole);
  }
});

test("damage never ends in anything but a failure, whatever is done with the backup", async () => {
  const backup = backups.uncomp;
  const names = fs
    .readdirSync(backup)
    .filter((name) => /-pt\.|^parts|^disk|swappt|blkid|-mbr|-gpt|ext4|clonezilla/.test(name));
  const tolerant = async (work: Promise<unknown>): Promise<void> => {
    await work.catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
    });
  };
  for (const name of names) {
    const file = `${backup}/${name}`;
    const sizeBytes = Math.min(fs.statSync(file).size, 600);
    for (let at = 0; at < sizeBytes; at += Math.max(1, Math.floor(sizeBytes / 12))) {
      flip(file, at, 0x51);
      await tolerant(showBackup(backup, { env }));
      await tolerant(
        (async () => {
          await using reader = await openBackup(backup, { env });
          for (let place = 0; place < reader.sizeBytes; place += 2 ** 23) await readBytes(reader, place, 512);
        })(),
      );
      flip(file, at, 0x51);
    }
  }
  assert.equal((await listBackups(folder.path, { env })).length, 2);
});
