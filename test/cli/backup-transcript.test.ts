/** A backup from its making to its restoring, as a user would type it and see it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { sampleDisk } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

const folder = temporaryFolder();
const home = folder.join("backups");
const backup = `${home}/laptop`;
let disk = "";

before(async () => {
  disk = await sampleDisk(folder, "gpt");
  const { stdout, stderr, status } = await runHoldfast(["backup", "save", disk, home, "--name", "laptop"]);
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 });
  assert.match(stdout, /\/laptop: 100 MiB in \d/);
  assert.match(stdout, /^ {2}sda2 +ext4 +what is used +\S+ MiB +-> +\S+ MiB$/m);
  assert.match(stdout, /^ {2}sda4 +swap +UUID and label +0 B +-> +0 B$/m);
});

after(() => folder[Symbol.asyncDispose]());

test("save without a name calls the folder by date, time and disk", async () => {
  const place = folder.join("others");
  const { status } = await runHoldfast(["backup", "save", disk, place, "--disk-name", "nvme0n1"], { TZ: "UTC" });
  assert.equal(status, 0);
  const [name = ""] = fs.readdirSync(place);
  assert.match(name, /^\d{4}-\d\d-\d\d-\d{4}-nvme0n1$/);
  assert.ok(fs.existsSync(`${place}/${name}/nvme0n1p2.ext4-ptcl-img.zst.aa`));
});

test("save --json is one document, and progress on standard error", async () => {
  const { stdout, stderr, status } = await runHoldfast(["backup", "save", disk, home, "--name", "json", "--json"]);
  const saved = JSON.parse(stdout) as { path: string; parts: { name: string; saved: string }[] };
  assert.equal(status, 0);
  assert.deepEqual(
    saved.parts.map(({ name, saved: how }) => `${name} ${how}`),
    ["sda1 image", "sda2 image", "sda3 image", "sda4 swap", "sda5 whole"],
  );
  assert.match(stderr, /^\{"progress":\{"phase":"saving sda/m);
  fs.rmSync(saved.path, { recursive: true });
});

test("list and show print tables", async () => {
  const listed = await runHoldfast(["backup", "list", home]);
  assert.match(listed.stdout, /^name +saved +takes +of$/m);
  assert.match(listed.stdout, /^laptop +\d{4}-\d\d-\d\d \d\d:\d\d +\S+ MiB +sda \(100 MiB\)$/m);
  const shown = await runHoldfast(["backup", "show", backup]);
  assert.match(shown.stdout, /^sda: 100 MiB \(104857600 bytes\), gpt [0-9A-F-]{36}$/m);
  assert.match(shown.stdout, /^sda2 +40 MiB +ext4 +root +what is used +\S+ MiB +zst +[0-9a-f-]{36}$/m);
  assert.match(shown.stdout, /^sda5 +3 MiB +whole +\S+ MiB +zst$/m);
});

test("ls, cat and get look into it", async () => {
  assert.equal((await runHoldfast(["backup", "ls", `${backup}:2/usr`])).stdout, "noise\ntext\n");
  const { stdout } = await runHoldfast(["backup", "cat", `${backup}:2/etc/fstab`]);
  assert.equal(stdout, "UUID=1 / ext4 defaults 0 1\n");
  const got = await runHoldfast(["backup", "get", `${backup}:1/etc`, folder.join("etc")]);
  assert.equal(got.status, 0);
  assert.equal(fs.readFileSync(folder.join("etc", "fstab"), "utf8"), "UUID=1 / ext4 defaults 0 1\n");
});

test("check says what was read, and names what is damaged with status 3", async () => {
  const sound = await runHoldfast(["backup", "check", backup]);
  assert.match(sound.stdout, /^no errors: \d+ files, data of sda1, sda2, sda3, sda5, file systems looked through$/m);
  assert.equal(sound.status, 0);
  const file = `${backup}/sda2.ext4-ptcl-img.zst.aa`;
  const whole = fs.readFileSync(file);
  const broken = Buffer.from(whole);
  broken[100_000]! ^= 1;
  fs.writeFileSync(file, broken);
  const { stdout, stderr, status } = await runHoldfast(["backup", "check", backup]);
  assert.match(stdout, /^error: sda2\.ext4-ptcl-img\.zst\.aa: its checksum in SHA1SUMS does not match$/m);
  assert.match(stderr, /cannot vouch for/);
  assert.equal(status, 3);
  const restored = await runHoldfast(["backup", "restore", backup, folder.join("broken")]);
  assert.match(restored.stderr, /cannot read "sda2\.ext4-ptcl-img\.zst\.aa"/);
  assert.equal(restored.status, 3);
  assert.equal(fs.existsSync(folder.join("broken")), false);
  fs.writeFileSync(file, whole);
});

test("restore makes the disk again, and does not replace one that is there", async () => {
  const target = folder.join("again");
  const { stdout, status } = await runHoldfast(["backup", "restore", backup, target]);
  assert.match(stdout, /\/again: 100 MiB\n/);
  assert.equal(status, 0);
  assert.equal(fs.statSync(target).size, 100 * 2 ** 20);
  assert.equal((await runHoldfast(["backup", "restore", backup, target])).status, 1);
});

test("wrong words are told apart from what cannot be done", async () => {
  for (const words of [
    ["backup", "save", disk, home, "--volume-size", "1000"],
    ["backup", "save", disk, home, "--compress", "gzip", "--level", "12"],
    ["backup", "save", disk, home, "--compress", "none", "--level", "1"],
    ["backup", "save", disk, home, "--name", "a/b"],
    ["backup", "save", disk, home, "--disk-name", "../sda"],
  ]) {
    assert.equal((await runHoldfast(words)).status, 2, words.join(" "));
  }
  const missing = await runHoldfast(["backup", "save", folder.join("missing"), home]);
  assert.match(missing.stderr, /^holdfast: cannot read ".*missing": no such file or directory\n$/);
  assert.equal(missing.status, 1);
  const none = await runHoldfast(["backup", "show", folder.path]);
  assert.match(none.stderr, /it has no file "parts"\nhint: name the folder of one backup/);
  assert.equal(none.status, 1);
});
