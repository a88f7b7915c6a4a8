/** Backups in an object store, behind OpenStack Swift's S3 interface. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { S3mini } from "s3mini";
import { listBackups, openBackup, restoreBackup, type StoreAccess } from "../../src/backup/index.ts";
import { openStore } from "../../src/backup/store/index.ts";
import { Failure } from "../../src/base/index.ts";
import { readBytes } from "../../src/device/index.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { assertBackupAt } from "../backup/store/backup-at.ts";
import { testStore } from "../backup/store/contract.ts";
import { assertReach, reachDisk } from "../backup/store/reach.ts";
import { temporaryFolder } from "../temp.ts";
import { skipWithout } from "./peer.ts";
import { startSwift, swiftNeeds, type S3Server } from "./swift.ts";

const skip = skipWithout(...swiftNeeds);
const folder = temporaryFolder();
let server: S3Server;
let disk = "";
let count = 0;

before(async () => {
  if (skip !== false) return;
  server = await startSwift();
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = server.env;
  const bucket = { accessKeyId, secretAccessKey, endpoint: `${server.endpoint}/bucket`, region: "us-east-1" };
  await new S3mini(bucket).createBucket();
  disk = await sampleDisk(folder, "gpt");
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function access(): StoreAccess {
  return { env: server.env };
}

testStore({
  kind: "a bucket of Swift",
  skip,
  newPlace: async () => `s3://bucket/place ${++count}/`,
  access,
});

test("a large file is sent in parts, and is there only as a whole", { skip }, async () => {
  await using store = await openStore("s3://bucket/parts", access());
  await store.makeFolder("f");
  const piece = Buffer.alloc(5_000_000);
  const pieces = 9; // two parts, and some of a third one
  for (const isWhole of [false, true]) {
    await using writer = await store.create("f/large");
    for (let n = 0; n < pieces; n++) await writer.write(piece.fill(n + 1));
    assert.equal(await store.find("f/large"), undefined);
    if (isWhole) await writer.commit();
  }
  assert.deepEqual(
    (await store.list("f")).map(({ name, sizeBytes }) => `${name} ${sizeBytes}`),
    [`large ${pieces * piece.length}`],
  );
  await using reader = await store.open("f/large");
  for (let n = 1; n < pieces; n++) {
    assert.deepEqual([...(await readBytes(reader, n * piece.length - 2, 4))], [n, n, n + 1, n + 1]);
  }
});

test("a disk is saved in a bucket, looked into, checked and restored", { skip }, async () => {
  await assertBackupAt({ home: "s3://bucket/disks", disk, folder, access: access(), volumeBytes: 2 ** 22 });
});

test("of a backup of 2 GiB little more is fetched than the file that is taken out", { skip }, async () => {
  const options = { ...access(), volumeBytes: 20_000_000 };
  const { path } = await save(await reachDisk(folder), "s3://bucket/reach", options);
  await assertReach(folder, path, access());
});

test("wrong keys and buckets that are not there are told apart", { skip }, async () => {
  const wrong = { env: { ...server.env, AWS_SECRET_ACCESS_KEY: "other" } };
  await assert.rejects(listBackups("s3://bucket/disks", wrong), /the server refuses it \(SignatureDoesNotMatch\)/);
  await assert.rejects(listBackups("s3://none/disks", access()), /there is no such bucket/);
  await assert.rejects(listBackups("s3://bucket/disks", { env: { HOME: folder.path } }), /no keys of an account/);
});

test(
  "the store goes while a disk is saved or restored: that is said, and nothing looks finished",
  { skip },
  async () => {
    const home = "s3://bucket/disks";
    const isLost = (error: unknown): boolean => {
      return (
        error instanceof Failure &&
        error.code === "failed" &&
        /nothing answers there|ECONNRESET|UND_ERR/.test(error.message)
      );
    };
    const gone: Promise<void>[] = [];
    const onProgress = ({ doneBytes }: { readonly doneBytes: number }): void => {
      if (doneBytes > 2 ** 21) gone.push(server.kill());
    };
    await assert.rejects(save(disk, home, { ...access(), name: "cut", volumeBytes: 2 ** 20 }, { onProgress }), isLost);
    await Promise.all(gone);
    await server.start();
    const listed = await listBackups(home, access());
    assert.deepEqual(
      listed.map(({ name, isFinished }) => `${name} ${isFinished}`),
      ["backup true", "cut.part false"],
    );
    await assert.rejects(openBackup(`${home}/cut`, access()), /it was not finished/);
    const target = folder.join("cut");
    await assert.rejects(
      restoreBackup({ backup: `${home}/backup`, target, force: false, ...access() }, { onProgress }),
      isLost,
    );
    assert.deepEqual(
      fs.readdirSync(folder.path).filter((name) => name.startsWith("cut")),
      [],
    );
    await Promise.all(gone);
  },
);
