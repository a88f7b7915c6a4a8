/** What a Debian kernel finds in images, and what it does to them: the same as this program. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileReader, MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, openFileSystem } from "../../src/filesystem/index.ts";
import { CrashDevice } from "../fault/crash-device.ts";
import { sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { emptyFat, sampleFat } from "../filesystem/fat/sample-fat.ts";
import { factsOf, type FileFacts } from "../filesystem/file-facts.ts";
import { Dice, fingerprint, randomEdit, applyRandomEdit } from "../filesystem/random-edits.ts";
import { temporaryFolder } from "../temp.ts";
import { factsByKernel, kernelPeers, type MountedImage } from "./debian-kernel.ts";
import { combinationsOf, grubBoot, isoPrograms, makeTree } from "./iso-makers.ts";
import { runPeer, skipWithout } from "./peer.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };

async function ownFacts(image: string): Promise<ReadonlyMap<string, FileFacts>> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  return await factsOf(fileSystem);
}

/** What is compared everywhere: names, kinds, sizes and contents, and whatever is asked for besides. */
function comparable(
  facts: ReadonlyMap<string, FileFacts>,
  more: (one: FileFacts) => unknown = () => undefined,
): Record<string, unknown> {
  const entries = [...facts].filter(([path]) => path !== "" && path !== "lost+found");
  return Object.fromEntries(
    entries.map(([path, one]) => [path, [one.kind, one.sizeBytes, one.hash, one.linkTarget, more(one)]]),
  );
}

function assertSame(found: Record<string, unknown>, wanted: Record<string, unknown>, what: string): void {
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(wanted).toSorted(), what);
  for (const [path, facts] of Object.entries(wanted)) assert.deepEqual(found[path], facts, `${what}: ${path}`);
}

const fatKinds = [
  ["fat12", 2 ** 21, 1024],
  ["fat16", 5 * 2 ** 20, 1024],
  ["fat32", 34 * 2 ** 20, 512],
] as const;

/** What is changed in each file system, here and then by the kernel. */
const script = [
  "mkdir 'Neuer Ordner'",
  "cp A/N18.TXT 'Neuer Ordner/Kopie mit ☃ und 🐚.txt'",
  "rm 'A/Datei Nummer 19.ὕδωρ'",
  "mv A/N15.TXT 'Neuer Ordner/verschoben'",
  'for n in 1 2 3 4 5 6 7 8 9; do echo $n > "Neuer Ordner/file number $n"; done',
  "echo more >> big",
].join(" && ");

async function changeHere(device: MemoryDevice): Promise<void> {
  await using fileSystem = await editFileSystem(device, { now });
  const bytes = new Dice(1).bytes(200_000);
  const owner = { mode: 0o644, uid: 0, gid: 0, modified: now };
  const file = { kind: "file", ...owner, sizeBytes: bytes.length, content: [{ at: 0, bytes }] } as const;
  await fileSystem.create({ directory: fileSystem.rootId, name: "BIG" }, file);
  await fileSystem.create({ directory: fileSystem.rootId, name: "emoji 🐚 日本語" }, file);
  await fileSystem.rename({ directory: fileSystem.rootId, name: "BIG" }, { directory: fileSystem.rootId, name: "big" });
  await fileSystem.commit();
}

/** The kernel reads what this program made, and this program what the kernel changed. */
async function assertBothWays(images: readonly MountedImage[], fsck: string): Promise<void> {
  const modified = (one: FileFacts): unknown => (one.kind === "file" ? one.modified.seconds : undefined);
  for (const [n, facts] of (await factsByKernel(images)).entries()) {
    const { image } = images[n]!;
    assertSame(comparable(facts, modified), comparable(await ownFacts(image), modified), image);
  }
  const changed = images.map((image) => ({ ...image, script }));
  for (const [n, facts] of (await factsByKernel(changed)).entries()) {
    const { image } = images[n]!;
    runPeer(fsck, ["-n", image]);
    assert.ok(facts.has("Neuer Ordner/Kopie mit ☃ und 🐚.txt"));
    assertSame(comparable(facts, modified), comparable(await ownFacts(image), modified), image);
  }
}

test(
  "FAT made and changed here reads the same in the kernel, and what the kernel changes the same here",
  { skip: skipWithout("fsck.fat", ...kernelPeers) },
  async () => {
    await using folder = temporaryFolder();
    const images: MountedImage[] = [];
    for (const [kind, sizeBytes, clusterBytes] of fatKinds) {
      const device = await sampleFat(kind, sizeBytes, clusterBytes);
      await changeHere(device);
      const image = folder.join(kind);
      fs.writeFileSync(image, device.bytes);
      images.push({ image, type: "vfat", options: "utf8" });
    }
    await assertBothWays(images, "fsck.fat");
  },
);

test(
  "exFAT made and changed here reads the same in the kernel, and what the kernel changes the same here",
  { skip: skipWithout("fsck.exfat", ...kernelPeers) },
  async () => {
    await using folder = temporaryFolder();
    const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const images: MountedImage[] = [];
    for (const clusterBytes of [512, 4096, 32_768]) {
      const device = await sampleExfat(16 * 2 ** 20, clusterBytes);
      await changeHere(device);
      await using fileSystem = await editFileSystem(device, { now });
      const dice = new Dice(seed);
      for (let n = 0; n < 100; n++) {
        const edit = randomEdit(dice);
        if (!["link", "symlink", "chmod", "chown"].includes(edit.verb)) await applyRandomEdit(fileSystem, edit);
      }
      await fileSystem.commit();
      const image = folder.join(`seed-${seed}-clusters-of-${clusterBytes}`);
      fs.writeFileSync(image, device.bytes);
      runPeer("fsck.exfat", ["-n", image]);
      images.push({ image, type: "exfat" });
    }
    await assertBothWays(images, "fsck.exfat");
  },
);

test(
  "thousands of random changes leave FAT as the kernel reads it",
  { skip: skipWithout("fsck.fat", ...kernelPeers) },
  async () => {
    await using folder = temporaryFolder();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const images: MountedImage[] = [];
    for (const [kind, sizeBytes, clusterBytes] of fatKinds) {
      const dice = new Dice(seed);
      const device = await emptyFat(
        kind,
        sizeBytes * (kind === "fat32" ? 1 : 3),
        clusterBytes * (kind === "fat12" ? 2 : 1),
      );
      for (let done = 0; done < 400; done += 20) {
        await using fileSystem = await editFileSystem(device, { now });
        for (let n = 0; n < 20; n++) {
          const edit = randomEdit(dice);
          if (!["link", "symlink", "chmod", "chown"].includes(edit.verb)) await applyRandomEdit(fileSystem, edit);
        }
        await fileSystem.commit();
      }
      const image = folder.join(kind);
      fs.writeFileSync(image, device.bytes);
      runPeer("fsck.fat", ["-n", image]);
      images.push({ image, type: "vfat", options: "utf8" });
    }
    for (const [n, facts] of (await factsByKernel(images)).entries()) {
      const { image } = images[n]!;
      assertSame(comparable(facts), comparable(await ownFacts(image)), `seed ${seed}, ${image}`);
    }
  },
);

for (const program of isoPrograms) {
  const skip = skipWithout(program, "xorriso", "bsdtar", grubBoot, ...kernelPeers);
  test(`ISO images by ${program}, with every pair of its options, read the same in the kernel`, { skip }, async () => {
    await using folder = temporaryFolder();
    const tree = folder.join("tree");
    makeTree(tree);
    const images = combinationsOf(program).map(({ words, make }, n) => {
      const image = folder.join(`image-${n}`);
      make(image, tree);
      return { image, type: "iso9660", words } as const;
    });
    for (const [n, facts] of (await factsByKernel(images)).entries()) {
      const { image, words } = images[n]!;
      const what = `${program} ${words.join(" ")}`;
      await using reader = await FileReader.open(image);
      await using fileSystem = await openFileSystem(reader);
      if (fileSystem.info.features.includes("iso 9660:1999")) {
        assert.deepEqual(contents(facts), contents(await factsOf(fileSystem)), what); // the kernel does not know its names
      } else {
        const isUnix = fileSystem.info.features.includes("rock ridge");
        const more = (one: FileFacts): unknown =>
          isUnix && one.kind === "file" ? [one.mode, one.uid, one.modified.seconds] : undefined;
        assertSame(
          withoutMoved(comparable(facts, more)),
          withoutMoved(comparable(await factsOf(fileSystem), more)),
          what,
        );
      }
    }
  });
}

/** Contents of files, whatever their names. */
function contents(facts: ReadonlyMap<string, FileFacts>): readonly string[] {
  return [...facts.values()]
    .filter(({ kind }) => kind === "file")
    .map(({ hash }) => hash)
    .toSorted();
}

/** Without the directory in which deep ones are kept. */
function withoutMoved(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([path]) => !/^\.?rr_moved/i.test(path)));
}

test("UDF reads the same in the kernel", { skip: skipWithout("genisoimage", ...kernelPeers) }, async () => {
  await using folder = temporaryFolder();
  const [tree, image] = [folder.join("tree"), folder.join("image")];
  makeTree(tree);
  runPeer("genisoimage", ["-quiet", "-udf", "-D", "-o", image, tree]);
  const [facts] = await factsByKernel([{ image, type: "udf" }]);
  assertSame(comparable(facts!), comparable(await ownFacts(image)), "genisoimage -udf");
});

test(
  "the kernel replays what an interrupted change left in the journal of ext4: it is before or after",
  { skip: skipWithout("mke2fs", ...kernelPeers) },
  async () => {
    await using folder = temporaryFolder();
    const made = folder.join("made");
    runPeer("mke2fs", ["-q", "-F", "-t", "ext4", "-J", "size=4", made, "16M"]);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const dice = new Dice(seed);
    const device = new CrashDevice(fs.readFileSync(made));
    const before = await treeIn(device.bytes);
    {
      await using fileSystem = await editFileSystem(device, { now });
      for (let n = 0; n < 30; n++) await applyRandomEdit(fileSystem, randomEdit(dice));
      await fileSystem.commit();
    }
    const after = await treeIn(device.bytes);
    const images: MountedImage[] = [];
    for (let count = 1; count <= device.writeCount && images.length < 20; count++) {
      const image = folder.join(`state-${count}`);
      fs.writeFileSync(image, device.after(count).bytes);
      images.push({ image, type: "ext4", script: "true" });
    }
    await factsByKernel(images);
    for (const { image } of images) {
      const tree = await treeIn(fs.readFileSync(image));
      assert.ok(tree === before || tree === after, `seed ${seed}, ${image}`);
    }
  },
);

async function treeIn(bytes: Uint8Array): Promise<string> {
  await using fileSystem = await openFileSystem(new MemoryDevice(bytes));
  return await fingerprint(fileSystem);
}
