/** Keys on sticks, which are loop devices over files of the test: made there, added to, listed, while nobody uses them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { addIsos, createKeyOnDevice, listKey, removeIsos, runKey } from "../../src/key/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { assertSound, hashOf, loopback, makeFolder, refused, stickPeers } from "./key-stick.ts";
import { makeIso } from "./live-iso.ts";
import { assertOurs, plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithoutLoop() || skipWithout(...stickPeers);
const mib = 2 ** 20;
const adding = { isRehearsal: false, nowMs: 1_700_000_000_000 };

async function done(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runHoldfast(["key", ...words]);
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

/** A key over all of a stick, which is the test's own. */
async function createOn(stick: LoopStick, wish: Partial<Parameters<typeof createKeyOnDevice>[0]> = {}): Promise<void> {
  assertOurs(stick);
  const usual = { table: "mbr", isosKind: "fat32", serial: true, grubFrom: [], ...adding } as const;
  const place = { path: stick.device, confirm: fs.realpathSync(stick.file) };
  await createKeyOnDevice({ ...usual, ...place, ...wish }, { approve: async () => undefined });
}

/** Fails as told, in one line with a hint, and leaves the stick as it is. */
async function fails(file: string, message: RegExp, ...works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const before = hashOf(file);
  for (const work of works) {
    await assert.rejects(work, (error) => {
      assert.ok(error instanceof Failure);
      assert.doesNotMatch(error.message, /\n/);
      assert.match(`${error.message}\n${error.hint ?? ""}`, message);
      return true;
    });
  }
  assert.equal(hashOf(file), before, "nothing was written");
}

/** Where isos begins, in bytes. */
function isosStart(file: string): number {
  const starts = Array.from(runPeer("sfdisk", ["-d", file]).matchAll(/start= *(\d+)/g), ([, start]) => Number(start));
  return (starts.at(-1) ?? 0) * 512;
}

async function namesOn(key: string): Promise<readonly string[]> {
  return (await listKey(key)).files.map(({ name }) => name);
}

const keys = [
  { name: "MBR and FAT32", words: [], kind: "fat32", stickBytes: 2_000_000_000 },
  {
    name: "GPT and ext4",
    words: ["--table", "gpt", "--fs", "ext4"],
    kind: "ext4",
    stickBytes: 1_000_000_000,
  },
] as const;
for (const { name, words, kind, stickBytes } of keys) {
  test(`a stick becomes a key, and ISO files come and go: ${name}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const [first, second] = ["first.iso", "second.iso"].map((file) => makeIso(folder, file, loopback)) as [
      string,
      string,
    ];
    await using stick = plugIn(folder.join("stick"), stickBytes);
    assertOurs(stick);
    const said = await done("create", stick.device, "--confirm", fs.realpathSync(stick.file), ...words);
    assert.match(said, /wrote .* and read them back\n.*loop\d+: a key of/);
    assertSound(stick);
    const { isos } = await listKey(stick.file);
    assert.equal(isos.kind, kind);
    assert.ok(isos.freeBytes > 0.96 * stickBytes - 20 * mib);

    await done("add", stick.device, first, second);
    assertSound(stick);
    assert.match(await done("list", stick.device), /first\.iso .*\n.*second\.iso /);
    await done("remove", stick.device, "first.iso");
    assertSound(stick);
    assert.deepEqual(await namesOn(stick.device), ["second.iso"]);
    if (kind !== "fat32") return;
    runPeer("mcopy", ["-i", `${stick.file}@@${isosStart(stick.file)}`, "::second.iso", folder.join("copy")]);
    assert.equal(hashOf(folder.join("copy")), hashOf(second));
  });
}

test("a stick that is in use is not changed; what is on a mounted one can be looked at", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "some.iso", loopback);
  const file = folder.join("stick");
  await using stick = plugIn(file, 64 * mib);
  const { device: key } = stick;
  await createOn(stick, { isosKind: "ext4" });
  await addIsos({ ...adding, key, isos: [iso] });
  const place = makeFolder(folder.join("mnt"));
  const above = runPeer("losetup", ["--find", "--show", "--offset", String(isosStart(file)), key]).trim();
  const changes = [
    () => addIsos({ ...adding, key, isos: [iso], name: "other" }),
    () => removeIsos({ ...adding, key, names: ["some.iso"] }),
    () => createOn(stick),
  ];
  const running = { path: key, secureBoot: false, memoryBytes: 0, cpus: 1, window: false, accelerate: false, env: {} };
  try {
    await fails(file, /^cannot .*: loop\d+ is a loop device over loop\d+\nrun: losetup -d/, ...changes);
    runPeer("mount", ["-o", "ro", above, place]);
    const isMounted = /^cannot .*: loop\d+ is mounted on .*mnt\nrun: umount .*mnt$/;
    await fails(file, isMounted, ...changes, () => runKey({ ...running, inTerminal: false }));
    await refused(["key", "add", key, iso, "--name", "other"], file, /is mounted on .*mnt\nhint: run: umount .*mnt/);
    assert.match(await done("list", key), /some\.iso .*\n(.|\n)*warning: loop\d+ is mounted on .*mnt: /);
    assert.match(await done("check", key, "some"), /warning: key: loop\d+ is mounted on .*mnt: .*\n(.|\n)*as it was/);
    runPeer("mount", ["-o", "remount,rw", place]);
    fs.copyFileSync(iso, `${place}/copied.iso`);
    runPeer("sync", ["-f", place]);
    assert.deepEqual(await namesOn(key), ["some.iso", "copied.iso"]);
  } finally {
    if (fs.readdirSync(place).length > 0) runPeer("umount", [place]);
    runPeer("losetup", ["--detach", above]);
  }
  await removeIsos({ ...adding, key, names: ["some"] });
  assert.deepEqual(await namesOn(key), ["copied.iso"]);
  assertSound(stick);
});

test("a stick becomes a key with ISO files on it, or stays as it was", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "some.iso", loopback);
  const other = folder.join("other.iso");
  fs.writeFileSync(other, "no ISO");
  await using stick = plugIn(folder.join("stick"), 64 * mib);
  await fails(stick.file, /cannot add ".*other\.iso": /, () => createOn(stick, { isos: [iso, other] }));
  fs.truncateSync(iso, 20 * mib); // large enough to be hashed by threads
  const said = await done("create", stick.device, "--confirm", fs.realpathSync(stick.file), "--add", iso);
  assert.match(said, /wrote .*\n.*\n.*\nsome\.iso /);
  assertSound(stick);
  assert.match(await done("check", stick.device), /some\.iso: as it was when it was added\n/);
});

test("what cannot be added to a stick leaves it as it was", { skip }, async () => {
  await using folder = temporaryFolder();
  const iso = makeIso(folder, "some.iso", loopback);
  const cut = makeIso(folder, "cut.iso", { ...loopback, more: "x".repeat(mib) });
  fs.truncateSync(cut, mib / 2);
  const large = makeIso(folder, "large.iso", { ...loopback, more: "x".repeat(60 * mib) });
  const other = folder.join("other.iso");
  fs.writeFileSync(other, "no disc at all");
  await using stick = plugIn(folder.join("stick"), 64 * mib);
  const { device: key, file } = stick;
  await createOn(stick);
  await addIsos({ ...adding, key, isos: [iso] });
  const add = (...isos: readonly string[]) => {
    return () => addIsos({ ...adding, key, isos });
  };
  await fails(file, /has "some\.iso" already.*\n.*--name/, add(iso));
  await fails(file, /is cut off/, add(cut));
  await fails(file, /cannot add .*other\.iso": /, add(other));
  await fails(file, / MiB are needed, the key has .* free/, add(large));
  await fails(file, /cannot open ".*none\.iso"/, add(`${folder.path}/none.iso`));
  await fails(file, /the key has none of that name/, () => removeIsos({ ...adding, key, names: ["none"] }));
});

test("what is no key, and what is not confirmed, is left alone", { skip }, async () => {
  await using folder = temporaryFolder();
  const file = folder.join("stick");
  await using stick = plugIn(file, 64 * mib);
  const { device: key } = stick;
  await refused(["key", "create", key], file, /it is not removable\nhint: .*--confirm/);
  await fails(file, /its file is ".*stick", not "y"/, () => createOn(stick, { confirm: "y" }));
  const noKey = /was not made by key create\n/;
  const works = [() => addIsos({ ...adding, key, isos: [] }), () => removeIsos({ ...adding, key, names: ["some"] })];
  await fails(file, noKey, ...works, () => listKey(key));
  const before = hashOf(file);
  const written = await runHoldfast(["key", "write", key, key]);
  assert.match(written.stderr, /^holdfast: cannot write the device .*: an image of a key is needed\nhint: .*\n$/);
  assert.match(await done("create", key, "--dry-run"), /holds .*nothing.*\nwrites .*a new key.*isos grows/);
  assert.equal((await runHoldfast(["key", "create", key, "--size", "32MiB"])).status, 2);
  assert.equal(hashOf(file), before);
});

test("a stick that is too small, or read-only, is refused", { skip }, async () => {
  await using folder = temporaryFolder();
  const file = folder.join("stick");
  {
    await using stick = plugIn(file, 16 * mib);
    await fails(file, /has 16 MiB .*the key needs 25 MiB/, () => createOn(stick));
  }
  {
    await using stick = plugIn(file, undefined, ["--read-only"]);
    const { device: key } = stick;
    const changes = [() => createOn(stick), () => addIsos({ ...adding, key, isos: [file] })];
    await fails(file, /it is read-only\n/, ...changes, () => removeIsos({ ...adding, key, names: ["some"] }));
  }
});
