/** exFAT by this program as exfatprogs and exfat-fuse see it, and theirs as this program does. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileDevice, FileReader, MappedReader, OverlayDevice } from "../../src/device/index.ts";
import { makeExfat } from "../../src/filesystem/exfat/index.ts";
import { editFileSystem, openFileSystem, widenExfat, type FileSystemInfo } from "../../src/filesystem/index.ts";
import { FolderSource } from "../../src/tree/index.ts";
import { skipWithoutMount } from "../filesystem/ext/mounted.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { Dice, fingerprint } from "../filesystem/random-edits.ts";
import { assertAsBlkid, fillWithFiles, makeBlank, numberAfter } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";
import {
  directoryOf,
  fileOf,
  Model,
  randomChange,
  treeOfFolder,
  treeOfImage,
  type Mirror,
  type Tree,
} from "./random-changes.ts";
import { skipServed, whileAttached, whileServed } from "./served.ts";

const skip = skipWithout("mkfs.exfat", "fsck.exfat", "dump.exfat", "blkid", "losetup");
const skipMounted = skipServed || skip || skipWithout("mount.exfat-fuse");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const mib = 2 ** 20;

/** Throws, with what it said, unless the file system is in order. */
function fsck(image: string): void {
  runPeer("fsck.exfat", ["-n", image]);
}

/** What `work` makes of the files of an image, mounted by exfat-fuse. */
async function mounted(image: string, mountPoint: string, work: (root: string) => Promise<void> | void): Promise<void> {
  await whileAttached(image, [], (device) =>
    whileServed("mount.exfat-fuse", device, mountPoint, () => work(mountPoint)),
  );
}

async function infoOf(image: string): Promise<FileSystemInfo> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  return fileSystem.info;
}

/** Compares what this program says of a file system with what blkid and dump.exfat do. */
async function assertAlike(image: string, label: string): Promise<void> {
  const info = await infoOf(image);
  assertAsBlkid({ ...info, usedBytes: undefined, problems: [] }, image);
  const said = runPeer("dump.exfat", [image]);
  assert.equal(info.label, label);
  assert.equal(
    info.sizeBytes,
    numberAfter(said, "Volume Length(sectors)") * 2 ** numberAfter(said, "Sector Size Bits"),
  );
  assert.equal(info.blockSizeBytes, numberAfter(said, "Cluster size"));
  assert.equal(info.freeBytes, numberAfter(said, "Free Clusters") * info.blockSizeBytes);
}

for (const [sizeMiB, options, label] of [
  [16, ["-c", "512"], "Läbel ☃"],
  [64, [], ""],
  [300, ["-c", "128K"], "12345678901"],
  [64, ["-c", "4K", "--pack-bitmap"], "packed"],
] as const) {
  const what = `mkfs.exfat ${options.join(" ")} of ${sizeMiB} MiB`;
  test(
    `${what}: what exfat-fuse wrote reads the same here, and changes here the same there`,
    { skip: skipMounted },
    async () => {
      await using folder = temporaryFolder();
      const [image, root] = [folder.join("image"), folder.join("mounted")];
      makeBlank(image, sizeMiB);
      runPeer("mkfs.exfat", [...options, ...(label === "" ? [] : ["-L", label]), image]);
      await assertAlike(image, label);
      let wanted: Tree = [];
      await mounted(image, root, () => {
        fillWithFiles(root);
        fs.writeFileSync(path.join(root, "日本語 und 😀.txt"), "beyond Latin");
        wanted = treeOfFolder(root);
      });
      await assertAlike(image, label);
      assert.deepEqual(await treeOfImage(image), wanted);

      await using device = await FileDevice.open(image);
      await using fileSystem = await editFileSystem(device, { now });
      const { rootId } = fileSystem;
      await fileSystem.rename({ directory: rootId, name: "LARGE" }, { directory: rootId, name: "Größer" });
      const some = (await fileSystem.find(rootId, "some"))!;
      for (let n = 1; n < 150; n += 2) {
        if (n % 3 !== 0) await fileSystem.remove({ directory: some, name: `${n}` });
      }
      const fresh = await fileSystem.create({ directory: rootId, name: "neu" }, directoryOf());
      for (let n = 0; n < 200; n++) {
        await fileSystem.create({ directory: fresh, name: `file number ${n}` }, fileOf(Buffer.from(`${n}`)));
      }
      await fileSystem.rename({ directory: some, name: "depth" }, { directory: fresh, name: "Depth" });
      await fileSystem.commit();
      fsck(image);
      const ours = await treeOfImage(image);
      await assertAlike(image, label);
      await mounted(image, root, () => assert.deepEqual(treeOfFolder(root), ours));
      assert.ok(
        ours.some((line) => line.startsWith("neu/Depth/file ")) && !ours.some((line) => line.startsWith("large ")),
      );
    },
  );
}

test("sectors of 4096 bytes are read and changed", { skip: skipWithoutMount() || skip }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeBlank(image, 40);
  await whileAttached(image, ["--sector-size", "4096"], (device) => {
    runPeer("mkfs.exfat", ["-L", "large", device]);
  });
  await assertAlike(image, "large");
  await using device = await FileDevice.open(image);
  await using fileSystem = await editFileSystem(device, { now });
  for (let n = 0; n < 200; n++) {
    await fileSystem.create({ directory: fileSystem.rootId, name: `file ${n}` }, fileOf(Buffer.alloc(n * 50, "x")));
  }
  await fileSystem.commit();
  await whileAttached(image, ["--sector-size", "4096"], (attached) => fsck(attached));
  assert.equal((await treeOfImage(image)).length, 200);
});

for (const sizeBytes of [mib, 7 * mib + 512, 300 * mib, 5000 * mib, 40 * 2 ** 30, 2 ** 42]) {
  test(`exFAT of ${sizeBytes} bytes made here is in order for exfatprogs`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    const file = fs.openSync(image, "w+");
    {
      await using device = FileDevice.overNewFile(image, file, sizeBytes);
      const options = { kind: "exfat", label: "Größe", uuid: "c0ffee00-1111-4222-8333-444455556666", now } as const;
      await makeExfat(device, [], { ...options, place: { startLba: 2048 } });
    }
    fs.closeSync(file);
    fsck(image);
    await assertAlike(image, "Größe");
    assert.equal((await infoOf(image)).uuid, "C0FF-EE00");
    assert.deepEqual(await treeOfImage(image), []);
    assert.ok(fs.statSync(image).blocks * 512 < 16 * mib, "what is empty takes little room");
  });
}

test(
  "what is filled here in one pass is the same to exfat-fuse, which writes on in it",
  { skip: skipMounted },
  async () => {
    await using folder = temporaryFolder();
    const [image, tree, root] = [folder.join("image"), folder.join("tree"), folder.join("mounted")];
    fillWithFiles(tree);
    fs.mkdirSync(path.join(tree, "many"));
    for (let n = 0; n < 800; n++) fs.writeFileSync(path.join(tree, `many/a name that is rather long ${n}`), `${n}`);
    const sparse = fs.openSync(path.join(tree, "sparse"), "w");
    fs.writeSync(sparse, "end", 20 * mib);
    fs.ftruncateSync(sparse, 30 * mib);
    fs.closeSync(sparse);
    const file = fs.openSync(image, "w+");
    {
      await using device = FileDevice.overNewFile(image, file, 100 * mib);
      await using source = await FolderSource.open(tree);
      const options = { kind: "exfat", uuid: "1234-ABCD", now } as const;
      assert.deepEqual((await makeExfat(device, [source], options)).warnings, []);
    }
    fs.closeSync(file);
    fsck(image);
    const wanted = treeOfFolder(tree);
    assert.deepEqual(await treeOfImage(image), wanted);
    assert.ok(fs.statSync(image).blocks * 512 < 20 * mib, "holes stay holes");
    await mounted(image, root, () => {
      assert.deepEqual(treeOfFolder(root), wanted);
      for (const place of [root, tree]) {
        fs.appendFileSync(path.join(place, "large"), "x".repeat(100_000));
        fs.rmSync(path.join(place, "some/1"));
        for (let n = 0; n < 100; n++) fs.writeFileSync(path.join(place, `many/new ${n}`), `${n}`);
        fs.renameSync(path.join(place, "many"), path.join(place, "some/depth/Many"));
      }
    });
    fsck(image);
    assert.deepEqual(await treeOfImage(image), treeOfFolder(tree));
  },
);

/** The same changes in a folder. */
class MountedFolder implements Mirror {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  put(name: string, bytes: Uint8Array): void {
    fs.writeFileSync(path.join(this.#root, name), bytes);
  }

  makeDirectory(name: string): void {
    fs.mkdirSync(path.join(this.#root, name));
  }

  remove(name: string): void {
    fs.rmSync(path.join(this.#root, name));
  }

  removeDirectory(name: string): void {
    fs.rmdirSync(path.join(this.#root, name));
  }

  move(from: string, to: string): void {
    fs.renameSync(path.join(this.#root, from), path.join(this.#root, to));
  }
}

for (const [sizeMiB, clusterSizeBytes, changes] of [
  [32, 512, 800],
  [64, 4096, 800],
] as const) {
  test(
    `clusters of ${clusterSizeBytes}: random changes come to what exfat-fuse makes of them`,
    { skip: skipMounted },
    async () => {
      await using folder = temporaryFolder();
      const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
      const dice = new Dice(seed);
      const [ours, theirs, root] = [folder.join("ours"), folder.join("theirs"), folder.join("mounted")];
      makeBlank(ours, sizeMiB);
      await using device = await FileDevice.open(ours);
      await makeExfat(device, [], { kind: "exfat", clusterSizeBytes, uuid: "1234-5678", now });
      fs.copyFileSync(ours, theirs);
      const model = new Model();
      await mounted(theirs, root, async () => {
        const mirror = new MountedFolder(root);
        for (let done = 0; done < changes; done += 100) {
          await using fileSystem = await editFileSystem(device, { now });
          for (let n = 0; n < 100;) {
            let isDone = false;
            try {
              isDone = await randomChange(dice, model, fileSystem, mirror);
            } catch (error) {
              throw new Error(`seed ${seed}, change ${done + n}`, { cause: error });
            }
            if (isDone && ++n % 20 === 0) await fileSystem.commit();
          }
          fsck(ours);
        }
      });
      assert.ok(model.tree.length > 40, "there is something to compare");
      assert.deepEqual(await treeOfImage(ours), model.tree, `seed ${seed}`);
      assert.deepEqual(await treeOfImage(theirs), model.tree, `seed ${seed}`);
      await mounted(ours, root, () => assert.deepEqual(treeOfFolder(root), model.tree, `seed ${seed}`));
    },
  );
}

for (const [sizeBytes, clusterBytes, widerBytes] of [
  [2 * mib, 512, 40 * mib],
  [8 * mib, 4096, 9 * mib + 512],
  [8 * mib, 32_768, 64 * 2 ** 30],
  [300 * mib, 4096, 3 * 2 ** 30],
] as const) {
  test(`from ${sizeBytes} to ${widerBytes} bytes: a wider file system has the same files`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    const small = await sampleExfat(sizeBytes, clusterBytes);
    const wide = (await widenExfat(small, widerBytes))!;
    const overlay = new OverlayDevice(new MappedReader(small, widerBytes, wide.stretches));
    for (const { at, bytes } of wide.patches) await overlay.write(at, bytes);
    fs.writeFileSync(image, "");
    fs.truncateSync(image, widerBytes);
    await using before = await openFileSystem(small);
    await using after = await openFileSystem(overlay);
    assert.ok(after.info.sizeBytes > widerBytes - 2 * clusterBytes - 512 && after.info.sizeBytes <= widerBytes);
    assert.ok(after.info.freeBytes > before.info.freeBytes);
    assert.equal(after.info.uuid, before.info.uuid);
    {
      await using file = await FileDevice.open(image);
      for await (const { startBytes, lengthBytes } of after.usedExtents()) {
        for (let at = startBytes; at < startBytes + lengthBytes; at += mib) {
          const bytes = new Uint8Array(Math.min(mib, startBytes + lengthBytes - at));
          await overlay.read(at, bytes);
          if (bytes.some((byte) => byte !== 0)) await file.write(at, bytes);
        }
      }
    }
    fsck(image);
    assert.equal(await fingerprint(after), await fingerprint(before));
    assert.ok((await treeOfImage(image)).length > 60);
    assert.equal(await widenExfat(small, sizeBytes), undefined, "no larger");
  });
}

test("the command line makes, fills, shows, reads, changes and checks exFAT", { skip }, async () => {
  await using folder = temporaryFolder();
  const [image, tree, part] = [folder.join("disk.img"), folder.join("tree"), folder.join("part")];
  fillWithFiles(tree);
  const done = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr, status } = await runHoldfast(["disk", ...words]);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const spec = `size=rest,fs=exfat,label=Stick,uuid=CAFE-0123,block=8192,from=${tree}`;
  await done("create", image, "--size", "40MiB", "--partition", spec);
  assert.match(await done("show", image), /^1 .* exfat +Stick +\S+ MiB +\S+ MiB +CAFE-0123$/m);
  assert.match(runPeer("sfdisk", ["-d", image]), /type=7\n/);
  assert.equal(await done("cat", `${image}:/SOME/DEPTH/FILE`), await done("cat", `${image}:/some/depth/file`));
  await done("put", path.join(tree, "large"), `${image}:/some/another`);
  await done("mv", `${image}:/large`, `${image}:/Some/depth/moved`);
  await done("rm", "-r", `${image}:/some/depth/file`);
  await done("check", image);
  const names = (await done("ls", "-R", image)).split("\n");
  assert.ok(names.some((name) => name.endsWith("moved")) && names.some((name) => name.endsWith("another")));
  runPeer("dd", [`if=${image}`, `of=${part}`, "bs=1M", "skip=1"]);
  fsck(part);
  const refused = await runHoldfast([
    "disk",
    "create",
    folder.join("other"),
    "--size",
    "40MiB",
    "--partition",
    "fs=exfat,label=longer than eleven",
  ]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /cannot use the label "longer than eleven" on exFAT: a label has at most 11 characters/);
});
