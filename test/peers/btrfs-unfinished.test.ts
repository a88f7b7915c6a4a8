/** Work that Linux was not done with: a log after fsync that waits to be replayed, a subvolume that is being deleted. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { skipWithoutBtrfsMount } from "../filesystem/btrfs/sample-btrfs.ts";
import { whileMounted } from "../filesystem/ext/mounted.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { makeBlank } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder } from "../temp.ts";
import { copyUsed } from "./copy-used.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mkfs.btrfs", "btrfs", "chattr") || skipWithoutBtrfsMount();

function writeSynced(file: string, bytes: Uint8Array): void {
  const fd = fs.openSync(file, "a");
  fs.writeSync(fd, bytes);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

test("the log and the data that only the log knows are in use", { skip }, async () => {
  await using folder = temporaryFolder();
  const [image, cutOff, restored, mounted] = ["image", "cut-off", "restored", "mounted"].map((name) =>
    folder.join(name),
  );
  makeBlank(image!, 160);
  runPeer("mkfs.btrfs", ["-q", image!], { stdio: ["ignore", "pipe", "ignore"] });
  const written: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ["large", noise(1, 3_000_000)],
    ["small", noise(2, 700)],
    ["without-checksums", noise(3, 1_500_000)],
  ];
  await whileMounted(image!, mounted!, "commit=300", async () => {
    fs.writeFileSync(`${mounted}/before`, "before");
    fs.writeFileSync(`${mounted}/without-checksums`, "");
    runPeer("chattr", ["+C", `${mounted}/without-checksums`]);
    runPeer("sync", ["-f", mounted!]);
    for (const [name, bytes] of written) writeSynced(`${mounted}/${name}`, bytes);
    fs.copyFileSync(image!, cutOff!); // as a disk is that lost its machine
  });
  await using reader = await FileReader.open(cutOff!);
  await using fileSystem = await openFileSystem(reader);
  assert.deepEqual(fileSystem.info.notes, ["not unmounted cleanly: its log waits to be replayed"]);
  assert.deepEqual(await Array.fromAsync(fileSystem.check()), []);
  await copyUsed(fileSystem, reader, restored!);
  await whileMounted(restored!, mounted!, "noatime", async () => {
    for (const [name, bytes] of written) assert.ok(fs.readFileSync(`${mounted}/${name}`).equals(bytes), name);
    assert.match(runPeer("btrfs", ["scrub", "start", "-B", mounted!]), /no errors found/);
  });
  runPeer("btrfs", ["check", "--readonly", "--check-data-csum", restored!]);
});

test("a subvolume that is being deleted is sound as far as it is still there", { skip }, async () => {
  await using folder = temporaryFolder();
  const [image, restored, mounted] = ["image", "restored", "mounted"].map((name) => folder.join(name));
  makeBlank(image!, 300);
  runPeer("mkfs.btrfs", ["-q", "-n", "4096", image!], { stdio: ["ignore", "pipe", "ignore"] });
  await whileMounted(image!, mounted!, "noatime", async () => {
    runPeer("btrfs", ["subvolume", "create", `${mounted}/large`]);
    for (let n = 0; n < 12_000; n++) fs.writeFileSync(`${mounted}/large/${n}`, noise(n, n % 20 === 0 ? 5000 : 1800));
    runPeer("btrfs", ["subvolume", "snapshot", `${mounted}/large`, `${mounted}/kept`]);
    for (let n = 0; n < 12_000; n += 500) fs.appendFileSync(`${mounted}/kept/${n}`, "more");
  });
  await whileMounted(image!, mounted!, "noatime", async () => {
    runPeer("btrfs", ["subvolume", "delete", `${mounted}/large`]);
    runPeer("btrfs", ["filesystem", "sync", mounted!]); // deleting begins, and unmounting stops it
  });
  await using reader = await FileReader.open(image!);
  await using fileSystem = await openFileSystem(reader);
  assert.deepEqual(await Array.fromAsync(fileSystem.check()), []);
  await copyUsed(fileSystem, reader, restored!);
  runPeer("btrfs", ["check", "--readonly", restored!]);
  await whileMounted(restored!, mounted!, "noatime", async () => {
    runPeer("btrfs", ["subvolume", "sync", mounted!]); // goes on, and ends
    assert.deepEqual(fs.readdirSync(mounted!), ["kept"]);
    assert.match(runPeer("btrfs", ["scrub", "start", "-B", mounted!]), /no errors found/);
  });
});
