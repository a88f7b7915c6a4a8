/** UDF by genisoimage and mkudffs: read with what went in, and named as blkid names it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileReader, MemoryDevice } from "../../src/device/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { sampleUdf } from "../filesystem/udf/sample-udf.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

function makeTree(root: string): void {
  fs.mkdirSync(`${root}/a/b/c/d/e`, { recursive: true });
  fs.writeFileSync(`${root}/a/b/c/d/e/deep`, "deep\n");
  fs.mkdirSync(`${root}/many`);
  for (let n = 0; n < 300; n++) fs.writeFileSync(`${root}/many/some file with a long name ${n}`, `${n}\n`.repeat(n));
  fs.writeFileSync(`${root}/numbers`, Array.from({ length: 300_000 }, (_, n) => `${n}\n`).join(""));
  fs.writeFileSync(`${root}/nothing`, "");
  fs.writeFileSync(`${root}/grüße ☃`, "greetings\n");
  fs.utimesSync(`${root}/numbers`, 946_684_799, 946_684_799);
}

function comparable(facts: ReadonlyMap<string, FileFacts>): Record<string, unknown> {
  return Object.fromEntries(
    [...facts].map(([path, { kind, sizeBytes, hash, modified }]) => {
      return [path, { kind, sizeBytes, hash, time: kind === "file" ? modified.seconds : undefined }];
    }),
  );
}

function blkidUuid(image: string): string {
  return runPeer("blkid", ["-p", "-o", "value", "-s", "UUID", image]).trim();
}

test(
  "a disc with both is read as UDF, unless it has Rock Ridge",
  { skip: skipWithout("genisoimage", "blkid") },
  async () => {
    await using folder = temporaryFolder();
    const [tree, image] = [folder.join("tree"), folder.join("image")];
    makeTree(tree);
    const wanted = comparable(factsOfFolder(tree));
    for (const [kind, options] of [
      ["udf", []],
      ["udf", ["-J"]],
      ["iso9660", ["-R"]],
      ["iso9660", ["-R", "-J"]],
    ] as const) {
      runPeer("genisoimage", ["-quiet", "-udf", "-V", "VOLUME", ...options, "-o", image, tree]);
      await using reader = await FileReader.open(image);
      await using fileSystem = await openFileSystem(reader);
      const what = `${kind} ${options.join(" ")}`;
      assert.equal(fileSystem.info.kind, kind, what);
      assert.equal(fileSystem.info.label, "VOLUME");
      if (kind === "udf") assert.equal(fileSystem.info.uuid, blkidUuid(image));
      const found = comparable(await factsOf(fileSystem));
      assert.deepEqual(Object.keys(found).toSorted(), Object.keys(wanted).toSorted(), what);
      for (const [path, facts] of Object.entries(wanted)) assert.deepEqual(found[path], facts, `${what}: ${path}`);
      for await (const { severity, message } of fileSystem.check()) assert.notEqual(severity, "error", message);
    }
  },
);

/** With what each medium makes mkudffs write. */
const media: readonly (readonly [options: string, features: readonly string[]])[] = [
  ["--media-type=hd --udfrev=1.02", ["udf 1.02"]],
  ["--media-type=hd --blocksize=512 --udfrev=2.01", ["udf 2.01"]],
  ["--media-type=hd --blocksize=4096 --udfrev=2.01 --noefe --ad=long", ["udf 2.01"]],
  ["--media-type=cdrw --udfrev=1.50", ["udf 1.50", "sparable"]],
  ["--media-type=dvdrw --udfrev=2.01", ["udf 2.01", "sparable"]],
  ["--media-type=cdr --udfrev=1.50", ["udf 1.50", "virtual"]],
  ["--media-type=cdr --udfrev=2.01 --closed", ["udf 2.01", "virtual"]],
  ["--media-type=bdr --udfrev=2.60", ["udf 2.60", "virtual"]],
];

for (const [options, features] of media) {
  test(`opens what mkudffs makes with ${options}`, { skip: skipWithout("mkudffs", "blkid") }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    fs.writeFileSync(image, "");
    fs.truncateSync(image, 40 * 1024 * 1024);
    runPeer("mkudffs", ["--utf8", ...options.split(" "), "--label=Läbel ☃", "--mode=0751", "--uid=12", image]);
    await using reader = await FileReader.open(image);
    await using fileSystem = await openFileSystem(reader);
    const { info } = fileSystem;
    assert.deepEqual(
      { label: info.label, features: info.features, notes: info.notes },
      { label: "Läbel ☃", features, notes: [] },
    );
    assert.equal(info.uuid, blkidUuid(image));
    const root = await fileSystem.stat(fileSystem.rootId);
    assert.deepEqual({ kind: root.kind, mode: root.mode, uid: root.uid }, { kind: "directory", mode: 0o751, uid: 12 });
    for await (const items of fileSystem.list(fileSystem.rootId)) {
      assert.ok(items.every(({ name }) => name === "Non-Allocatable Space"));
    }
    for await (const { message } of fileSystem.check()) assert.fail(message);
    let usedBytes = 0;
    for await (const { lengthBytes } of fileSystem.usedExtents()) usedBytes += lengthBytes;
    const isRewritable = !features.includes("virtual");
    if (isRewritable) assert.equal(usedBytes, info.sizeBytes - info.freeBytes);
  });
}

test("GRUB reads an image that was made to order as we do", { skip: skipWithout("grub-fstest") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  fs.writeFileSync(image, sampleUdf().bytes);
  await using fileSystem = await openFileSystem(new MemoryDevice(sampleUdf().bytes));
  const facts = await factsOf(fileSystem);
  for (const path of ["in entry", "hard", "☃"]) {
    const content = runPeer("grub-fstest", [image, "cat", `/${path}`]);
    assert.equal(facts.get(path)?.hash, createHash("sha256").update(content).digest("hex"), path);
  }
});
