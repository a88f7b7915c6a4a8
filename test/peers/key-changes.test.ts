/** `key add --persist`: a live system of Debian's live-boot that finds again what it has changed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { startDisk } from "../../src/disk/index.ts";
import type { TemporaryFolder } from "../temp.ts";
import { busybox } from "./initramfs.ts";
import { makeIso } from "./live-iso.ts";
import { liveSystemPeers, makeLiveBootInitrd } from "./live-systems.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";
import { done, folderForAnyone } from "./nobodys-key.ts";

const checkers = ["sfdisk", "fsck.fat", "e2fsck", "debugfs", "mcopy"];
const skip = skipWithout(...liveSystemPeers, ...checkers, ...machinePeers.bios);
const sectorBytes = 512;
const sbin = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

/** A system that says how often it was started already, as far as it knows. */
const init = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
exec >/dev/console 2>&1
echo x >>/root/starts
echo "start number $(wc -l </root/starts), running from $(cat /sys/block/loop0/loop/backing_file)"
sync
poweroff -f
`;

function makeLiveIso(folder: TemporaryFolder, name: string): string {
  const root = folder.join("root");
  for (const one of ["bin", "dev", "etc/network", "proc", "run", "root", "sbin", "sys", "tmp", "usr", "var"]) {
    fs.mkdirSync(path.join(root, one), { recursive: true });
  }
  fs.copyFileSync(busybox, path.join(root, "bin/busybox"));
  fs.symlinkSync("busybox", path.join(root, "bin/sh"));
  fs.writeFileSync(path.join(root, "sbin/init"), init, { mode: 0o755 });
  runPeer("mksquashfs", [root, folder.join("squashfs"), "-quiet", "-no-progress", "-all-root", "-comp", "gzip"]);
  return makeIso(folder, name, {
    "live/vmlinuz": fs.readFileSync(someKernel()),
    "live/initrd.img": makeLiveBootInitrd(folder),
    "live/filesystem.squashfs": fs.readFileSync(folder.join("squashfs")),
    ".disk/info": "Test GNU/Linux Live",
  });
}

/** What the second entry of an ISO says until it switches the machine off. What it writes stays on the key. */
async function startKeeping(key: string, iso: string): Promise<string> {
  const firmwareText = `holdfast-key serial start=/${iso}>/${iso}#2`;
  const machine = { firmware: "bios", bus: "virtio", memoryBytes: 512 * 2 ** 20, cpus: 1, accelerate: false } as const;
  const keeping = { snapshot: false, secureBoot: false, window: false, env: process.env } as const;
  await using disk = await startDisk({ ...machine, ...keeping, path: key, firmwareText });
  let said = "";
  for await (const text of disk.said) said += text;
  await disk.ended;
  return said;
}

/** Nothing is wrong with a FAT, but that a machine was switched off that had it mounted. */
function assertSoundFat(image: string): void {
  const { stdout } = spawnSync("fsck.fat", ["-n", image], { encoding: "utf8", env: { ...process.env, PATH: sbin } });
  const harmless =
    /^(fsck.fat |There are differences|This is mostly|  65:01\/00|  Not auto|Dirty bit| Automatically removing dirty|Leaving|$)/;
  const [last, ...others] = stdout.split("\n").filter((line) => !harmless.test(line));
  assert.match(last ?? "", /: \d+ files, \d+\/\d+ clusters$/);
  assert.deepEqual(others, []);
}

/** The partition of the ISO files, as a file. */
function isosOf(folder: TemporaryFolder, key: string): string {
  const starts = Array.from(runPeer("sfdisk", ["-d", key]).matchAll(/start= *(\d+)/g), ([, start]) => Number(start));
  const part = folder.join("isos");
  runPeer("dd", [`if=${key}`, `of=${part}`, `bs=${sectorBytes}`, `skip=${starts.at(-1) ?? 0}`]);
  return part;
}

test("a live system finds what it changed when it is started again, and no other does", { skip }, async () => {
  await using folder = folderForAnyone();
  const key = folder.join("key.img");
  done("create", key, "--size", "260MB");
  const iso = makeLiveIso(folder, "live.iso");
  assert.match(done("add", key, iso, "--persist", "32MiB"), /^added live.iso/m);
  done("add", key, iso, "--name", "other", "--persist", "24MiB");
  assert.match(done("list", key), /^live.iso .*Test GNU\/Linux Live, 2 entries, keeps changes in 32 MiB$/m);
  const before = await startKeeping(key, "live.iso");
  assert.match(before, /start number 1, running from .*\/live.iso/);
  assert.match(await startKeeping(key, "live.iso"), /start number 2, running from .*\/live.iso/);
  const isos = isosOf(folder, key);
  assertSoundFat(isos);
  assert.equal(startsIn(folder, isos, "live"), "x\nx\n");
  assert.equal(startsIn(folder, isos, "other"), "", "each has changes of its own");
  assertKept(folder, key, iso);
});

/** What a system has written down of its starts, in the file that keeps its changes. */
function startsIn(folder: TemporaryFolder, isos: string, name: string): string {
  const changes = folder.join("changes");
  fs.rmSync(changes, { force: true });
  runPeer("mcopy", ["-i", isos, `::${name}.iso.changes/persistence`, changes]);
  runPeer("e2fsck", ["-fp", changes]);
  return runPeer("debugfs", ["-R", "cat /rw/root/starts", changes]);
}

/** What was changed of a system is not lost with its ISO. */
function assertKept(folder: TemporaryFolder, key: string, iso: string): void {
  assert.match(done("remove", key, "live.iso"), /warning: what was changed stays .* live.iso.changes\/persistence/);
  assert.match(
    done("list", key),
    /^live.iso.changes\/persistence \(32 MiB\) keeps changes of an ISO that is not here$/m,
  );
  assert.match(done("add", key, iso, "--persist", "20MiB"), /the changes that are kept of live.iso are used again/);
  assert.equal(startsIn(folder, isosOf(folder, key), "live"), "x\nx\n");
  assert.match(done("remove", key, "live.iso", "--with-changes"), /^removed live.iso.changes\/persistence$/m);
  done("remove", key, "other.iso");
  done("remove", key, "other.iso.changes/persistence");
  assert.equal(done("list", key).split("\n").length, 2, "there is nothing left");
  const isos = isosOf(folder, key);
  assertSoundFat(isos);
  assert.equal(runPeer("mdir", ["-b", "-i", isos, "::"]).trim(), "");
}
