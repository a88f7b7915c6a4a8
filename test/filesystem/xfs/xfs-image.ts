/** XFS made by its own tools, and filled by whoever mounts it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { libc } from "../../../src/base/index.ts";
import { FileReader } from "../../../src/device/index.ts";
import { openFileSystem, type FileSystem } from "../../../src/filesystem/index.ts";
import { runPeer } from "../../peers/peer.ts";
import { noise } from "../ext/sample-folder.ts";
import { makeBlank } from "../recognise/recognised-file.ts";

/** For its own tests mkfs.xfs makes file systems of less than 300 MB. */
const small = { TEST_DIR: "1", TEST_DEV: "1", QA_CHECK_FS: "1" };

/** False where the kernel of this machine mounts XFS; else why not. */
export function skipWithoutXfs(): string | false {
  const known = fs.readFileSync("/proc/filesystems", "utf8");
  return known.includes("\txfs\n") ? false : "this kernel does not know XFS";
}

/** Makes an XFS in a new file. */
export function makeXfs(image: string, sizeMiB: number, options: string): void {
  makeBlank(image, sizeMiB);
  const words = options.split(" ").filter((word) => word !== "");
  runPeer("mkfs.xfs", ["-q", ...words, image], { env: small });
}

/** Opens the XFS in a file for as long as `work` runs. */
export async function usingXfs<T>(image: string, work: (fileSystem: FileSystem) => Promise<T>): Promise<T> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  assert.equal(fileSystem.info.kind, "xfs");
  return await work(fileSystem);
}

export async function problemsOf(fileSystem: FileSystem): Promise<string[]> {
  const problems: string[] = [];
  for await (const { severity, message } of fileSystem.check()) problems.push(`${severity}: ${message}`);
  return problems;
}

/** Puts everything that XFS keeps in a form of its own into a mounted one. */
export function fillXfs(root: string, manyNames: number): void {
  const at = (name: string): string => path.join(root, name);
  fs.mkdirSync(at("few"));
  for (let n = 0; n < 10; n++) fs.writeFileSync(at(`few/${n}`), noise(n, n * 400));
  fs.mkdirSync(at("some"));
  for (let n = 0; n < 150; n++) fs.writeFileSync(at(`some/name-${n}`), "");
  fs.mkdirSync(at("many"));
  for (let n = 0; n < manyNames; n++) fs.linkSync(at(`some/name-${n % 150}`), at(`many/a-name-somewhat-longer-${n}`));
  for (let n = 0; n < manyNames; n += 7) fs.unlinkSync(at(`many/a-name-somewhat-longer-${n}`));
  fs.mkdirSync(at("latin"));
  fs.writeFileSync(Buffer.concat([Buffer.from(at("latin/")), Buffer.of(0xe9, 0xff)]), "latin");
  fs.writeFileSync(at(`latin/${"ü".repeat(120)}`), "long");
  fillFiles(at);
  fillOthers(at);
  setAttributes(at);
}

function fillFiles(at: (name: string) => string): void {
  const scattered = fs.openSync(at("scattered"), "w");
  for (let n = 0; n < 300; n++) fs.writeSync(scattered, noise(n, 900), 0, 900, n * 131_072);
  fs.fsyncSync(scattered);
  fs.closeSync(scattered);
  const reserved = fs.openSync(at("reserved"), "w");
  libc()?.preallocate(reserved, 0, 600_000);
  fs.writeSync(reserved, noise(1, 10_000), 0, 10_000, 200_000);
  fs.fsyncSync(reserved);
  fs.closeSync(reserved);
  fs.writeFileSync(at("large"), noise(7, 2_000_000));
  fs.writeFileSync(at("hole"), "begin");
  fs.truncateSync(at("hole"), 5_000_001);
  try {
    fs.copyFileSync(at("large"), at("clone"), fs.constants.COPYFILE_FICLONE_FORCE);
    const clone = fs.openSync(at("clone"), "r+");
    fs.writeSync(clone, noise(9, 100_000), 0, 100_000, 1_000_000);
    fs.closeSync(clone);
  } catch {
    // no reflinks there
  }
}

function fillOthers(at: (name: string) => string): void {
  for (const length of [1, 40, 300, 336, 337, 700, 1000, 1023])
    fs.symlinkSync("t".repeat(length), at(`link-${length}`));
  fs.linkSync(at("large"), at("few/hard"));
  const make = (name: string, mode: number, major: number, minor: number): void => {
    const device = ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);
    libc()?.makeNode(Buffer.from(`${at(name)}\0`), mode, BigInt(device));
  };
  make("tty", 0o020620, 4, 64);
  make("disk", 0o060660, 259, 200_000);
  make("pipe", 0o010644, 0, 0);
  fs.chownSync(at("large"), 70_000, 4_000_000_000);
  fs.lutimesSync(at("link-40"), 1, 2_000_000_000.123456);
  fs.utimesSync(at("few/1"), 1, -1_000_000.25);
  fs.utimesSync(at("few/2"), 1, 5_000_000_000.5);
}

const acl = Buffer.from(
  "0200000001000700ffffffff02000500d204000004000500ffffffff08000400591b000010000700ffffffff20000400ffffffff",
  "hex",
);

function setAttributes(at: (name: string) => string): void {
  const set = (name: string, attribute: string, value: Uint8Array): void => {
    assert.equal(libc()?.setXattr(Buffer.from(`${at(name)}\0`), attribute, value), 0);
  };
  set("few/1", "user.empty", Buffer.alloc(0));
  set("few/1", "user.short", noise(1, 30));
  set("few/2", "user.longer", noise(2, 700));
  set("few/3", "trusted.t", noise(3, 40));
  set("few/3", "security.s", noise(4, 1200));
  for (let n = 0; n < 120; n++) set("few/4", `user.one-of-many-${n}`, noise(n, n * 8));
  set("few/5", "user.huge", noise(5, 60_000));
  set("few/5", "user.huge-too", noise(6, 9_000));
  set("few/6", "system.posix_acl_access", acl);
  set("few", "system.posix_acl_default", acl);
}
