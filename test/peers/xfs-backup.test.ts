/** XFS in backups: what partclone takes of ours and we of its, and what only the log knows. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { checkBackup, openBackup, restoreBackup } from "../../src/backup/index.ts";
import type { BlockReader } from "../../src/device/index.ts";
import { readFile } from "../../src/disk/index.ts";
import { save } from "../backup/sample-disk.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { noise } from "../filesystem/ext/sample-folder.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { makeBlank } from "../filesystem/recognise/recognised-file.ts";
import { fillXfs, makeXfs, problemsOf, skipWithoutXfs, usingXfs } from "../filesystem/xfs/xfs-image.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const run = promisify(execFile);
const { env } = process;
const mib = 2 ** 20;
const skip =
  skipWithout("mkfs.xfs", "xfs_repair", "xfs_db", "xfs_logprint", "partclone.xfs", "zstd") ||
  skipWithoutMount() ||
  skipWithoutXfs();

async function runPartclone(program: string, words: readonly string[]): Promise<void> {
  await run(`/usr/sbin/partclone.${program}`, ["-L", "/dev/null", ...words], { maxBuffer: 2 ** 26 });
}

function assertRepaired(image: string): void {
  runPeer("xfs_repair", ["-n", image]); // another status than 0 where there is something to repair
}

/** Puts an XFS into the second partition of a new disk. */
function makeDisk(disk: string, fileSystem: string): void {
  const sizeBytes = fs.statSync(fileSystem).size;
  makeBlank(disk, sizeBytes / mib + 10);
  const partitions = `label: gpt\nsize=4MiB\nsize=${sizeBytes / 512}\n`;
  runPeer("sfdisk", ["-q", disk], { input: partitions });
  runPeer("dd", [`if=${fileSystem}`, `of=${disk}`, "bs=1M", "seek=5", "conv=notrunc,sparse"]);
}

/** What a backup says when it is asked whether it is whole. */
async function problemsIn(backup: string): Promise<string[]> {
  const problems: string[] = [];
  await checkBackup(backup, { env, onProblem: async ({ message }) => void problems.push(message) });
  return problems;
}

async function contentIn(backup: string, path: string): Promise<Buffer> {
  const openImage = (name: string): Promise<BlockReader> => openBackup(name, { env });
  const pieces: Uint8Array[] = [];
  for await (const piece of readFile({ image: backup, partition: 2, path }, { openImage })) {
    pieces.push(Uint8Array.from(piece));
  }
  return Buffer.concat(pieces);
}

test("an XFS that was saved comes back whole, for partclone too", { skip }, async () => {
  await using folder = temporaryFolder();
  const [source, mounted, disk] = [folder.join("source"), folder.join("mounted"), folder.join("disk")];
  makeXfs(source, 96, "-m rmapbt=1");
  await whileMounted(source, mounted, "", async () => {
    fillXfs(mounted, 500);
    fs.writeFileSync(`${mounted}/removed`, noise(1, 4_000_000));
    runPeer("sync", ["-f", mounted]);
    fs.rmSync(`${mounted}/removed`); // what is free is not zero
  });
  makeDisk(disk, source);
  const saved = await save(disk, folder.join("home"));
  assert.deepEqual([saved.warnings, saved.parts.map((part) => part.saved)], [[], ["whole", "image"]]);
  assert.deepEqual(await problemsIn(saved.path), []);
  assert.ok((await contentIn(saved.path, "/clone")).length === 2_000_000);
  const image = folder.join("image");
  runPeer("sh", ["-c", `zstd -dc ${saved.path}/sda2.xfs-ptcl-img.zst.aa > ${image}`]);
  await runPartclone("chkimg", ["-s", image]);
  const [theirs, ours] = [folder.join("theirs"), folder.join("ours")];
  await runPartclone("restore", ["-s", image, "-W", "-o", theirs]);
  await restoreBackup({ backup: saved.path, target: ours, partition: "sda2", force: false, env });
  assert.ok(fs.readFileSync(theirs).equals(fs.readFileSync(ours)));
  assertRepaired(ours);
  const [wanted, found] = await Promise.all([source, ours].map((path) => usingXfs(path, (one) => factsOf(one))));
  assert.deepEqual(found, wanted);
  await usingXfs(ours, async (fileSystem) => assert.deepEqual(await problemsOf(fileSystem), []));
});

test("what was written before the power failed is in the backup, which it is not for partclone", { skip }, async () => {
  await using folder = temporaryFolder();
  const [source, mounted, cut] = [folder.join("source"), folder.join("mounted"), folder.join("cut")];
  const content = noise(2, 3_000_000);
  makeXfs(source, 48, "");
  await whileMounted(source, mounted, "", async () => {
    fs.writeFileSync(`${mounted}/kept`, content);
    runPeer("sync", [`${mounted}/kept`]);
    fs.copyFileSync(source, cut);
  });
  assert.match(runPeer("xfs_logprint", ["-t", cut]), /state: <DIRTY>/);
  const saved = await save(cut, folder.join("home"), { disk: "sda" });
  assert.match(saved.warnings.join(), /the log waits to be replayed/);
  const [image, theirs, ours] = [folder.join("image"), folder.join("theirs"), folder.join("ours")];
  await runPartclone("xfs", ["-c", "-s", cut, "-o", image]);
  await runPartclone("restore", ["-s", image, "-W", "-o", theirs]);
  await restoreBackup({ backup: saved.path, target: ours, partition: "sda", force: false, env });
  const kept: boolean[] = [];
  for (const restored of [ours, theirs]) {
    await whileMounted(restored, mounted, "", async () => {
      kept.push(content.equals(fs.readFileSync(`${mounted}/kept`)));
    });
  }
  assert.deepEqual(kept, [true, false]);
  assertRepaired(ours);
});

test("of a frozen XFS only what is used is saved, though its log is not clean", { skip }, async () => {
  await using folder = temporaryFolder();
  const [source, mounted, frozen] = [folder.join("source"), folder.join("mounted"), folder.join("frozen")];
  makeXfs(source, 96, "");
  let wanted = new Map<string, FileFacts>();
  await whileMounted(source, mounted, "", async () => {
    fs.mkdirSync(`${mounted}/folder`);
    for (let n = 0; n < 50; n++) fs.writeFileSync(`${mounted}/folder/${n}`, noise(n, n * 1000));
    runPeer("xfs_freeze", ["-f", mounted]);
    fs.copyFileSync(source, frozen);
    wanted = factsOfFolder(mounted);
    runPeer("xfs_freeze", ["-u", mounted]);
  });
  assert.match(runPeer("xfs_logprint", ["-t", frozen]), /state: <DIRTY>/);
  const saved = await save(frozen, folder.join("home"), { disk: "sda" });
  assert.deepEqual(saved.warnings, []);
  assert.ok((saved.parts[0]?.usedBytes ?? Infinity) < 12 * mib);
  const ours = folder.join("ours");
  await restoreBackup({ backup: saved.path, target: ours, partition: "sda", force: false, env });
  await usingXfs(ours, async (fileSystem) => assert.deepEqual(await factsOf(fileSystem), wanted));
  await whileMounted(ours, mounted, "", async () => assert.deepEqual(factsOfFolder(mounted), wanted));
  assertRepaired(ours);
});
