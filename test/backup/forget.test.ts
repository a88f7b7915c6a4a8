/** Backups that are deleted, and all that is not. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { forgetBackups, listBackups, pruneBackups } from "../../src/backup/index.ts";
import { applyForgetting, planForgetting } from "../../src/backup/plan/forget.ts";
import { openStore, type BackupStore } from "../../src/backup/store/index.ts";
import { Failure } from "../../src/base/index.ts";
import { temporaryFolder } from "../temp.ts";
import { save } from "./sample-disk.ts";
import { smallDisk } from "./small-disk.ts";

const folder = temporaryFolder();
const { env } = process;
let one = "";
let other = "";

before(async () => {
  const disks = [await smallDisk(folder, "one"), await smallDisk(folder, "other")];
  [one = "", other = ""] = await Promise.all(
    disks.map(async (disk, n) => (await save(disk, folder.join(`${n}`))).path),
  );
});

after(() => folder[Symbol.asyncDispose]());

function copies(home: string, names: readonly string[], from = one): void {
  for (const name of names) fs.cpSync(from, `${home}/${name}`, { recursive: true });
}

const days = ["2026-11-01-0300-sda", "2026-11-02-0300-sda", "2026-11-03-0300-sda"];

test("disks of the same name are told apart, and the newest of each is kept in any case", async () => {
  await using home = temporaryFolder();
  copies(home.path, days);
  copies(home.path, ["2026-10-01-0300-sda"], other);
  copies(home.path, ["2026-11-01-03-img", "by-hand"]);
  const request = { target: home.path, rules: { last: 1 }, env } as const;
  const planned = await forgetBackups({ ...request, isDryRun: true });
  assert.deepEqual(
    planned.forgotten.map(({ name }) => name),
    days.slice(0, 2),
  );
  assert.equal(fs.readdirSync(home.path).length, 6);
  const { done } = await forgetBackups({ ...request, isDryRun: false });
  assert.deepEqual(done, { forgotten: days.slice(0, 2), left: [] });
  assert.deepEqual(fs.readdirSync(home.path).toSorted(), [
    "2026-10-01-0300-sda",
    "2026-11-01-03-img",
    "2026-11-03-0300-sda",
    "by-hand",
  ]);
});

test("what is damaged counts for nothing and stays; what is no backup, or is being written, stays", async () => {
  await using home = temporaryFolder();
  copies(home.path, [...days, "2026-11-04-0300-sda", "2026-11-05-0300-sda.part"]);
  fs.rmSync(home.join(days[2]!, "sda-pt.sf"));
  fs.writeFileSync(home.join("2026-11-04-0300-sda", "failed-check.txt"), "");
  fs.mkdirSync(home.join("2019-01-01-0000-sda"));
  const { kept, damaged, done } = await forgetBackups({ target: home.path, rules: { daily: 1 }, env, isDryRun: false });
  assert.deepEqual(
    kept.map(({ name, by }) => [name, by]),
    [[days[1], ["daily"]]],
  );
  assert.deepEqual(
    damaged.map(({ name }) => name),
    [days[2], "2026-11-04-0300-sda"],
  );
  assert.deepEqual(done.forgotten, [days[0]]);
  assert.equal(fs.readdirSync(home.path).length, 5);
  const listed = (await listBackups(home.path, { env })).map(({ name, problems }) => [name, problems.length]);
  assert.deepEqual(listed, [
    [days[1], 0],
    [days[2], 1],
    ["2026-11-04-0300-sda", 1],
    ["2026-11-05-0300-sda.part", 0],
  ]);
});

/** Fails from the nth change on, as if the machine had lost its power then; each file that goes is a change. */
function cutOff(
  inner: BackupStore,
  home: string,
  { nth, canRename }: { nth: number; canRename: boolean },
): BackupStore {
  let left = nth;
  const change = (): void => {
    if (left-- <= 0) throw new Failure("failed", "cut off");
  };
  const wrapped: Partial<BackupStore> = {
    async rename(from, to) {
      if (!canRename) throw new Failure("unsupported", "cannot rename");
      change();
      await inner.rename(from, to);
    },
    async put(path, bytes) {
      change();
      await inner.put(path, bytes);
    },
    async remove(path) {
      const isFolder = fs.statSync(`${home}/${path}`, { throwIfNoEntry: false })?.isDirectory() === true;
      for (const name of isFolder ? fs.readdirSync(`${home}/${path}`).toReversed() : []) {
        change();
        fs.rmSync(`${home}/${path}/${name}`);
      }
      change();
      await inner.remove(path);
    },
  };
  return Object.assign(Object.create(inner) as BackupStore, {
    name: inner.name,
    list: (path: string) => inner.list(path),
    find: (path: string) => inner.find(path),
    open: (path: string) => inner.open(path),
    ...wrapped,
  });
}

for (const canRename of [true, false]) {
  const how = canRename ? "a folder gets another name first" : "where that cannot be, a mark says what goes on";
  test(`cut off at any moment, no backup is there in part: ${how}`, async () => {
    const whole = fs.readdirSync(one).length;
    for (let nth = 0; ; nth++) {
      await using home = temporaryFolder();
      copies(home.path, days);
      await using inner = await openStore(home.path, { env });
      const store = cutOff(inner, home.path, { nth, canRename });
      const plan = await planForgetting(store, { rules: { last: 1 } });
      const done = await applyForgetting(store, plan);
      for (const { name, isFinished, problems } of await listBackups(home.path, { env })) {
        const isGood = isFinished && problems.length === 0;
        if (isGood) assert.equal(fs.readdirSync(home.join(name)).length, whole, `${name} after ${nth} changes`);
      }
      assert.ok(fs.existsSync(home.join(days[2]!, "parts")));
      if (done.left.length === 0) break;
      // The next run finishes what this one has begun.
      await forgetBackups({ target: home.path, rules: { last: 1 }, env, isDryRun: false });
      const left = fs.readdirSync(home.path).filter((name) => fs.readdirSync(home.join(name)).length > 0);
      assert.deepEqual(left, days.slice(2));
    }
  });
}

test("prune removes what nobody writes to any more, and nothing else that ends in .part", async () => {
  await using home = temporaryFolder();
  copies(home.path, [days[0]!, "old.part", "young.part", "half.forgotten.part"]);
  fs.mkdirSync(home.join("empty.part"));
  fs.mkdirSync(home.join("films.part"));
  fs.writeFileSync(home.join("films.part", "film"), "");
  fs.mkdirSync(home.join("tree.part", "deep"), { recursive: true });
  const longAgo = new Date("2026-01-01");
  for (const name of ["old.part", "empty.part", "films.part", "tree.part"]) {
    for (const file of fs.readdirSync(home.join(name))) fs.utimesSync(home.join(name, file), longAgo, longAgo);
    fs.utimesSync(home.join(name), longAgo, longAgo);
  }
  const request = { target: home.path, unchangedSinceMs: Date.UTC(2026, 5), env } as const;
  const planned = await pruneBackups({ ...request, isDryRun: true });
  assert.deepEqual(
    planned.removed.map(({ name }) => name),
    ["empty.part", "half.forgotten.part", "old.part"],
  );
  assert.equal(fs.readdirSync(home.path).length, 7);
  assert.deepEqual(await pruneBackups({ ...request, isDryRun: false }), planned);
  assert.deepEqual(fs.readdirSync(home.path).toSorted(), [days[0], "films.part", "tree.part", "young.part"]);
});
