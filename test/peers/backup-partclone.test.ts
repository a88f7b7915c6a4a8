import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { openBackup, restoreBackup } from "../../src/backup/index.ts";
import { readBytes } from "../../src/device/index.ts";
import { sampleBlocks, sampleContent, sampleImage, sampleImageV1 } from "../backup/sample-image.ts";
import { sampleTree, save } from "../backup/sample-disk.ts";
import { sampleExfat } from "../filesystem/exfat/sample-exfat.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const run = promisify(execFile);
const mib = 2 ** 20;
const { env } = process;

/** partclone sleeps for a second here and there: several run at a time. */
async function runPartclone(program: string, words: readonly string[]): Promise<void> {
  await run(`/usr/sbin/partclone.${program}`, ["-L", "/dev/null", ...words], { maxBuffer: 2 ** 26 });
}

interface Made {
  readonly name: string;
  readonly path: string;
  /** The partclone program. */
  readonly program: string;
  readonly check: readonly string[];
}

/** File systems of every kind, with files, and with old content where nothing is now. */
async function makeAll(folder: TemporaryFolder, sizeBytes: number): Promise<Made[]> {
  const { bytes: exfat } = await sampleExfat(20 * mib, 4096);
  const tree = sampleTree(folder, mib / 2);
  const make = (name: string, bytes: number, program: string, making: (path: string) => void): Made => {
    const path = folder.join(name);
    fs.writeFileSync(path, "");
    fs.truncateSync(path, bytes);
    making(path);
    const check = program.startsWith("ext")
      ? ["e2fsck", "-fn"]
      : [`fsck.${program === "exfat" ? "exfat" : "fat"}`, "-n"];
    return { name, path, program, check };
  };
  const ext = (name: string, words: readonly string[], program: string): Made => {
    return make(name, sizeBytes, program, (path) => runPeer("mke2fs", ["-q", "-F", ...words, "-d", tree, path]));
  };
  const fat = (name: string, bytes: number, bits: string): Made => {
    return make(name, bytes, bits === "12" ? "fat12" : "vfat", (path) => {
      runPeer("mkfs.fat", ["-F", bits, path]);
      runPeer("mcopy", ["-s", "-i", path, `${tree}/etc`, `${tree}/usr`, "::/"]);
    });
  };
  return [
    ext("ext4", ["-t", "ext4", "-b", "4096"], "ext4"),
    ext("ext2", ["-t", "ext2", "-b", "1024"], "ext2"),
    ext("ext3", ["-t", "ext3", "-b", "2048"], "ext3"),
    ext("bigalloc", ["-t", "ext4", "-O", "bigalloc", "-C", "65536"], "ext4"),
    fat("fat12", 8 * mib, "12"),
    fat("fat16", 16 * mib, "16"),
    fat("fat32", 40 * mib, "32"),
    make("exfat", 20 * mib, "exfat", (path) => fs.writeFileSync(path, exfat)),
  ];
}

const needs = {
  skip: skipWithout("partclone.chkimg", "zstd", "lz4", "lbzip2", "pixz", "plzip", "mke2fs", "mkfs.fat", "mcopy"),
};

test("partclone accepts and restores what is saved, as it is restored here", needs, async () => {
  await using folder = temporaryFolder();
  const trying = (await makeAll(folder, 24 * mib)).map(async ({ name, path, program, check }) => {
    const saved = await save(path, folder.join("home"), { name, disk: "sda" });
    const image = folder.join(`${name}.image`);
    fs.writeFileSync(image, runPeerBytes(`zstd -dc ${saved.path}/sda.${program}-ptcl-img.zst.aa`));
    await runPartclone("chkimg", ["-s", image]);
    const theirs = folder.join(`${name}.theirs`);
    await runPartclone("restore", ["-s", image, "-W", "-o", theirs]);
    const ours = folder.join(`${name}.ours`);
    await restoreBackup({ backup: saved.path, target: ours, partition: "sda", force: false, env });
    runPeer(check[0]!, [...check.slice(1), ours]);
    const sizeBytes = fs.statSync(theirs).size;
    const [a, b] = [fs.readFileSync(theirs), fs.readFileSync(ours)];
    assert.ok(a.equals(b.subarray(0, sizeBytes)), `${name} restored`);
    assert.ok(b.subarray(sizeBytes).every((byte) => byte === 0));
  });
  await Promise.all(trying);
});

function runPeerBytes(command: string): Buffer {
  return Buffer.from(runPeer("sh", ["-c", command], { encoding: "latin1" as "utf8" }), "latin1");
}

/** The last name of each is that of Clonezilla's option. */
const packers: readonly (readonly [packed: string, command: string])[] = [
  ["gz", "gzip -c"],
  ["gz", "pigz -c -b 128"],
  ["bz2", "bzip2 -c"],
  ["bz2", "lbzip2 -c"],
  ["lzo", "lzop -c"],
  ["lzma", "xz --format=lzma -1 -c"],
  ["xz", "xz -1 -c"],
  ["xz", "xz -1 -T2 --block-size=1MiB -c"],
  ["xz", "pixz -1 -t"],
  ["lzip", "lzip -1 -c"],
  ["lzip", "plzip -1 -c"],
  ["lz4", "lz4 -c"],
  ["zst", "zstd -3 -T0 -c"],
  ["zst", "pzstd -3 -c"],
  ["uncomp", "cat"],
];

test("what partclone saves is restored, however it is packed and split", needs, async () => {
  await using folder = temporaryFolder();
  const made = (await makeAll(folder, 16 * mib)).filter(({ name }) => name !== "bigalloc"); // this partclone cannot
  const options = [["-z", "10485760"], ["-a", "0"], ["-k", "7"], ["-k", "7", "-K"], []];
  await Promise.all(
    made.map(async ({ name, path, program }, n) => {
      const image = folder.join(`${name}.image`);
      await runPartclone(program, ["-c", "-s", path, "-o", image, ...(options[n] ?? [])]);
      const theirs = folder.join(`${name}.theirs`);
      await runPartclone("restore", ["-s", image, "-W", "-o", theirs]);
      const wanted = fs.readFileSync(theirs);
      for (const [at, [packed, command]] of packers.entries()) {
        if (at % made.length !== n) continue; // each way with one file system
        const backup = folder.join(`${name}-${at}`);
        fs.mkdirSync(backup);
        fs.writeFileSync(`${backup}/parts`, "sda1\n");
        const prefix = `${backup}/sda1.${program}-ptcl-img.${packed}`;
        const split = at % 2 === 0 ? `| split -a 2 -b 1MB - ${prefix}.` : `> ${prefix}`;
        runPeer("sh", ["-c", `${command} < ${image} ${split}`]);
        const ours = folder.join(`${name}-${at}.ours`);
        await restoreBackup({ backup, target: ours, partition: "sda1", force: false, env });
        assert.ok(wanted.equals(fs.readFileSync(ours)), `${name}, ${command}`);
      }
    }),
  );
});

test("the images that the tests make themselves are partclone's", needs, async () => {
  await using folder = temporaryFolder();
  const blockBytes = 512;
  const blocks = sampleBlocks(200, blockBytes);
  const content = sampleContent(blocks, blockBytes);
  const common = { blockBytes, blocks, stripBlocks: 9, bitmapForm: "bits" } as const;
  const images = {
    crc32: sampleImage({ ...common, checksum: "crc32", reseed: true }),
    running: sampleImage({ ...common, checksum: "crc32", reseed: false }),
    none: sampleImage({ ...common, checksum: "none", reseed: true }),
    v1: sampleImageV1(blocks, { blockBytes, junkBytes: 0, fileSystem: "EXTFS" }),
  };
  await Promise.all(
    Object.entries(images).map(async ([name, bytes]) => {
      const image = folder.join(name);
      fs.writeFileSync(image, bytes);
      // Of an image without checksums this partclone finds no blocks to check.
      if (name !== "none") await runPartclone("chkimg", ["-s", image]);
      const restored = folder.join(`${name}.restored`);
      await runPartclone("restore", ["-s", image, "-W", "-o", restored]);
      assert.ok(fs.readFileSync(restored).equals(content), name);
    }),
  );
});

/** Of each packing the programs that Clonezilla may unpack it by. */
const unpackers = {
  zst: ["zstd -dc", "pzstd -dc"],
  gz: ["gzip -dc", "pigz -dc"],
  lz4: ["lz4 -dc"],
  xz: ["xz -dc", "pixz -d"],
} as const;

test("the programs that Clonezilla calls unpack what is saved, however it is packed", needs, async () => {
  await using folder = temporaryFolder();
  const [ext4] = await makeAll(folder, 24 * mib);
  const plain = await save(ext4!.path, folder.join("home"), { name: "plain", packedAs: "uncomp", disk: "sda" });
  const wanted = fs.readFileSync(`${plain.path}/sda.ext4-ptcl-img.uncomp.aa`);
  await Promise.all(
    Object.entries(unpackers).map(async ([packed, commands]) => {
      const packedAs = packed as keyof typeof unpackers;
      const saved = await save(ext4!.path, folder.join("home"), { name: packed, packedAs, disk: "sda" });
      for (const command of commands) {
        const unpacked = runPeerBytes(`${command} < ${saved.path}/sda.ext4-ptcl-img.${packed}.aa`);
        assert.ok(unpacked.equals(wanted), command);
      }
      await using reader = await openBackup(saved.path, { env });
      const looked = Buffer.from(await readBytes(reader, 0, reader.sizeBytes));
      const target = folder.join(`${packed}.restored`);
      await restoreBackup({ backup: saved.path, target, partition: "sda", force: false, env });
      assert.ok(looked.equals(fs.readFileSync(target)), packed);
      runPeer("e2fsck", ["-fn", target]);
    }),
  );
});
