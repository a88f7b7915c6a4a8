import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { restoreBackup } from "../../src/backup/index.ts";
import { save } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const mib = 2 ** 20;
const { env } = process;
const needs = { skip: skipWithout("sfdisk", "sgdisk", "parted", "mke2fs", "mkfs.fat", "mkswap", "blkid") };

function emptyImage(path: string, sizeBytes: number): string {
  fs.writeFileSync(path, "");
  fs.truncateSync(path, sizeBytes);
  return path;
}

function bytesOf(file: string, at: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  const fd = fs.openSync(file, "r");
  fs.readSync(fd, bytes, 0, lengthBytes, at);
  fs.closeSync(fd);
  return bytes;
}

/** What sfdisk prints of an image, as if it were a disk called sda. */
function dumpOf(image: string): string {
  const text = runPeer("sfdisk", ["-d", image]);
  return text.replaceAll(new RegExp(`${image}p?(?=\\d)`, "g"), "/dev/sda").replaceAll(image, "/dev/sda");
}

function partedOf(image: string, unit: readonly string[]): string {
  return runPeer("parted", ["-s", image, ...unit, "print"]).replaceAll(image, "/dev/sda");
}

const tables: readonly (readonly [string, string])[] = [
  [
    "an MBR of primaries with a gap",
    "label: dos\nlabel-id: 0xc0ffee01\n1: size=10M,type=c,bootable\n3: size=20M,type=83\n",
  ],
  [
    "an extended partition between primaries",
    "label: dos\n,10M,c,*\n,60M,5\n,10M,83\n,10M,82\n,20M,83\n,10M,8e\n,,fd\n",
  ],
  ["an extended partition that is empty", "label: dos\n,10M,83\n,60M,f\n"],
  ["partitions from sector 63", "label: dos\nstart=63,size=16002,type=83,bootable\nstart=16065,size=160650,type=83\n"],
  [
    "a GPT",
    'label: gpt\n1: size=10M,type=U\n3: size=20M,type=L,name="root"\n,20M,S\n,20M,EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n',
  ],
  ["a GPT of 256 entries", 'label: gpt\ntable-length: 256\n,10M,U\ntype=L,attrs="RequiredPartition GUID:63,60"\n'],
  ["an empty GPT", "label: gpt\n"],
];

for (const [what, script] of tables) {
  test(`${what} is told as sfdisk and parted tell it, and restored the same`, needs, async () => {
    await using folder = temporaryFolder();
    const image = emptyImage(folder.join("disk.img"), 200 * mib);
    runPeer("sfdisk", ["-q", image], { input: script });
    const { path } = await save(image, folder.path);
    const read = (name: string): string => fs.readFileSync(`${path}/${name}`, "utf8");
    assert.equal(read("sda-pt.sf"), dumpOf(image));
    assert.equal(read("sda-pt.parted"), partedOf(image, ["unit", "s"]));
    assert.equal(read("sda-pt.parted.compact"), partedOf(image, []));
    const restored = folder.join("back.img");
    await restoreBackup({ backup: path, target: restored, force: false, env });
    assert.equal(dumpOf(restored), dumpOf(image));
    assert.match(runPeer("sfdisk", ["-V", restored]), /No errors detected/);
    if (script.startsWith("label: gpt")) assert.match(runPeer("sgdisk", ["-v", restored]), /No problems found/);
    const [first, second] = [image, restored].map((file) => bytesOf(file, 0, 34 * 512));
    assert.ok(second?.subarray(446).equals(first!.subarray(446)), "the first sectors are the same");
  });
}

test("names and attributes that a shell would trip over come back", needs, async () => {
  await using folder = temporaryFolder();
  const image = emptyImage(folder.join("disk.img"), 100 * mib);
  const name = 'ESP — Größe $x "q" \\ `b` 😀';
  runPeer("sgdisk", ["-n", "1:0:+10M", "-t", "1:ef00", "-c", `1:${name}`, "-A", "1:set:63", "-A", "1:set:2", image]);
  const { path } = await save(image, folder.path);
  assert.equal(fs.readFileSync(`${path}/sda-pt.sf`, "utf8"), dumpOf(image));
  const restored = folder.join("back.img");
  await restoreBackup({ backup: path, target: restored, force: false, env });
  assert.deepEqual(bytesOf(restored, 0, mib), bytesOf(image, 0, mib));
});

test(
  "sfdisk makes the table from the dump, sgdisk from its own file, and both copies are there whole",
  needs,
  async () => {
    await using folder = temporaryFolder();
    const image = emptyImage(folder.join("disk.img"), 100 * mib);
    runPeer("sfdisk", ["-q", image], { input: "label: gpt\n,10M,U\n,20M,L\n,20M,S\n" });
    const { path } = await save(image, folder.path);
    const bySfdisk = emptyImage(folder.join("a.img"), 100 * mib);
    runPeer("sfdisk", ["--force", "--wipe", "always", bySfdisk], {
      input: fs.readFileSync(`${path}/sda-pt.sf`, "utf8"),
    });
    assert.equal(dumpOf(bySfdisk), dumpOf(image));
    const bySgdisk = emptyImage(folder.join("b.img"), 100 * mib);
    runPeer("sgdisk", ["-l", `${path}/sda-gpt.gdisk`, bySgdisk]);
    assert.equal(dumpOf(bySgdisk), dumpOf(image));
    const original = fs.readFileSync(image);
    assert.ok(fs.readFileSync(`${path}/sda-gpt-1st`).equals(original.subarray(0, 34 * 512)));
    assert.ok(fs.readFileSync(`${path}/sda-gpt-2nd`).equals(original.subarray(-33 * 512)));
  },
);

test("what blkid says of every partition is in the list, and of the restored disk the same", needs, async () => {
  await using folder = temporaryFolder();
  const image = emptyImage(folder.join("disk.img"), 100 * mib);
  runPeer("sfdisk", ["-q", image], { input: "label: gpt\n,32M,U\n,32M,L\n,16M,S\n" });
  const place = (making: string, offset: number, sizeBytes: number, words: readonly string[]): void => {
    const part = emptyImage(folder.join("part"), sizeBytes);
    runPeer(making, [...words, part]);
    const fd = fs.openSync(image, "r+");
    fs.writeSync(fd, fs.readFileSync(part), 0, sizeBytes, offset);
    fs.closeSync(fd);
  };
  place("mkfs.fat", mib, 32 * mib, ["-F", "16", "-n", "EFI"]);
  place("mke2fs", 33 * mib, 32 * mib, ["-q", "-t", "ext4", "-L", "root"]);
  place("mkswap", 65 * mib, 16 * mib, ["-L", "pages", "-U", "0a1b2c3d-0000-4000-8000-00000000abcd"]);
  const { path } = await save(image, folder.path);
  const restored = folder.join("back.img");
  await restoreBackup({ backup: path, target: restored, force: false, env });
  const listed = fs.readFileSync(`${path}/blkid.list`, "utf8").split("\n");
  for (const [n, offset] of [mib, 33 * mib, 65 * mib].entries()) {
    const words = ["-p", "-O", String(offset), "-o", "export", "-s", "TYPE", "-s", "UUID", "-s", "LABEL"];
    const told = runPeer("blkid", [...words, image])
      .split("\n")
      .filter((line) => /^(TYPE|UUID|LABEL)=/.test(line));
    assert.equal(told.length, 3);
    for (const line of told) {
      const [key, value] = line.split("=");
      assert.ok(listed[n]?.includes(`${key}="${value}"`), `${listed[n]} has ${line}`);
    }
    const again = runPeer("blkid", [...words, restored])
      .split("\n")
      .filter((line) => /^(TYPE|UUID|LABEL)=/.test(line));
    assert.deepEqual(again, told);
  }
  const [first, second] = [image, restored].map((file) => bytesOf(file, 65 * mib, 4096));
  assert.ok(first?.equals(second!), "swap is as mkswap made it");
});
