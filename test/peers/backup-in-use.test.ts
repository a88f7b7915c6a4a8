import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { restoreBackup } from "../../src/backup/index.ts";
import { Failure, libc } from "../../src/base/index.ts";
import { save } from "../backup/sample-disk.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const mib = 2 ** 20;
const { env } = process;
const needs = { skip: skipWithoutLoop() || skipWithout("mke2fs", "e2fsck", "mount", "fsfreeze", "mkfs.fat") };
const freezeRequest = 0xc0045877;
const thawRequest = 0xc0045878;

interface Mounted extends AsyncDisposable {
  readonly stick: LoopStick;
  readonly at: string;
}

async function mountNew(folder: TemporaryFolder): Promise<Mounted> {
  const file = folder.join("disk");
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 64 * mib);
  runPeer("mke2fs", ["-q", "-t", "ext4", file]);
  const stick = plugIn(file);
  const at = folder.join("at");
  fs.mkdirSync(at);
  runPeer("mount", [stick.device, at]);
  return {
    stick,
    at,
    async [Symbol.asyncDispose]() {
      runPeer("umount", [at]);
      await stick[Symbol.asyncDispose]();
    },
  };
}

function isFrozen(at: string): boolean {
  const fd = fs.openSync(at, "r");
  try {
    if (libc()?.ioctl(fd, freezeRequest) !== 0) return true;
    libc()?.ioctl(fd, thawRequest);
    return false;
  } finally {
    fs.closeSync(fd);
  }
}

test("what is mounted is refused, or on request stands still while it is saved, and then goes on", needs, async () => {
  await using folder = temporaryFolder();
  await using mounted = await mountNew(folder);
  const { stick, at } = mounted;
  fs.writeFileSync(`${at}/before`, Buffer.alloc(5 * mib, 7)); // as yet in memory only
  await assert.rejects(save(stick.device, folder.path), (error) => {
    assert.ok(error instanceof Failure);
    assert.match(error.hint ?? "", /unmount what is on it first; or let it stand still meanwhile: --freeze$/);
    return error.code === "refused";
  });
  const seen = new Set<boolean>();
  const onProgress = (): void => void seen.add(isFrozen(at));
  const { path: backup } = await save(stick.device, folder.path, { isFrozen: true, disk: "sdb1" }, { onProgress });
  assert.deepEqual([...seen], [true]);
  assert.equal(isFrozen(at), false);
  fs.writeFileSync(`${at}/after`, "it can be written again");
  const target = folder.join("restored");
  await restoreBackup({ backup, target, partition: "1", force: false, env });
  runPeer("e2fsck", ["-fn", target]);
  assert.equal(runPeer("debugfs", ["-R", "cat /before", target]), "\u0007".repeat(5 * mib));
});

test("whatever happens while it stands still, it goes on", needs, async () => {
  await using folder = temporaryFolder();
  await using mounted = await mountNew(folder);
  const { stick, at } = mounted;
  const failing = save(
    stick.device,
    folder.path,
    { isFrozen: true },
    {
      onProgress: () => {
        throw new Failure("failed", "as it happens");
      },
    },
  );
  await assert.rejects(failing, /as it happens/);
  assert.equal(isFrozen(at), false);
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    const main = path.join(import.meta.dirname, "../../src/cli/main.ts");
    const words = ["backup", "save", stick.device, folder.join(signal), "--freeze", "--json", "--level", "19"];
    const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "ignore", "pipe"] });
    const { promise, resolve } = Promise.withResolvers<boolean>();
    child.stderr.once("data", () => {
      const wasFrozen = isFrozen(at);
      child.kill(signal);
      resolve(wasFrozen);
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    child.once("close", () => end());
    assert.equal(await promise, true);
    await ended;
    while (isFrozen(at)) await new Promise((next) => setTimeout(next, 20));
  }
});

test("what cannot stand still is not frozen, and nothing else stays so", needs, async () => {
  await using folder = temporaryFolder();
  await using mounted = await mountNew(folder);
  runPeer("fsfreeze", ["--freeze", mounted.at]);
  const saving = save(mounted.stick.device, folder.path, { isFrozen: true });
  await assert.rejects(saving, (error) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /^cannot freeze ".*": it is frozen already$/);
    return error.code === "refused";
  });
  runPeer("fsfreeze", ["--unfreeze", mounted.at]);
  // Nor what the backup is to be written to.
  const into = save(mounted.stick.device, `${mounted.at}/home`, { isFrozen: true });
  await assert.rejects(into, /cannot freeze ".*": the backup or its messages are to be written there/);
  assert.equal(isFrozen(mounted.at), false);
});

test("the system's own programs look first, where they are asked to", needs, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  fs.writeFileSync(image, "");
  fs.truncateSync(image, 70 * mib);
  runPeer("sfdisk", ["-q", image], { input: "label: gpt\n,32M,L\n,32M,U\n" });
  runPeer("mke2fs", ["-q", "-t", "ext4", "-E", `offset=${mib}`, image, "32M"]);
  const fat = folder.join("fat");
  fs.writeFileSync(fat, "");
  fs.truncateSync(fat, 32 * mib);
  runPeer("mkfs.fat", [fat]);
  const fd = fs.openSync(image, "r+");
  fs.writeSync(fd, fs.readFileSync(fat), 0, 32 * mib, 33 * mib);
  fs.closeSync(fd);
  const saved = await save(image, folder.path, { isCheckedBySystem: true });
  assert.deepEqual(saved.warnings, ["sda2: fsck.fat does not look at partitions in a file"]);
  await save(fat, folder.path, { name: "two", isCheckedBySystem: true });
  // What our own check, left out here, would find too.
  runPeer("debugfs", ["-w", "-R", "clri <2>", `${image}?offset=${mib}`]);
  const more = { name: "damaged", isCheckedBySystem: true, isUnchecked: true };
  await assert.rejects(save(image, folder.path, more), (error) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /^cannot save sda1: e2fsck is not content with it: /);
    assert.match(error.hint ?? "", /^"e2fsck -fn .*image\?offset=1048576" says more$/);
    return error.code === "damaged";
  });
});
