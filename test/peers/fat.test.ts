/** FAT by this program as `fsck.fat` and mtools see it, and theirs as this program does. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileDevice } from "../../src/device/index.ts";
import { makeFat, type FatOptions } from "../../src/filesystem/fat/index.ts";
import { readLayout } from "../../src/filesystem/fat/open.ts";
import { encodeEntries, readEntries } from "../../src/filesystem/fat/table.ts";
import { editFileSystem } from "../../src/filesystem/index.ts";
import { Dice } from "../filesystem/random-edits.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";
import {
  directoryOf,
  fileOf,
  inLowerCase,
  Model,
  randomChange,
  treeOfFolder,
  treeOfImage,
  type Mirror,
  type Tree,
} from "./random-changes.ts";

const skip = skipWithout("mkfs.fat", "fsck.fat", "mcopy", "mmd", "mdel", "mrd", "mmove", "mdir");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const editsInAll = 10_000;

/** What mtools copies out of an image. */
function mtoolsTree(image: string, folder: TemporaryFolder): Tree {
  const out = folder.join("out");
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out);
  if (runPeer("mdir", ["-b", "-i", image, "::/"]).trim() !== "")
    runPeer("mcopy", ["-s", "-n", "-i", image, "::*", out]);
  return treeOfFolder(out);
}

/** Marks the last clusters of FAT12 bad: mtools takes a file that goes on in one of the last two for damage. */
async function markLastBad(device: FileDevice): Promise<void> {
  const layout = await readLayout(device);
  const entries = await readEntries(device, layout, 0, layout.clusterCount + 2);
  entries.fill(0xff7, -4);
  const bytes = encodeEntries(layout.kind, entries);
  for (let table = 0; table < layout.tableCount; table++) {
    await device.write(layout.tableAt + table * layout.tableBytes, bytes);
  }
}

/** Throws, with what it said, unless the file system is in order. */
function fsck(image: string): void {
  runPeer("fsck.fat", ["-n", image]);
}

const kinds = [
  { kind: "fat12", size: 3, options: ["-F", "12"] },
  { kind: "fat16", size: 24, options: ["-F", "16"] },
  { kind: "fat32", size: 48, options: ["-F", "32", "-s", "1"] },
  { kind: "fat32", size: 300, options: ["-F", "32", "-s", "8", "-S", "512", "-f", "1"] },
  { kind: "fat16", size: 64, options: ["-F", "16", "-S", "2048"] },
] as const;

// No character beyond 16 bits: mtools writes only the lower half of them.
const content = {
  "README.TXT": "plain",
  "lower.txt": "all lower case",
  "Mixed Case and spaces.text": "long",
  "пароли и ελληνικά.txt": "beyond ASCII",
  "日本語のファイル名.data": "beyond Latin, Greek and Cyrillic",
  "deep/er/and/deep/er/file": "deep",
  big: "x".repeat(700_000),
  empty: "",
} as const;

function writeTree(root: string): void {
  for (const [name, text] of Object.entries(content)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
}

for (const { kind, size, options } of kinds) {
  test(
    `${kind} ${options.join(" ")}: what mtools wrote reads the same here, and changes here are in order`,
    { skip },
    async () => {
      await using folder = temporaryFolder();
      const [image, tree] = [folder.join("image"), folder.join("tree")];
      writeTree(tree);
      runPeer("mkfs.fat", [...options, "-n", "Label", "-C", image, String(size * 1024)]);
      runPeer("mcopy", ["-s", "-i", image, ...fs.readdirSync(tree).map((name) => path.join(tree, name)), "::/"]);
      assert.deepEqual(await treeOfImage(image), treeOfFolder(tree));
      await using device = await FileDevice.open(image);
      await using fileSystem = await editFileSystem(device, { now });
      assert.equal(fileSystem.info.kind, kind);
      assert.equal(fileSystem.info.label, "Label");
      const root = fileSystem.rootId;
      await fileSystem.rename({ directory: root, name: "BIG" }, { directory: root, name: "Größer.bin" });
      await fileSystem.remove({ directory: root, name: "lower.txt" });
      const directory = await fileSystem.create({ directory: root, name: "neu" }, directoryOf());
      for (let n = 0; n < 300; n++)
        await fileSystem.create({ directory, name: `file number ${n}` }, fileOf(Buffer.from(`${n}`)));
      await fileSystem.rename({ directory: root, name: "deep" }, { directory, name: "Deep" });
      await fileSystem.commit();
      fsck(image);
      fs.renameSync(path.join(tree, "big"), path.join(tree, "Größer.bin"));
      fs.rmSync(path.join(tree, "lower.txt"));
      fs.mkdirSync(path.join(tree, "neu"));
      fs.renameSync(path.join(tree, "deep"), path.join(tree, "neu/Deep"));
      for (let n = 0; n < 300; n++) fs.writeFileSync(path.join(tree, `neu/file number ${n}`), `${n}`);
      assert.deepEqual(mtoolsTree(image, folder), treeOfFolder(tree));
      assert.deepEqual(await treeOfImage(image), treeOfFolder(tree));
    },
  );
}

for (const [kind, sizeBytes] of [
  ["fat12", 1440 * 1024],
  ["fat12", 2880 * 1024],
  ["fat16", 16 * 2 ** 20],
  ["fat16", 512 * 2 ** 20],
  ["fat32", 34 * 2 ** 20],
  ["fat32", 9 * 2 ** 30],
  ["fat32", 40 * 2 ** 30],
] as const) {
  test(`${kind} of ${sizeBytes} bytes made here is in order for fsck.fat, minfo and mtools`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    fs.writeFileSync(image, "");
    fs.truncateSync(image, sizeBytes);
    {
      await using device = await FileDevice.open(image);
      const geometry = { heads: 255, sectors: 63 };
      const options = { kind, label: "BOOT KEY", uuid: "c0ffee00-1111-4222-8333-444455556666", now };
      await makeFat(device, [], { ...options, place: { startLba: 2048, geometry } });
    }
    fsck(image);
    assert.match(
      runPeer("mdir", ["-i", image, "::/"]),
      /Volume in drive : is BOOT KEY\s+Volume Serial Number is C0FF-EE00/,
    );
    runPeer("mmd", ["-i", image, "::/a new folder"]);
    fsck(image);
    assert.deepEqual(await treeOfImage(image), ["a new folder/"]);
  });
}

/** The same changes by mtools. */
class Mtools implements Mirror {
  readonly #image: string;
  readonly #input: string;

  constructor(image: string, input: string) {
    this.#image = image;
    this.#input = input;
  }

  put(name: string, bytes: Uint8Array): void {
    fs.writeFileSync(this.#input, bytes);
    this.#run("mcopy", "-D", "o", this.#input, `::/${name}`);
  }

  makeDirectory(name: string): void {
    this.#run("mmd", `::/${name}`);
  }

  remove(name: string): void {
    this.#run("mdel", `::/${name}`);
  }

  removeDirectory(name: string): void {
    this.#run("mrd", `::/${name}`);
  }

  /** By steps that mtools survives: `mren` fails an assertion on some directories. */
  move(from: string, to: string, model: Model): void {
    const bytes = model.entries.get(from);
    if (bytes !== undefined) {
      this.put(to, bytes);
      return this.remove(from);
    }
    this.makeDirectory(to);
    const children = [...model.entries.keys()].filter((name) => path.dirname(name) === from);
    for (const child of children) this.#run("mmove", `::/${child}`, `::/${to}`);
    this.removeDirectory(from);
  }

  #run(program: string, ...args: readonly string[]): void {
    runPeer(program, ["-i", this.#image, ...args], { timeout: 10_000 });
  }
}

for (const [kind, size, clusterSizeBytes] of [
  ["fat12", 15, 4096],
  ["fat16", 32, 1024],
  ["fat32", 64, 512],
] as const satisfies readonly (readonly [FatOptions["kind"], number, number])[]) {
  test(`${kind}: thousands of random changes come to what mtools makes of them`, { skip }, async () => {
    await using folder = temporaryFolder();
    const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const dice = new Dice(seed);
    const [ours, theirs] = [folder.join("ours"), folder.join("theirs")];
    fs.writeFileSync(ours, "");
    fs.truncateSync(ours, size * 2 ** 20);
    await using device = await FileDevice.open(ours);
    await makeFat(device, [], { kind, clusterSizeBytes, uuid: "1234-5678", now });
    if (kind === "fat12") await markLastBad(device);
    fs.copyFileSync(ours, theirs);
    const mtools = new Mtools(theirs, folder.join("input"));
    const model = new Model();
    for (let done = 0; done < editsInAll / 3;) {
      await using fileSystem = await editFileSystem(device, { now });
      for (let n = 0; n < 100;) {
        let isDone = false;
        try {
          isDone = await randomChange(dice, model, fileSystem, mtools);
        } catch (error) {
          throw new Error(`seed ${seed}, change ${done + n}`, { cause: error });
        }
        if (isDone && ++n % 20 === 0) await fileSystem.commit();
      }
      done += 100;
      fsck(ours);
    }
    assert.ok(model.tree.length > 40, "there is something to compare");
    assert.deepEqual(await treeOfImage(ours), model.tree, `seed ${seed}`);
    // When mtools moves a directory it may forget that its short name is in lower case.
    assert.deepEqual(inLowerCase(await treeOfImage(theirs)), inLowerCase(model.tree), `seed ${seed}`);
    assert.deepEqual(mtoolsTree(ours, folder), model.tree, `seed ${seed}`);
  });
}
