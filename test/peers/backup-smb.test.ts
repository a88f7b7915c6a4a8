/** Backups on a share, behind Samba's server. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { checkBackup, listBackups, restoreBackup, type StoreAccess } from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { assertBackupAt } from "../backup/store/backup-at.ts";
import { testStore } from "../backup/store/contract.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { skipWithout } from "./peer.ts";
import { noSmallFolder, smallFolder } from "./small-folder.ts";
import { startSmbd, type SmbServer } from "./smbd.ts";

const skip = skipWithout("smbd", "smbpasswd");
const folder = temporaryFolder();
let server: SmbServer;
let disk = "";
let count = 0;

before(async () => {
  if (skip !== false) return;
  server = await startSmbd();
  disk = await sampleDisk(folder, "gpt");
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function access(password = server.password): StoreAccess {
  return { env: {}, password: async () => password };
}

function placeOf(path: string): string {
  return `smb://${server.user}@127.0.0.1:${server.port}/share/${path}`;
}

testStore({ kind: "a share of Samba", skip, newPlace: async () => placeOf(`place ${++count}/`), access });

test("a disk is saved on a share, looked into, checked and restored", { skip }, async () => {
  const same = `${server.data}/disks/backup`;
  await assertBackupAt({ home: placeOf("disks"), disk, folder, access: access(), volumeBytes: 2 ** 20, same });
});

test("the command line takes a share, and its password from a file", { skip }, async () => {
  const file = folder.join("password");
  fs.writeFileSync(file, `${server.password}\n`);
  const words = ["backup", "ls", `${placeOf("disks/backup")}:2/usr`, "--password-file", file];
  const { stdout, stderr, status } = await runHoldfast(words);
  assert.deepEqual({ stdout, stderr, status }, { stdout: "noise\ntext\n", stderr: "", status: 0 });
});

test("a wrong password, and a share that is not there, are said", { skip }, async () => {
  await assert.rejects(listBackups(placeOf("disks"), access("other")), /the server refuses it/);
  const none = `smb://${server.user}@127.0.0.1:${server.port}/none/disks`;
  await assert.rejects(listBackups(none, access()), /cannot read "smb:[^"]*\/none\/disks"/);
  await assert.rejects(listBackups(`smb://127.0.0.1:${server.port}`, access()), /it names no share/);
});

test("the target becomes full: that is said, and nothing looks finished", { skip: skip || noSmallFolder }, async () => {
  await using small = smallFolder(`${server.data}/full`, 3);
  await assert.rejects(save(disk, placeOf("full"), { ...access(), volumeBytes: 2 ** 20 }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "no-space", error.message);
    return true;
  });
  // What is kept to be resumed does not look finished.
  assert.deepEqual(
    fs.readdirSync(small.path).filter((name) => !name.endsWith(".part")),
    [],
  );
});

test(
  "the server goes while a disk is saved or restored: that is said, and nothing looks finished",
  { skip },
  async () => {
    const home = placeOf("disks");
    const gone: Promise<void>[] = [];
    const onProgress = ({ doneBytes }: { readonly doneBytes: number }): void => {
      if (doneBytes > 2 ** 21) gone.push(server.kill());
    };
    const isLost = (error: unknown): boolean => error instanceof Failure && /is not reached/.test(error.message);
    await assert.rejects(save(disk, home, { ...access(), name: "cut", volumeBytes: 2 ** 20 }, { onProgress }), isLost);
    await Promise.all(gone);
    await server.start();
    const listed = await listBackups(home, access());
    assert.deepEqual(
      listed.filter(({ isFinished }) => isFinished).map(({ name }) => name),
      ["backup"],
    );
    const resumed = { ...access(), name: "cut", volumeBytes: 2 ** 20, isResumed: true };
    const { path } = await save(disk, home, resumed);
    await checkBackup(path, { ...access(), onProblem: async ({ message }) => assert.fail(message) });
    const target = folder.join("cut");
    const backup = `${home}/backup`;
    await assert.rejects(restoreBackup({ backup, target, force: false, ...access() }, { onProgress }), isLost);
    assert.deepEqual(
      fs.readdirSync(folder.path).filter((name) => name.startsWith("cut")),
      [],
    );
    await Promise.all(gone);
  },
);
