import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { checkBackup, restoreBackup } from "../../src/backup/index.ts";
import { sampleDisk, sampleTree, save, swapUuid } from "../backup/sample-disk.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";

const run = promisify(execFile);
const mib = 2 ** 20;
const { env } = process;

// Clonezilla asks for root even to look.
const needs = { skip: process.getuid?.() === 0 ? skipWithout("ocs-chkimg", "partclone.chkimg") : "not root" };
const programs = ["ocs-sr", "partclone.ext4", "partx", "sfdisk", "mke2fs", "debugfs", "mkfs.fat", "mcopy", "mkswap"];
const needsLoop = { skip: skipWithoutLoop() || skipWithout(...programs) };

test("Clonezilla finds all of a backup restorable", needs, async () => {
  await using folder = temporaryFolder();
  const disk = await sampleDisk(folder, "mbr");
  await save(disk, folder.join("home"), { name: "whole", volumeBytes: 2 ** 20 });
  const words = ["-or", folder.join("home"), "-nogui", "-b", "whole"];
  const said = runPeer("sh", ["-c", `ocs-chkimg "$@" 2>&1 </dev/null`, "ocs-chkimg", ...words]);
  for (const name of ["sda1", "sda2", "sda3", "sda6"]) assert.match(said, new RegExp(`restorable: ${name}\\b`), said);
  assert.match(said, /All the images of partition or LV devices in this image were checked and they are restorable/);
});

/** Its exit status is 0 whatever happens, and it is full of pauses. What it prints is given back. */
async function ocsSr(home: string, words: readonly string[]): Promise<string> {
  const all = ["-or", home, "-batch", "-nogui", "-p", "true", ...words];
  const script = `exec setsid ocs-sr "$@" </dev/null 2>&1`;
  const searchPath = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const options = { env: { ...env, LC_ALL: "C.UTF-8", TERM: "dumb", PATH: searchPath }, maxBuffer: 64 * mib };
  return (await run("sh", ["-c", script, "ocs-sr", ...all], options)).stdout;
}

interface Layout {
  readonly script: string;
  /** The names of partitions with ext4, FAT and swap. */
  readonly ext: number;
  readonly fat: number;
  readonly swap: number;
}

const layouts: Readonly<Record<"gpt" | "mbr", Layout>> = {
  gpt: { script: 'label: gpt\n,20M,U\nsize=40M,type=L,name="root"\n,10M,S\n', fat: 1, ext: 2, swap: 3 },
  mbr: { script: "label: dos\n,40M,83,*\n,50M,5\n5: size=20M,type=e\n6: size=10M,type=82\n", ext: 1, fat: 5, swap: 6 },
};

/** A stick whose partitions, if it has any, have nodes of their own. */
function stickWithParts(file: string): LoopStick {
  const stick = plugIn(file);
  // Loop devices are used again, and may come with partitions of whoever had them before.
  const dropParts = (): void => runShell(`partx --delete ${stick.device} || true`);
  dropParts();
  runShell(`partx --add ${stick.device} || true`);
  return {
    ...stick,
    async [Symbol.asyncDispose]() {
      dropParts();
      await stick[Symbol.asyncDispose]();
    },
  };
}

function runShell(script: string): void {
  runPeer("sh", ["-c", script]);
}

function makeDisk(folder: TemporaryFolder, kind: "gpt" | "mbr"): { readonly file: string; readonly tree: string } {
  const { script, ext, fat, swap } = layouts[kind];
  const tree = sampleTree(folder, mib / 2);
  const file = folder.join(`${kind}.img`);
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 100 * mib);
  runPeer("sfdisk", ["-q", file], { input: script });
  const starts = startsOf(file);
  const place = (number: number, sizeBytes: number, make: (part: string) => void): void => {
    const part = folder.join("part");
    fs.writeFileSync(part, "");
    fs.truncateSync(part, sizeBytes);
    make(part);
    runPeer("dd", [`if=${part}`, `of=${file}`, "bs=512", `seek=${starts.get(number)}`, "conv=notrunc", "status=none"]);
    fs.rmSync(part);
  };
  place(ext, 40 * mib, (part) => runPeer("mke2fs", ["-q", "-F", "-t", "ext4", "-d", tree, part]));
  place(fat, 20 * mib, (part) => {
    runPeer("mkfs.fat", ["-F", "16", part]);
    runPeer("mcopy", ["-s", "-i", part, `${tree}/etc`, `${tree}/usr`, "::/"]);
  });
  place(swap, 10 * mib, (part) => runPeer("mkswap", ["-U", swapUuid, "-L", "pages", part]));
  return { file, tree };
}

function startsOf(file: string): ReadonlyMap<number, number> {
  const lines = runPeer("sfdisk", ["-d", file]).matchAll(/(\d+) : start= *(\d+)/g);
  return new Map([...lines].map(([, number, start]) => [Number(number), Number(start)]));
}

/** What sfdisk prints, but for where the disk is. */
function tableOf(file: string): string {
  return runPeer("sfdisk", ["-d", file]).replaceAll(file, "disk");
}

/** All files are as they were, e2fsck and fsck.fat find nothing, and swap is called as it was. */
function assertSameFiles(folder: TemporaryFolder, disk: string, kind: "gpt" | "mbr", tree: string): void {
  const { ext, fat, swap } = layouts[kind];
  const starts = startsOf(disk);
  const at = (number: number): number => (starts.get(number) ?? 0) * 512;
  const part = (number: number): string => {
    const file = folder.join(`out-${kind}-${number}`);
    runPeer("dd", [`if=${disk}`, `of=${file}`, "bs=512", `skip=${at(number) / 512}`, "count=81920", "status=none"]);
    return file;
  };
  const out = folder.join(`files-${kind}`);
  fs.mkdirSync(`${out}/fat`, { recursive: true });
  runPeer("e2fsck", ["-fn", part(ext)]);
  runPeer("debugfs", ["-R", `rdump / ${out}`, part(ext)]);
  fs.rmdirSync(`${out}/lost+found`);
  runPeer("mcopy", ["-s", "-i", `${disk}@@${at(fat)}`, "::/etc", "::/usr", `${out}/fat`]);
  runPeer("diff", ["-r", tree, `${out}/fat`]);
  fs.rmSync(`${out}/fat`, { recursive: true });
  runPeer("diff", ["-r", tree, out]);
  assert.match(runPeer("blkid", ["-p", "-O", String(at(swap)), disk]), new RegExp(`LABEL="pages".*UUID="${swapUuid}"`));
}

async function theirsRestoredHere(folder: TemporaryFolder): Promise<void> {
  const { file, tree } = makeDisk(folder, "gpt");
  const home = folder.join("their-home");
  fs.mkdirSync(home);
  await using stick = stickWithParts(file);
  const name = path.basename(stick.device);
  const said = await ocsSr(home, [
    "-q2",
    "-j2",
    "-z9p",
    "-i",
    "1",
    "-sfsck",
    "-scs",
    "-gm",
    "savedisk",
    "theirs",
    name,
  ]);
  const backup = `${home}/theirs`;
  assert.ok(fs.existsSync(`${backup}/disk`), said);
  assert.equal(fs.statSync(`${backup}/${name}-gpt-2nd`).size, 32 * 512, "it writes a sector less than there are");
  const problems: string[] = [];
  const onProblem = async ({ severity, where }: { severity: string; where: string }): Promise<void> => {
    if (severity === "error") problems.push(where);
  };
  await checkBackup(backup, { env, onProblem });
  assert.deepEqual(problems, []);
  const target = folder.join("ours.img");
  await restoreBackup({ backup, target, force: false, env });
  assert.equal(tableOf(target), tableOf(file));
  assert.match(runPeer("sgdisk", ["-v", target]), /No problems found/);
  assertSameFiles(folder, target, "gpt", tree);
}

async function oursRestoredThere(folder: TemporaryFolder): Promise<void> {
  const { file, tree } = makeDisk(folder, "mbr");
  const target = folder.join("theirs.img");
  fs.writeFileSync(target, "");
  fs.truncateSync(target, 100 * mib);
  await using stick = stickWithParts(target);
  const home = folder.join("our-home");
  // Called otherwise than where it is restored to: Clonezilla converts the names.
  await save(file, home, { name: "ours", disk: "sdx", volumeBytes: mib });
  const said = await ocsSr(home, ["-scr", "-k0", "-j2", "restoredisk", "ours", path.basename(stick.device)]);
  assert.equal(tableOf(target), tableOf(file), said);
  assertSameFiles(folder, target, "mbr", tree);
}

test("Clonezilla restores a disk that is saved here, and what it saves is restored here", needsLoop, async () => {
  await using folder = temporaryFolder();
  // Side by side, for it sleeps most of the time.
  const done = await Promise.allSettled([oursRestoredThere(folder), theirsRestoredHere(folder)]);
  for (const each of done) if (each.status === "rejected") throw each.reason;
});
