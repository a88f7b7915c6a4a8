/** What is no ISO, on a key: kernels, programs, floppies; and what `key test` sees of them in a machine. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { listKey, testKey } from "../../src/key/index.ts";
import type { TemporaryFolder } from "../temp.ts";
import { holdfast } from "./holdfast-as-nobody.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";
import { done, folderForAnyone, isosOf } from "./nobodys-key.ts";

const memtest = "/boot/memtest86+x64";
const ipxe = "/usr/lib/ipxe/ipxe";
const memdisk = "/usr/lib/syslinux/memdisk";
const kernelPeers = [someKernel(), busybox, "grub-script-check", "mcopy", "sfdisk"];
const toolPeers = [`${memtest}.bin`, `${memtest}.efi`, `${ipxe}.lkrn`, `${ipxe}.efi`, memdisk, "syslinux", "mformat"];
const skip = skipWithout(...kernelPeers, ...machinePeers.bios, ...machinePeers.uefi);
const skipTools = skip === false ? skipWithout(...toolPeers) : skip;
/** Little memory is looked through in little time. */
const emulated = ["--no-acceleration", "--cpus", "1", "--memory", "256MiB", "--disk", "virtio", "--time-limit", "300"];

function refused(message: RegExp, ...words: readonly string[]): void {
  const { status, said } = holdfast("key", ...words);
  assert.notEqual(status, 0, said);
  assert.match(said, message);
}

/** A file that this user has made, so that everyone may read it. */
function readable(folder: TemporaryFolder, name: string, content: string | Uint8Array): string {
  const file = folder.join(name);
  fs.writeFileSync(file, content, { mode: 0o644 });
  return file;
}

/** Of each line of the table: name, firmware, result. */
function results(said: string): readonly string[] {
  const lines = said.split("\n").filter((line) => / (?:BIOS|UEFI) /.test(line));
  return lines.map((line) => line.split(/ {2,}/).slice(0, 3).join(" ")).toSorted();
}

/** A floppy that speaks on the serial port. */
function makeFloppy(folder: TemporaryFolder): string {
  const floppy = readable(folder, "floppy.ima", Buffer.alloc(1_474_560));
  const settings = readable(folder, "syslinux.cfg", "SERIAL 0 115200\nSAY the floppy runs\nPROMPT 1\n");
  runPeer("mformat", ["-i", floppy, "-f", "1440", "::"]);
  runPeer("mcopy", ["-i", floppy, settings, "::"]);
  runPeer("syslinux", ["--install", floppy]);
  return floppy;
}

test(
  "a floppy and tools that are no ISO start, added or merely copied, by what can start them",
  { skip: skipTools },
  async () => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    done("create", key, "--size", "60MB");
    const floppy = makeFloppy(folder);
    done("add", key, `${memtest}.bin`, `${ipxe}.lkrn`, floppy);
    done("add", key, `${ipxe}.efi`, "--name", "tools/ipxe");
    runPeer("mcopy", ["-i", isosOf(key), floppy, "::copied.img"]);
    runPeer("mcopy", ["-i", isosOf(key), `${ipxe}.efi`, "::copied.efi"]);
    const tested = holdfast("key", "test", key, ...emulated);
    const expected = [
      "copied.efi UEFI started",
      "copied.img BIOS started",
      "floppy.img BIOS started",
      "ipxe.lkrn BIOS started",
      "memtest86+x64.bin BIOS started",
      "tools/ipxe.efi UEFI started",
    ];
    assert.deepEqual(results(tested.said), expected, tested.said);
    assert.match(tested.said, /^floppy.img .*(?:the floppy runs|SYSLINUX)/m);
    assert.match(tested.said, /^memtest86\+x64.bin .*Memtest86\+/m);
    assert.match(tested.said, /^tools\/ipxe.efi .*iPXE/m);
    assert.equal(tested.status, 0);
    assert.match(done("list", key), /^floppy.img +.* BIOS \(seen\) .* floppy.ima$/m);
    runPeer("mcopy", ["-o", "-i", isosOf(key), floppy, "::floppy.img"]);
    assert.match(done("list", key), /^floppy.img +.* BIOS +no /m, "another file of that name was not seen to start");
    await assertInterrupted(key);
  },
);

/** What was seen before an interrupt is kept. */
async function assertInterrupted(key: string): Promise<void> {
  const stop = new AbortController();
  const machine = { bus: "virtio", memoryBytes: 256 * 2 ** 20, cpus: 1, accelerate: false, env: process.env } as const;
  const how = { ...machine, firmwares: ["bios"], timeLimitMs: 300_000, version: "1.2.3", clock: Date.now } as const;
  const names = ["floppy.img", "ipxe.lkrn"];
  const interrupted = testKey({ ...how, path: key, names }, { signal: stop.signal, onTried: () => stop.abort() });
  await assert.rejects(interrupted, { code: "interrupted" });
  const { files } = await listKey(key);
  const tests = files.find(({ name }) => name === "floppy.img")?.tests ?? [];
  assert.deepEqual(
    tests.map(({ firmware, outcome, version }) => [firmware, outcome, version]),
    [["bios", "started", "1.2.3"]],
  );
}

test("what is no ISO and cannot be started is refused, with what would work", { skip: skipTools }, async () => {
  await using folder = folderForAnyone();
  const key = folder.join("key.img");
  done("create", key, "--size", "auto");
  const packed = readable(folder, "disk.img.xz", Buffer.from("fd377a585a000004", "hex"));
  refused(/disk.img.xz": it is compressed by xz, .*\nhint: unpack it with unxz/, "add", key, packed);
  const text = readable(folder, "notes.txt", "buy milk\n");
  refused(/notes.txt": there is no ISO 9660 or UDF in it, and it is no kernel/, "add", key, text);
  refused(/cannot give ".*ipxe.efi" an initrd or words: it is no kernel/, "add", key, `${ipxe}.efi`, "--append", "x");
  refused(/cannot give one initrds or words to several files/, "add", key, text, packed, "--append", "x");
  refused(/cannot open ".*none"/, "add", key, `${memtest}.bin`, "--initrd", folder.join("none"));
  refused(/there is nothing on it/, "test", key);
  assert.doesNotMatch(done("list", key), /^name/m, "nothing was added");
});

test("a kernel with its initrds starts, is tested, and goes with them", { skip }, async () => {
  await using folder = folderForAnyone();
  const key = folder.join("key.img");
  done("create", key, "--size", "160MB");
  const kernel = readable(folder, "vmlinuz", fs.readFileSync(someKernel()));
  const script = ['echo "told: $(cat /proc/cmdline)"', 'echo "first: $(ls /first)"', "poweroff -f"];
  const first = readable(folder, "first.img", makeInitramfs([], [], { "first/": "", "first/is-there": "" }));
  const second = readable(folder, "second.img", makeInitramfs([], script)); // whose /init is the one that counts
  const words = ["--append", 'a=1 b="c d" root=UUID=${isosUuid}'];
  const added = done("add", key, kernel, "--initrd", first, "--initrd", second, ...words);
  assert.match(added, /^added vmlinuz \(.*\): Linux kernel \d/m);
  assert.doesNotMatch(added, /warning/);
  assert.match(done("list", key), /^vmlinuz +.* BIOS, UEFI +.*Linux kernel/m);
  const told = /^told: .*a=1 "?b="?c d"? root=UUID=[\dA-F-]{9} /m;
  const until = ["--until", "first: is-there"];
  assert.match(done("run", key, "--choose", "vmlinuz", ...until, ...emulated, "--no-network"), told);
  const tested = holdfast("key", "test", key, ...emulated);
  assert.deepEqual(results(tested.said), ["vmlinuz BIOS started", "vmlinuz UEFI started"], tested.said);
  assert.equal(tested.status, 0);
  assert.match(done("list", key), /^vmlinuz +.* BIOS \(seen\), UEFI \(seen\) +.*Linux kernel/m);
  refused(/has "vmlinuz" already/, "add", key, kernel);
  runPeer("mdel", ["-i", isosOf(key), "::vmlinuz.initrd"]);
  const broken = holdfast("key", "test", key, "vmlinuz", "--firmware", "bios", ...emulated);
  assert.equal(broken.status, 3, broken.said);
  assert.match(broken.said, /vmlinuz +BIOS +refused .*vmlinuz.initrd' not found/);
  assert.match(done("list", key), /^vmlinuz +.* BIOS \(failed\), UEFI \(seen\)/m);
  done("remove", key, "vmlinuz");
  const left = runPeer("mdir", ["-b", "-i", isosOf(key), "::"], { stdio: ["ignore", "pipe", "ignore"] });
  assert.doesNotMatch(left, /vmlinuz/);
});
