/** `key check`, and the menu's own check, of keys that are whole and of keys that are not. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { runDisk } from "../../src/disk/index.ts";
import { addIsos, checkKey, createKey, type KeyCheckReport, type KeyFinding } from "../../src/key/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { makeIso } from "./live-iso.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";

const skip = skipWithout("xorriso", "implantisomd5", "mcopy", "mdel", "sha256sum", "sfdisk", ...machinePeers.bios);
const nowMs = 1_700_000_000_000;
const mib = 2 ** 20;

function isoFiles(proof: string): Readonly<Record<string, string>> {
  return {
    "boot/grub/loopback.cfg": `echo "reached $iso_path"\nmenuentry one {\n  linux /vmlinuz findiso=\${iso_path}\n  initrd /initrd\n}\n`,
    vmlinuz: "kernel",
    initrd: proof.repeat(40_000),
  };
}

interface Checked extends KeyCheckReport {
  /** `severity where: message` */
  readonly lines: readonly string[];
}

async function check(key: string, ...names: readonly string[]): Promise<Checked> {
  const findings: KeyFinding[] = [];
  const report = await checkKey({ key, names }, { onFinding: async (finding) => void findings.push(finding) });
  return { ...report, lines: findings.map(({ severity, where, message }) => `${severity} ${where}: ${message}`) };
}

suite("a key", { skip }, () => {
  let folder: TemporaryFolder;
  let whole: string;
  /** Where usbboot and isos begin. */
  let boot: number;
  let isos: number;
  before(async () => {
    folder = temporaryFolder();
    whole = folder.join("whole.img");
    const request = { path: whole, sizeBytes: "auto", table: "mbr", isosKind: "fat32", serial: false } as const;
    await createKey({ ...request, grubFrom: [], force: false, nowMs });
    const verify = { keyrings: [], keyringFolders: [], acceptsProblems: false, needsSignature: false };
    for (const [name, proof] of [
      ["good", "good text "],
      ["tools/it's bad", "other text"],
    ] as const) {
      const iso = makeIso(folder, "some.iso", isoFiles(proof));
      await addIsos({ key: whole, isos: [iso], name, isRehearsal: false, verify, nowMs });
    }
    const starts = runPeer("sfdisk", ["-d", whole]).matchAll(/start= *(\d+)/g);
    [boot = 0, isos = 0] = Array.from(starts, ([, start]) => Number(start) * 512);
    const copied = makeIso(folder, "copied.iso", isoFiles("copied one"));
    runPeer("implantisomd5", [copied]);
    runPeer("mcopy", ["-i", `${whole}@@${isos}`, copied, "::copied.iso"]);
    runPeer("mcopy", ["-i", `${whole}@@${isos}`, folder.join("some.iso"), "::plain.iso"]);
  });
  after(() => folder[Symbol.asyncDispose]());

  async function changed(change: (image: string) => void): Promise<string> {
    const image = folder.join("changed.img");
    fs.copyFileSync(whole, image);
    change(image);
    return image;
  }

  /** Changes one byte in the middle of the first place where this text stands. */
  function flip(image: string, text: string): void {
    const bytes = fs.readFileSync(image);
    const at = bytes.indexOf(text.repeat(1000)) + 500;
    assert.ok(at > isos);
    overwrite(image, at, Buffer.of((bytes[at] ?? 0) ^ 0x20));
  }

  function overwrite(image: string, at: number, bytes: Uint8Array): void {
    const fd = fs.openSync(image, "r+");
    fs.writeSync(fd, bytes, 0, bytes.length, at);
    fs.closeSync(fd);
  }

  test("that is whole has no findings, and stays as it is", async () => {
    const hash = (): string => createHash("sha256").update(fs.readFileSync(whole)).digest("hex");
    const before = hash();
    const { lines, files, errorCount } = await check(whole);
    assert.deepEqual(lines, []);
    assert.equal(errorCount, 0);
    assert.deepEqual(files.map(({ name, verdict }) => `${name}: ${verdict}`).toSorted(), [
      "copied.iso: whole",
      "good.iso: as-added",
      "plain.iso: unknown",
      "tools/it's bad.iso: as-added",
    ]);
    assert.equal(hash(), before);
    // What the menu checks is what sha256sum checks.
    fs.mkdirSync(folder.join("isos"));
    runPeer("mcopy", ["-s", "-i", `${whole}@@${isos}`, "::*", folder.join("isos")]);
    for (const name of ["good.iso", "tools/it's bad.iso"]) {
      const sum = runPeer("mtype", ["-i", `${whole}@@${boot}`, `::boot/grub/isos/${name}.sha256`]);
      assert.match(runPeer("sha256sum", ["--check", "-"], { cwd: folder.join("isos"), input: sum }), /: OK$/m);
    }
  });

  test("each thing that is wrong is a finding of its own", async () => {
    const expected: readonly (readonly [change: (image: string) => void, ...lines: RegExp[]])[] = [
      [(image) => flip(image, "good text "), /^error good.iso: its SHA-256 is [0-9a-f]{64}, and was [0-9a-f]{64} when/],
      [(image) => flip(image, "copied one"), /^error copied.iso: what implantisomd5 left in it says its MD5 is/],
      [(image) => overwrite(image, 100, Buffer.from("x")), /^error GRUB: the boot sector or GRUB's core image was/],
      [(image) => overwrite(image, 9000, Buffer.from("x")), /^error GRUB: the boot sector or GRUB's core image was/],
      [
        (image) => runPeer("mdel", ["-i", `${image}@@${boot}`, "::EFI/BOOT/BOOTX64.EFI"]),
        /^error GRUB: "EFI\/BOOT\/BOOTX64.EFI" is not there$/,
      ],
      [
        (image) =>
          runPeer("mcopy", ["-o", "-i", `${image}@@${boot}`, folder.join("copied.iso"), "::boot/grub/grub.cfg"]),
        /^error GRUB: "boot\/grub\/grub.cfg" was changed$/,
      ],
      [
        (image) => runPeer("mdel", ["-i", `${image}@@${isos}`, "::good.iso"]),
        /^warning good.iso: it is gone, and its entries are still there/,
      ],
      [
        (image) => runPeer("mdel", ["-i", `${image}@@${boot}`, "::boot/grub/isos/good.iso.sha256"]),
        /^warning good.iso: the sum that the menu checks it against/,
      ],
      [
        (image) => {
          const other = makeIso(folder, "other.iso", { ...isoFiles("another"), more: "x".repeat(10_000) });
          runPeer("mcopy", ["-o", "-i", `${image}@@${isos}`, other, "::good.iso"]);
        },
        /^error good.iso: it has \d+ bytes, and had \d+ when it was added/,
      ],
    ];
    for (const [change, ...lines] of expected) {
      const found = await check(await changed(change));
      assert.equal(found.lines.length, lines.length, found.lines.join("\n"));
      for (const [n, line] of lines.entries()) assert.match(found.lines[n] ?? "", line);
    }
    const bad = await changed((image) => flip(image, "other text"));
    assert.equal((await check(bad, "good", "plain.iso")).errorCount, 0);
    assert.equal((await check(bad, "it's bad")).errorCount, 1);
    await assert.rejects(check(bad, "none"), { code: "not-found" });
  });

  test("that is damaged anywhere ends in findings", async () => {
    const places: readonly (readonly [name: string, at: number, lengthBytes: number])[] = [
      ["the table of partitions", 446, 16],
      ["the boot sector of usbboot", boot, 512],
      ["the FAT of usbboot", boot + 2048, 4096],
      ["all of usbboot", boot, 8 * mib],
      ["the boot sector of isos", isos, 64],
      ["the FATs of isos", isos + 512, 32 * 1024],
      ["all of isos", isos, 8 * mib],
    ];
    for (const [name, at, lengthBytes] of places) {
      for (const byte of [0x00, 0xff, 0x5a]) {
        const image = await changed((file) => overwrite(file, at, Buffer.alloc(lengthBytes, byte)));
        try {
          const { errorCount } = await check(image);
          assert.ok(errorCount > 0, `${name}, ${byte}`);
        } catch (error) {
          // Without its mark it is no key any more.
          assert.ok(error instanceof Failure && error.code === "unsupported", `${name}, ${byte}: ${String(error)}`);
        }
      }
    }
  });

  test("its menu reads an ISO before it starts: what is as it was starts, what is not does not by itself", async () => {
    const image = await changed((file) => flip(file, "other text"));
    const said = async (path: string, until: string): Promise<string> => {
      let all = "";
      const start = `check>check:${path}>${path}`;
      const machine = { firmware: "bios", secureBoot: false, snapshot: true, bus: "virtio", cpus: 1 } as const;
      const quietly = { window: false, accelerate: false, inTerminal: false, memoryBytes: 256 * mib, env: process.env };
      const request = { ...machine, ...quietly, path: image, until, timeLimitMs: 150_000 };
      await runDisk(
        { ...request, firmwareText: `holdfast-key serial start=${start}` },
        { onSerial: async (bytes) => void (all += Buffer.from(bytes).toString("latin1")) },
      );
      return all;
    };
    assert.match(await said("/good.iso", "reached /good.iso"), /good.iso: OK/);
    const refused = await said("/tools/it's bad.iso", "It is NOT as it was");
    assert.match(refused, /it's bad.iso: HASH MISMATCH/);
    assert.doesNotMatch(refused, /reached/);
  });
});
