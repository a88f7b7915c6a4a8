import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

/*
 * The verbs of `holdfast disk` as a user types them, on real images, beside the programs that know the same formats.
 */

async function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, stdout, stderr } = await runHoldfast(words, env);
  assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** A small tree with a bit of everything that needs no root. */
function sampleTree(folder: TemporaryFolder): string {
  const tree = folder.join("tree");
  fs.mkdirSync(`${tree}/etc/deep`, { recursive: true });
  fs.writeFileSync(`${tree}/etc/hostname`, "anchor\n");
  fs.writeFileSync(`${tree}/etc/deep/data`, Buffer.alloc(300_000, "data "));
  fs.symlinkSync("hostname", `${tree}/etc/link`);
  fs.linkSync(`${tree}/etc/hostname`, `${tree}/etc/second`);
  fs.mkdirSync(`${tree}/usr`);
  fs.chmodSync(`${tree}/etc/deep/data`, 0o4750);
  return tree;
}

test("the classic case comes out exactly", { skip: skipWithout("sfdisk", "dumpe2fs", "e2fsck") }, async () => {
  await using folder = temporaryFolder();
  const big = folder.join("big");
  await run(["disk", "create", big, "--size", "4141875200", "--layout", "classic", "--partition", "fs=ext3"]);
  assert.match(runPeer("sfdisk", ["-d", big]), /start= +63, size= +8080632, type=83\n/);
  const facts = runPeer("dumpe2fs", ["-h", `${big}?offset=32256`]);
  assert.match(facts, /^Block count: +4040316$/m);
  assert.match(facts, /^Block size: +1024$/m);
  assert.match(facts, /has_journal/);
  const clean = /^(Pass \d: .*\n)+.*: 11\/\d+ files .*\n$/;
  assert.match(runPeer("e2fsck", ["-fn", `${big}?offset=32256`]), clean);
  const report = JSON.parse(await run(["disk", "show", big, "--json"])) as {
    readonly geometry: { readonly cylinders: number; readonly usableBytes: number };
    readonly partitions: readonly { readonly startBytes: number; readonly sizeBytes: number }[];
  };
  assert.equal(report.geometry.cylinders, 503);
  assert.equal(report.geometry.usableBytes, 4_137_315_840);
  assert.equal(report.partitions[0]?.startBytes, 32_256);
  assert.equal(report.partitions[0]?.sizeBytes, 4_040_316 * 1024);
  assert.ok(fs.statSync(big).blocks * 512 < 20_000_000, "the file is sparse");

  const larger = folder.join("larger");
  const spec = "fs=ext3,block=4096";
  await run(["disk", "create", larger, "--size", "4141875200", "--layout", "classic", "--partition", spec]);
  const largerFacts = runPeer("dumpe2fs", ["-h", `${larger}?offset=32256`]);
  assert.match(largerFacts, /^Block count: +1010079$/m); // the same bytes
});

test("a tree goes in and comes out by the verbs", { skip: skipWithout("tar") }, async () => {
  await using folder = temporaryFolder();
  const tree = sampleTree(folder);
  const disk = folder.join("disk");
  await run(["disk", "create", disk, "--size", "64MiB", "--table", "gpt", "--from", tree]);
  assert.equal(await run(["disk", "cat", `${disk}:/etc/hostname`]), "anchor\n");
  assert.equal(await run(["disk", "cat", `${disk}:1/etc/link`]), "anchor\n");
  const listing = await run(["disk", "ls", "-l", `${disk}:/etc`]);
  assert.match(listing, /^-rw-r--r-- +2 .* hostname$/m);
  assert.match(listing, /^lrwxrwxrwx +1 .* link -> hostname$/m);
  assert.match(await run(["disk", "ls", "-lR", `${disk}:/etc`]), /^-rwsr-x--- .* data$/m);
  await run(["disk", "get", `${disk}:/etc`, folder.join("out")]);
  assert.equal(
    execFileSync("diff", ["-r", "--no-dereference", `${tree}/etc`, folder.join("out")], { encoding: "utf8" }),
    "",
  );
  assert.equal(fs.statSync(folder.join("out", "hostname")).ino, fs.statSync(folder.join("out", "second")).ino);
  const tar = folder.join("out.tar");
  execFileSync("sh", [
    "-c",
    `"$0" "$@" > "${tar}"`,
    process.execPath,
    "src/cli/main.ts",
    "disk",
    "get",
    `${disk}:/`,
    "-",
  ]);
  const listed = runPeer("tar", ["-tvf", tar]);
  assert.match(listed, /-rwsr-x--- .* 300000 .* etc\/deep\/data\n/);
  assert.match(listed, /etc\/second link to etc\/hostname/);
  assert.match(await run(["disk", "check", disk]), /no errors/);
});

test("a tar from standard input fills a disk, whoever runs it", { skip: skipWithout("tar", "debugfs") }, async () => {
  await using folder = temporaryFolder();
  const tree = sampleTree(folder);
  const disk = folder.join("disk");
  const pack = `tar --owner=1234 --group=5678 -C "${tree}" -cz .`;
  const words = ["disk", "create", disk, "--size", "64MiB", "--from", "-"];
  execFileSync("sh", ["-c", `${pack} | "$0" "$@"`, process.execPath, "src/cli/main.ts", ...words]);
  assert.match(await run(["disk", "ls", "-l", `${disk}:/etc`]), /^-rw-r--r-- +2 1234 5678 .* hostname$/m);
  const stat = runPeer("debugfs", ["-R", "stat /etc/hostname", `${disk}?offset=1048576`]);
  assert.match(stat, /User: +1234 +Group: +5678/);
});

test("the same words and files give the same bytes", async () => {
  await using folder = temporaryFolder();
  const tree = sampleTree(folder);
  const uuid = "2c5ad4a2-7c0b-4e0c-9d3f-55c6f3b0e8a1";
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  for (const name of ["one", "two"]) {
    const words = [
      "disk",
      "create",
      folder.join(name),
      "--size",
      "64MiB",
      "--table",
      "gpt",
      "--from",
      tree,
      "--uuid",
      uuid,
    ];
    await run(words, env);
    fs.readFileSync(`${tree}/etc/hostname`); // changes its time of access
  }
  assert.ok(fs.readFileSync(folder.join("one")).equals(fs.readFileSync(folder.join("two"))));
});

test("what is too small says what is needed, and that is enough", async () => {
  await using folder = temporaryFolder();
  const tree = folder.join("tree");
  fs.mkdirSync(tree);
  for (let n = 0; n < 20; n++) fs.writeFileSync(`${tree}/${n}`, Buffer.alloc(1_000_000, n));
  const disk = folder.join("disk");
  const small = await runHoldfast(["disk", "create", disk, "--size", "16MiB", "--from", tree]);
  assert.equal(small.status, 1);
  assert.match(small.stderr, /cannot fill ext4 of \d+ bytes: the files need one of \d+ bytes/);
  assert.deepEqual(fs.readdirSync(folder.path), ["tree"]);
  await run(["disk", "create", disk, "--size", "auto", "--from", tree]);
  assert.ok(fs.statSync(disk).size < 32 * 2 ** 20);
  const again = await runHoldfast(["disk", "create", disk, "--size", "64MiB"]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /it is there already\nhint: .*--force/);
});

test("damage is told of, each problem on its line, with status 3", { skip: skipWithout("debugfs") }, async () => {
  await using folder = temporaryFolder();
  const disk = folder.join("disk");
  await run(["disk", "create", disk, "--size", "64MiB", "--table", "gpt", "--from", sampleTree(folder)]);
  runPeer("debugfs", ["-w", "-R", "clri /etc/deep/data", `${disk}?offset=1048576`]);
  const fd = fs.openSync(disk, "r+");
  fs.writeSync(fd, "damaged", fs.statSync(disk).size - 512); // the second GPT header
  fs.closeSync(fd);
  const { status, stdout, stderr } = await runHoldfast(["disk", "check", disk]);
  assert.equal(status, 3);
  assert.match(stdout, /table/);
  assert.match(stdout, /partition 1.*data/);
  assert.doesNotMatch(stdout + stderr, /at .*\.ts:\d+/);
  const repaired = await runHoldfast(["disk", "check", disk, "--repair-table"]);
  assert.match(repaired.stderr, /^repaired: /m);
  assert.doesNotMatch(repaired.stdout, /^table: (error|warning)/m);
  assert.equal(repaired.status, 3, "the file system is still damaged");
});

test("a file cut short is a clear failure of every verb", async () => {
  await using folder = temporaryFolder();
  const disk = folder.join("disk");
  await run(["disk", "create", disk, "--size", "64MiB", "--from", sampleTree(folder)]);
  for (const sizeBytes of [0, 100, 512, 1_000_000, 1_050_000, 3_000_000, 30_000_000]) {
    fs.truncateSync(disk, 64 * 2 ** 20);
    fs.truncateSync(disk, sizeBytes);
    for (const words of [
      ["ls", "-lR", `${disk}:/`],
      ["cat", `${disk}:/etc/hostname`],
      ["check", disk],
      ["show", disk],
    ]) {
      const { status, stderr } = await runHoldfast(["disk", ...words]);
      assert.ok(status !== null && [0, 1, 3].includes(status), `${words.join(" ")} at ${sizeBytes}: ${status}`);
      assert.doesNotMatch(stderr, /internal error|\.ts:\d+/);
    }
  }
});
