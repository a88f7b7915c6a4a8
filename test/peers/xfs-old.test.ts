/** XFS of version 4 and of forms that the kernel of this machine does not mount: made by mkfs.xfs, and by Debian's kernel. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { resolvePath } from "../../src/filesystem/index.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, type FileFacts } from "../filesystem/file-facts.ts";
import { makeXfs, problemsOf, usingXfs } from "../filesystem/xfs/xfs-image.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { factsByKernel, kernelPeers } from "./debian-kernel.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mkfs.xfs", "xfs_db", "xfs_repair", ...kernelPeers);

/** A tree as mkfs.xfs takes it: what kind each file is, its mode and owner, and what is in it. */
function prototype(folder: TemporaryFolder, options: string): string {
  fs.writeFileSync(folder.join("text"), "all work and no play\n".repeat(500));
  fs.writeFileSync(folder.join("noise"), noise(1, 300_000));
  const names = Array.from({ length: 300 }, (_, n) => `name-${n} ---644 ${n} 7 ${folder.join("text")}`);
  const path = folder.join("prototype");
  fs.writeFileSync(
    path,
    [
      "/dev/null",
      "0 0",
      "d--755 0 0",
      `noise -u-755 1000 100 ${folder.join("noise")}`,
      "tty c--620 0 5 4 64",
      "disk b--660 0 6 8 17",
      "pipe p--600 0 0",
      "short l--777 0 0 noise",
      // Where there are checksums, mkfs.xfs 6.1 forgets the header of a long target.
      ...(options.includes("crc=0") ? [`long l--777 0 0 ${"t".repeat(600)}`] : []),
      `some d--755 0 0\n${names.join("\n")}\n$`,
      "few d--700 1 2\nempty d--755 0 0\n$\n$",
      "$",
      "",
    ].join("\n"),
  );
  return path;
}

/** What Debian's kernel adds to it: a large directory, and a file in many pieces. */
const script = [
  "mkdir many && cd many && seq 1 1200 | sed s/^/a-name-somewhat-longer-/ | xargs touch",
  "seq 9 9 1200 | sed s/^/a-name-somewhat-longer-/ | xargs rm && cd ..",
  "for n in 0 2 4 6 8 10 12 14 16 18 20 22; do dd if=noise of=pieces bs=64k count=1 seek=$n 2> /dev/null; done",
].join(" && ");

const cases: readonly (readonly [options: string, isFolding?: true])[] = [
  ["-m crc=0 -n ftype=0 -l version=1"],
  ["-m crc=0 -b size=512 -n size=4096 -d agcount=3"],
  ["-m crc=0 -n version=ci -s size=4096 -i size=2048,attr=1", true],
];

test("XFS of version 4, and with names that fold case, is read as Debian's kernel reads it", { skip }, async () => {
  await using folder = temporaryFolder();
  const images = cases.map(([options], n) => {
    const image = folder.join(`image-${n}`);
    makeXfs(image, 64, `${options} -p ${prototype(folder, options)}`);
    return image;
  });
  const found = await factsByKernel(images.map((image) => ({ image, type: "xfs", script })));
  for (const [n, [options, isFolding]] of cases.entries()) {
    const image = images[n] ?? "";
    runPeer("xfs_repair", ["-n", image]);
    await usingXfs(image, async (fileSystem) => {
      assert.deepEqual(await problemsOf(fileSystem), [], options);
      assertSame(await factsOf(fileSystem), found[n]!, options);
      const many = await resolvePath(fileSystem, "/many");
      assert.notEqual(await fileSystem.find(many, "a-name-somewhat-longer-1"), undefined);
      assert.equal(await fileSystem.find(many, "a-name-somewhat-longer-9"), undefined);
      assert.equal((await fileSystem.find(many, "A-Name-Somewhat-Longer-1")) !== undefined, isFolding === true);
      assert.equal(fileSystem.info.foldsCase, isFolding);
    });
  }
});

function assertSame(ours: ReadonlyMap<string, FileFacts>, theirs: ReadonlyMap<string, FileFacts>, name: string): void {
  assert.deepEqual([...ours.keys()].toSorted(), [...theirs.keys()].toSorted(), name);
  for (const [path, facts] of theirs) {
    const one = ours.get(path);
    const modified = { seconds: one?.modified.seconds ?? 0, nanoseconds: 0 }; // a tar of busybox has no more
    assert.deepEqual({ ...one, modified }, facts, `${name}: ${path}`);
  }
}

for (const options of ["-m crc=0 -b size=1024", "-m crc=0", ""]) {
  test(`attributes that xfs_db sets are read: ${options}`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeXfs(image, 48, `${options} -p ${prototype(folder, options)}`);
    const commands: string[] = ["path /noise"];
    for (let n = 1; n <= 60; n++) commands.push(`attr_set -u -v ${n * 17} number-${n}`);
    commands.push("attr_set -r -v 12 root", "attr_set -s -v 3000 secure", "path /short", "attr_set -r -v 5 of-a-link");
    runPeer("xfs_db", ["-x", ...commands.flatMap((command) => ["-c", command]), image]);
    await usingXfs(image, async (fileSystem) => {
      assert.deepEqual(await problemsOf(fileSystem), []);
      const facts = await factsOf(fileSystem);
      const { xattrs = {} } = facts.get("noise") ?? {};
      assert.equal(Object.keys(xattrs).length, 62);
      for (let n = 1; n <= 60; n++) assert.equal(xattrs[`user.number-${n}`]?.length, n * 34, `number-${n}`);
      assert.deepEqual([xattrs["trusted.root"]?.length, xattrs["security.secure"]?.length], [24, 6000]);
      assert.equal(facts.get("short")?.xattrs["trusted.of-a-link"]?.length, 10);
    });
  });
}
