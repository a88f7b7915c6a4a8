/** Backups against the disks that they were made of, before and after those have changed. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { compareBackup } from "../../src/backup/index.ts";
import { showDisk } from "../../src/disk/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { sampleDisk, save } from "./sample-disk.ts";

const folder = temporaryFolder();
const { env } = process;
const disks = { mbr: "", gpt: "" };
const backups = { mbr: "", gpt: "" };

before(async () => {
  for (const kind of ["mbr", "gpt"] as const) {
    disks[kind] = await sampleDisk(folder, kind);
    backups[kind] = (await save(disks[kind], folder.join(`${kind}.backups`))).path;
  }
});

after(() => folder[Symbol.asyncDispose]());

/** A copy of a disk with other bytes at a place. */
function changed(kind: "mbr" | "gpt", at: number, bytes: Uint8Array): string {
  const copy = folder.join("copy");
  fs.copyFileSync(disks[kind], copy);
  const fd = fs.openSync(copy, "r+");
  fs.writeSync(fd, bytes, 0, bytes.length, at);
  fs.closeSync(fd);
  return copy;
}

async function partition(kind: "mbr" | "gpt", n: number) {
  const { partitions } = await showDisk(disks[kind]);
  return partitions.filter(({ extended }) => !extended)[n]!;
}

for (const kind of ["mbr", "gpt"] as const) {
  test(`a ${kind} disk is the same as its backup, also where no file system has anything`, async () => {
    const { startBytes, sizeBytes } = await partition(kind, 1);
    const copy = changed(kind, startBytes + sizeBytes - 3 * 2 ** 20, Buffer.alloc(2 ** 20, 9));
    const { same, differences } = await compareBackup({ backup: backups[kind], source: copy, env });
    assert.deepEqual(differences, []);
    assert.equal(same.length, 5);
  });
}

test("a file whose content has changed is named, and nothing else", async () => {
  const { startBytes, sizeBytes } = await partition("gpt", 1);
  const noise = fs.readFileSync(folder.join("tree", "usr", "noise"));
  const at = fs.readFileSync(disks.gpt).indexOf(noise.subarray(100_000, 104_000), startBytes);
  assert.ok(at < startBytes + sizeBytes);
  const copy = changed("gpt", at, Buffer.from("other"));
  const { differences } = await compareBackup({ backup: backups.gpt, source: copy, env });
  assert.deepEqual(differences, [{ where: "sda2", message: "a block differs", files: ["/usr/noise"] }]);
});

test("table, boot code, swap, unknown bytes and size: each is told", async () => {
  const unknown = await partition("gpt", 4);
  const swap = await partition("gpt", 3);
  const differencesOf = async (source: string) => {
    const { differences } = await compareBackup({ backup: backups.gpt, source, env });
    return differences.map(({ where, message }) => `${where}: ${message}`);
  };
  assert.deepEqual(await differencesOf(changed("gpt", 10, Buffer.from("x"))), ["boot code: it is another one"]);
  const inUnknown = changed("gpt", unknown.startBytes + 2 ** 20, Buffer.alloc(8192, 1));
  assert.deepEqual(await differencesOf(inUnknown), ["sda5: 2 blocks differ, in no file that could be found"]);
  const noSwap = changed("gpt", swap.startBytes, Buffer.alloc(4096));
  assert.deepEqual(await differencesOf(noSwap), ["sda4: it is no swap"]);
  const other = await differencesOf(disks.mbr);
  assert.match(other[0] ?? "", /^table: the table is mbr, it was gpt$/);
  const cut = changed("mbr", 440, Buffer.from([1, 2, 3, 4]));
  fs.truncateSync(cut, 99 * 2 ** 20);
  const { differences } = await compareBackup({ backup: backups.mbr, source: cut, env });
  assert.deepEqual(
    differences.map(({ where }) => where),
    ["disk", "table"],
  );
  assert.match(differences[1]?.message ?? "", /^the disk is called 0x04030201, it was 0x/);
});

test("at the command line: status 0 with what is the same, 3 with what differs", async () => {
  const words = ["backup", "check", backups.gpt, "--against"];
  const same = await runHoldfast([...words, disks.gpt]);
  assert.deepEqual([same.status, same.stderr], [0, ""]);
  assert.equal(same.stdout, "the same: table and boot code, sda1, sda2, sda3, sda5, sda4\n");
  const copy = changed("gpt", 0, Buffer.alloc(0));
  const removed = await runHoldfast(["disk", "rm", `${copy}:2/etc/fstab`]);
  assert.equal(removed.status, 0, removed.stderr);
  const { status, stdout, stderr } = await runHoldfast([...words, copy]);
  assert.equal(status, 3);
  assert.match(stdout, /^sda2: \d+ blocks differ/m);
  assert.doesNotMatch(stdout, /sda[1345]/);
  assert.match(stderr, /cannot call ".*copy" the same as ".*": one thing differs/);
});
