import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { checkBackup, restoreBackup } from "../../src/backup/index.ts";
import { createDisk } from "../../src/disk/index.ts";
import { Failure } from "../../src/base/index.ts";
import { sampleTree, save } from "../backup/sample-disk.ts";
import { runPeer } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";

const folder = temporaryFolder();
const disk = folder.join("disk");
const main = path.join(import.meta.dirname, "../../src/cli/main.ts");
const mib = 2 ** 20;
const { env } = process;

before(async () => {
  const common = { active: false, from: [sampleTree(folder, 2 * mib)] };
  await createDisk({
    path: disk,
    sizeBytes: 32 * mib,
    table: "gpt",
    layout: "aligned",
    partitions: [
      { ...common, sizeBytes: 8 * mib, fileSystem: { kind: "ext2", label: "root" } },
      { ...common, sizeBytes: 6 * mib, fileSystem: { kind: "fat12", label: "BOOT" } },
      { ...common, from: [], sizeBytes: 10 * mib, fileSystem: "none" },
    ],
    from: [],
    force: false,
    preallocate: false,
    nowMs: 1_700_000_000_000,
  });
  const fd = fs.openSync(disk, "r+");
  fs.writeSync(fd, fs.readFileSync(folder.join("tree", "usr", "noise")), 0, 2 * mib, 20 * mib);
  fs.closeSync(fd);
});

after(() => folder[Symbol.asyncDispose]());

/** All files but those with the time of saving in them. */
function dataOf(backup: string): Record<string, string> {
  const names = fs.readdirSync(backup).filter((name) => !/^(clonezilla-img|Info-.*|.*SUMS)$/.test(name));
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash("sha1")
        .update(fs.readFileSync(`${backup}/${name}`))
        .digest("hex"),
    ]),
  );
}

/** Runs the command until it ends, or is killed after so long. */
async function saveOrDie(home: string, killAfterMs = Infinity): Promise<{ killed: boolean; said: string }> {
  const words = ["backup", "save", disk, home, "--name", "b", "--volume-size", "1MiB", "--resume"];
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...env, NODE_COMPILE_CACHE: folder.join("compiled") }, // half of the time is for that
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const timer = killAfterMs === Infinity ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.on("close", (status, signal) => {
    clearTimeout(timer);
    assert.ok(signal === "SIGKILL" || status === 0, `${status} ${signal}: ${said}`);
    resolve(signal === "SIGKILL");
  });
  return { killed: await promise, said };
}

test("killed at fifty moments and gone on with each time, a backup is what it would have been", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const began = performance.now();
  await saveOrDie(folder.join("whole"));
  let latestMs = performance.now() - began; // so that four of five are killed, however busy the machine is
  const wanted = dataOf(folder.join("whole", "b"));
  const home = folder.join("home");
  let finished = 0;
  for (let kills = 0; kills < 50;) {
    const { killed } = await saveOrDie(home, random() * latestMs);
    if (killed) kills++;
    latestMs *= killed ? 1.1 : 0.7;
    const isThere = fs.existsSync(`${home}/b`);
    assert.ok(killed || isThere);
    if (!isThere) continue;
    assert.deepEqual(dataOf(`${home}/b`), wanted, `seed ${seed}, after ${kills} kills`);
    assert.deepEqual(fs.readdirSync(home), ["b"]);
    finished++;
    fs.rmSync(home, { recursive: true });
  }
  await saveOrDie(home);
  assert.deepEqual(dataOf(`${home}/b`), wanted, `seed ${seed}, at last`);
  await checkBackup(`${home}/b`, { env, onProblem: async ({ message }) => assert.fail(message) });
  t.diagnostic(`${finished + 1} backups finished`);
});

const needsRoot = { skip: process.getuid?.() === 0 ? false : "not root" };

test("a target that is full keeps what is finished, and with more room that is gone on with", needsRoot, async () => {
  const home = folder.join("small");
  fs.mkdirSync(home);
  runPeer("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", home]);
  try {
    await assert.rejects(save(disk, home, { name: "b" }), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /^cannot save ".*" into ".*": about \d+\.\d MiB are needed, 3\.00 MiB are free$/);
      return error.code === "no-space";
    });
    assert.deepEqual(fs.readdirSync(home), [], "refused before anything is written");
    const more = { name: "b", volumeBytes: mib, isRoomIgnored: true };
    await assert.rejects(save(disk, home, more), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, "no-space");
      return /the same command with --resume goes on/.test(error.hint ?? "");
    });
    runPeer("mount", ["-o", "remount,size=20m", home]);
    const { path: backup } = await save(disk, home, { ...more, isResumed: true });
    const restored = folder.join("restored");
    await restoreBackup({ backup, target: restored, force: false, env });
    await checkBackup(backup, { env, onProblem: async ({ message }) => assert.fail(message) });
  } finally {
    runPeer("umount", [home]);
  }
});
