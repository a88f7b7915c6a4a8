/** FAT volumes made and filled by mtools are put onto devices of other sizes; dosfstools and mtools find all in them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { FileDevice, FileReader } from "../../src/device/index.ts";
import { openFileSystem, refitFat } from "../../src/filesystem/index.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("mkfs.fat", "fsck.fat", "mcopy", "mdir", "mdel", "mmd", "mattrib");
const mib = 2 ** 20;
const folder = temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

const env = { MTOOLS_SKIP_CHECK: "1" };

/** Files between the places of others that were deleted, some of them at the end of the volume. */
function fill(image: string, fileBytes: number, count: number): void {
  runPeer("mmd", ["-i", image, "::/inner", "::/inner/deep"], { env });
  const names = Array.from(
    { length: count },
    (_, n) => `${n % 3 === 0 ? "/inner/deep" : n % 3 === 1 ? "/inner" : ""}/a long name ${n}`,
  );
  const source = folder.join("source");
  for (const [n, name] of names.entries()) {
    fs.writeFileSync(
      source,
      createHash("sha512")
        .update(`${n}`)
        .digest("hex")
        .repeat(Math.ceil((fileBytes * (1 + (n % 5))) / 128)),
    );
    runPeer("mcopy", ["-i", image, source, `::${name}`], { env });
  }
  for (const name of names.slice(0, Math.floor(count * 0.7))) runPeer("mdel", ["-i", image, `::${name}`], { env });
  runPeer("mattrib", ["-i", image, "+h", "+s", `::${names.at(-1)}`], { env });
}

function factsOf(image: string): readonly string[] {
  const names = runPeer("mdir", ["-i", image, "-/", "-a", "-b", "::"], { env }).trim().split("\n");
  const contents = names
    .filter((name) => !name.endsWith("/"))
    .map(
      (name) =>
        `${name} ${createHash("sha256")
          .update(runPeer("mtype", ["-i", image, name], { env, encoding: "latin1" }))
          .digest("hex")}`,
    );
  const list = runPeer("mdir", ["-i", image, "-/", "-a", "::"], { env }).replace(/^.*bytes free.*$/gm, "");
  return [list, ...contents, ...names.map((name) => runPeer("mattrib", ["-i", image, name], { env }))];
}

async function usedEnd(image: string): Promise<number> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  let end = 0;
  for await (const { startBytes, lengthBytes } of fileSystem.usedExtents()) end = startBytes + lengthBytes;
  return end;
}

const cases = [
  { kind: "12", clusterSectors: "8", sizeBytes: 8 * mib, fileBytes: 40_000, count: 60, to: [5 * mib, 12 * mib] },
  { kind: "16", clusterSectors: "4", sizeBytes: 40 * mib, fileBytes: 150_000, count: 60, to: [25 * mib, 90 * mib] },
  { kind: "32", clusterSectors: "1", sizeBytes: 64 * mib, fileBytes: 250_000, count: 60, to: [42 * mib, 150 * mib] },
] as const;

for (const { kind, clusterSectors, sizeBytes, fileBytes, count, to } of cases) {
  test(`FAT${kind} becomes smaller and larger, and everything is in it`, { skip }, async () => {
    const image = folder.join("image");
    fs.writeFileSync(image, "");
    fs.truncateSync(image, sizeBytes);
    runPeer("mkfs.fat", [`-F${kind}`, "-n", "SOME LABEL", "-h", "63", "-s", clusterSectors, image]);
    fill(image, fileBytes, count);
    runPeer("fsck.fat", ["-n", image]);
    assert.ok((await usedEnd(image)) > to[0], "some of it has to be moved");
    for (const size of to) {
      const target = folder.join("target");
      fs.writeFileSync(target, Buffer.alloc(size, "what was here before "));
      {
        await using source = await FileReader.open(image);
        await using device = await FileDevice.open(target);
        assert.equal(await refitFat(source, device, { startLba: 2048 }), true);
      }
      runPeer("fsck.fat", ["-n", target]);
      assert.deepEqual(factsOf(target), factsOf(image));
      assert.match(runPeer("mdir", ["-i", target, "::"], { env }), /is SOME LABEL/);
      const [before, now] = [fs.readFileSync(image), fs.readFileSync(target)];
      assert.ok(now.subarray(0x3e + 28, 510).equals(before.subarray(0x3e + 28, 510)), "the boot code is the same");
      assert.equal(now.readUInt32LE(0x1c), 2048);
    }
  });
}

test("a FAT that would have to be of another kind is left alone", { skip }, async () => {
  const image = folder.join("small");
  fs.writeFileSync(image, "");
  fs.truncateSync(image, 40 * mib);
  runPeer("mkfs.fat", ["-F32", image]);
  const target = folder.join("untouched");
  fs.writeFileSync(target, Buffer.alloc(20 * mib));
  await using source = await FileReader.open(image);
  await using device = await FileDevice.open(target);
  assert.equal(await refitFat(source, device, { startLba: 0 }), false);
  assert.ok(fs.readFileSync(target).every((byte) => byte === 0));
});
