/** Keys and the sticks that they are on, for tests, and what real programs say of them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createKey } from "../../src/key/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import type { TemporaryFolder } from "../temp.ts";
import type { LoopStick } from "./loop-stick.ts";
import { runPeer } from "./peer.ts";

export const stickPeers = ["sfdisk", "fsck.fat", "e2fsck", "dd", "xorriso"] as const;

export async function keyIn(
  folder: TemporaryFolder,
  wish: Partial<Parameters<typeof createKey>[0]> = {},
): Promise<string> {
  const path = folder.join("key.img");
  const usual = {
    grubFrom: [],
    force: true,
    serial: true,
    sizeBytes: "auto",
    table: "mbr",
    isosKind: "fat32",
  } as const;
  await createKey({ ...usual, nowMs: 1_700_000_000_000, ...wish, path });
  return path;
}

/** Fails with status 4 and one line with a hint, and leaves the stick as it is. */
export async function refused(words: readonly string[], file: string, message: RegExp): Promise<void> {
  const before = hashOf(file);
  const { stderr, status } = await runHoldfast([...words]);
  assert.equal(status, 4, stderr);
  assert.match(stderr, /^holdfast: cannot .*\nhint: .*\n$/);
  assert.match(stderr, message);
  assert.equal(hashOf(file), before, "nothing was written");
}

export function hashOf(file: string): string {
  return createHash("sha256").update(fs.readFileSync(file)).digest("hex");
}

/** Table and file systems of a stick are in order. */
export function assertSound({ device, file }: Pick<LoopStick, "device" | "file">): void {
  assert.match(runPeer("sfdisk", ["--verify", device]), /No errors detected/);
  const places = Array.from(runPeer("sfdisk", ["-d", file]).matchAll(/start= *(\d+), size= *(\d+)/g));
  for (const [, start, count] of places.slice(-2)) {
    const place = ["--offset", String(Number(start) * 512), "--sizelimit", String(Number(count) * 512)];
    const part = runPeer("losetup", ["--find", "--show", "--read-only", ...place, file]).trim();
    try {
      if (isExt(part)) runPeer("e2fsck", ["-fn", part]);
      else runPeer(isExfat(part) ? "fsck.exfat" : "fsck.fat", ["-n", part]);
    } finally {
      runPeer("losetup", ["--detach", part]);
    }
  }
}

function isExt(device: string): boolean {
  return bytesAt(device, 1024 + 56, 2).readUInt16LE() === 0xef53;
}

function isExfat(device: string): boolean {
  return bytesAt(device, 3, 8).toString("latin1") === "EXFAT   ";
}

function bytesAt(device: string, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const fd = fs.openSync(device, "r");
  fs.readSync(fd, bytes, 0, length, at);
  fs.closeSync(fd);
  return bytes;
}

export const loopback = {
  "boot/grub/loopback.cfg": "menuentry one {\n  linux /vmlinuz findiso=${iso_path}\n  initrd /initrd\n}\n",
  vmlinuz: "kernel",
  initrd: "initrd",
};

export function makeFolder(path: string): string {
  fs.mkdirSync(path, { recursive: true });
  return path;
}
