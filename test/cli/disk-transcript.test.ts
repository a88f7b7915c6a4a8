/** One disk from its making to its check, as a user would type it and see it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

const folder = temporaryFolder();
const image = folder.join("big");
const epoch = { SOURCE_DATE_EPOCH: "1000000000" };
const tableOptions = "--size 64MiB --table gpt --uuid 00000000-0000-4000-8000-000000000001".split(" ");
const partitionOptions = ["size=16MiB,type=efi,fs=none,name=ESP", `size=rest,label=root,from=${folder.join("tree")}`];
const createWords = (path: string): string[] => {
  return ["disk", "create", path, ...tableOptions, ...partitionOptions.flatMap((spec) => ["--partition", spec])];
};

before(async () => {
  fs.mkdirSync(folder.join("tree", "etc"), { recursive: true });
  fs.writeFileSync(folder.join("tree", "etc", "motd"), "hello\n");
  fs.writeFileSync(folder.join("tree", "run"), "#!/bin/sh\n");
  fs.symlinkSync("motd", folder.join("tree", "etc", "issue"));
  fs.chmodSync(folder.join("tree", "etc", "motd"), 0o644);
  fs.chmodSync(folder.join("tree", "run"), 0o4755);
  fs.chmodSync(folder.join("tree", "etc"), 0o755);
  fs.chmodSync(folder.join("tree"), 0o755);
  const { stderr, status } = await runHoldfast(createWords(image), epoch);
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 });
});

after(() => folder[Symbol.asyncDispose]());

test("show names every partition and what it holds", async () => {
  const { stdout, status } = await runHoldfast(["disk", "show", image]);
  assert.match(stdout, /^ {2}size {7}64 MiB \(67108864 bytes\), 131072 sectors of 512$/m);
  assert.match(stdout, /^ {2}boot code {2}none$/m);
  const rows = stdout.split("\n").filter((line) => /^\d/.test(line));
  assert.equal(rows.length, 2);
  assert.match(rows[0]!, /^1 +2048 +34815 +16 MiB +efi +ESP$/);
  assert.match(
    rows[1]!,
    /^2 +34816 +131038 +\S+ MiB +linux +root +ext4 +root .* 00000000-0000-4000-8000-000000000001$/,
  );
  assert.equal(status, 0);
});

test("show --json is one document with the same facts, in bytes", async () => {
  const { stdout } = await runHoldfast(["disk", "show", image, "--json"]);
  const report = JSON.parse(stdout) as {
    sizeBytes: number;
    table: { kind: string };
    partitions: { number: number; startBytes: number; fileSystem?: { label: string } }[];
  };
  assert.equal(report.sizeBytes, 64 * 2 ** 20);
  assert.equal(report.table.kind, "gpt");
  const facts = report.partitions.map(({ number, startBytes, fileSystem }) => [number, startBytes, fileSystem?.label]);
  assert.deepEqual(facts, [
    [1, 2 ** 20, undefined],
    [2, 17 * 2 ** 20, "root"],
  ]);
});

test("ls -lR lists folder after folder", async () => {
  const { stdout, status } = await runHoldfast(["disk", "ls", "-lR", `${image}:2/`]);
  const shown = stdout.replace(/^(\S+ +\d+) +\d+ +\d+ +\d+ /gm, "$1 "); // owners and sizes are those of this machine
  assert.equal(
    shown,
    `/:
drwxr-xr-x 2 2001-09-09 01:46 etc
drwx------ 2 2001-09-09 01:46 lost+found
-rwsr-xr-x 1 2001-09-09 01:46 run

/etc:
lrwxrwxrwx 1 2001-09-09 01:46 issue -> motd
-rw-r--r-- 1 2001-09-09 01:46 motd

/lost+found:
`,
  );
  assert.equal(status, 0);
});

test("cat prints files one after the other, following links", async () => {
  const { stdout } = await runHoldfast(["disk", "cat", `${image}:/etc/motd`, `${image}:2/etc/issue`]);
  assert.equal(stdout, "hello\nhello\n");
});

test("get takes a folder out with its modes and times", async () => {
  const target = folder.join("out");
  const { stdout, status } = await runHoldfast(["disk", "get", `${image}:/etc`, target]);
  assert.equal(stdout, "3 files, 6 B\n");
  assert.equal(status, 0);
  assert.equal(fs.readFileSync(`${target}/motd`, "utf8"), "hello\n");
  assert.equal(fs.statSync(`${target}/motd`).mtimeMs, 1e12);
  assert.equal(fs.readlinkSync(`${target}/issue`), "motd");
});

test("check says what was looked at; a damaged partition makes it exit 3", async () => {
  const sound = await runHoldfast(["disk", "check", image]);
  assert.equal(
    sound.stdout,
    "table: gpt, checked\npartition 1: no file system known, not checked\npartition 2: ext4, checked\nno errors\n",
  );
  assert.deepEqual([sound.stderr, sound.status], ["", 0]);

  const damaged = folder.join("damaged");
  fs.copyFileSync(image, damaged);
  const file = fs.openSync(damaged, "r+");
  fs.writeSync(file, Buffer.alloc(512, 0xff), 0, 512, 512); // the first copy of the GPT header
  fs.closeSync(file);
  const found = await runHoldfast(["disk", "check", damaged]);
  assert.match(found.stdout, /^(error|warning): table: /m);
  assert.match(found.stderr, /^holdfast: cannot vouch for ".*damaged": \d+ error/);
  assert.equal(found.status, 3);
});

test("the same words and files give the same bytes", async () => {
  const again = folder.join("again");
  await runHoldfast(createWords(again), epoch);
  assert.ok(fs.readFileSync(again).equals(fs.readFileSync(image)));
});

test("an existing disk is kept unless --force is given", async () => {
  const kept = await runHoldfast(createWords(image), epoch);
  assert.equal(
    kept.stderr,
    `holdfast: cannot create "${image}": it is there already\nhint: give another name, or --force to replace it\n`,
  );
  assert.equal(kept.status, 1);
  assert.equal((await runHoldfast([...createWords(image), "--force"], epoch)).status, 0);
});

test("a path that is not there fails with 1, and with nothing on standard output", async () => {
  const { stdout, stderr, status } = await runHoldfast(["disk", "cat", `${image}:/etc/nothing`]);
  assert.equal(stdout, "");
  assert.match(stderr, /^holdfast: cannot find "\/etc\/nothing"/);
  assert.equal(status, 1);
});
