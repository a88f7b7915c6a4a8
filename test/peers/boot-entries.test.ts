/** Entries and versions in the order of systemd; a boot partition and a unified kernel image start in a machine. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { compareVersions } from "../../src/boot/compare-versions.ts";
import { compareEntries, parseLoaderEntry } from "../../src/boot/loader-entry.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { temporaryFolder } from "../temp.ts";
import { fetchedPackage } from "./fetched-package.ts";
import { holdfast, treeWithKernel } from "./holdfast-as-nobody.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil, someKernel } from "./qemu.ts";
import { efiStub, makeUnifiedKernel } from "./unified-kernel.ts";

const kernel = someKernel();
const debianArchitecture = (): string => runPeer("dpkg", ["--print-architecture"]).trim();

test("versions are ordered as systemd orders them", { skip: skipWithout("systemd-analyze") }, () => {
  const parts = ["1", "0", "01", "10", "9", "a", "A", "rc", "~", "^", ".", "-", "_", "+", "6.1", "amd64"];
  let state = 5;
  const next = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  const some = (): string =>
    Array.from({ length: 1 + next(6) }, () => parts[(next(256) >>> 4) % parts.length]).join("");
  for (let n = 0; n < 100; n++) {
    const [a, b] = [some(), some()];
    const program = `systemd-analyze compare-versions -- "$1" "$2" || true`;
    const said = runPeer("sh", ["-c", program, "sh", a, b]).trim();
    const wanted = { "<": -1, "==": 0, ">": 1 }[/ (<|==|>) /.exec(said)?.[1] ?? ""];
    assert.equal(compareVersions(a, b), wanted, said);
  }
});

const entries: Readonly<Record<string, string>> = {
  "a-6.1.conf": "title a\nversion 6.1\nlinux /k\n",
  "a-6.10.conf": "title a\nversion 6.10\nlinux /k\n",
  "b.conf": "title b\nsort-key z\nversion 1\nmachine-id 00000000000000000000000000000001\nlinux /k\n",
  "c.conf": "title c\nsort-key b\nversion 1~rc1\nmachine-id 00000000000000000000000000000001\nlinux /k\n",
  "d.conf": "title d\nsort-key b\nversion 1\nmachine-id 00000000000000000000000000000001\nlinux /k\n",
  "e.conf": "title e\nsort-key b\nversion 2\nmachine-id 00000000000000000000000000000002\nlinux /k\n",
  "f+2-1.conf": "title f\nsort-key a\nversion 2\nlinux /k\n",
  "g+0-3.conf": "title g\nsort-key a\nversion 3\nlinux /k\n",
};

test(
  "entries are ordered as systemd orders them",
  { skip: skipWithout("dpkg-deb", "mke2fs", "systemd-analyze") || skipWithoutMount() },
  async (t) => {
    // Installing it would put systemd's boot loader on this machine.
    const loader = await fetchedPackage("systemd-boot", debianArchitecture());
    if (loader === undefined) return t.skip("systemd-boot cannot be fetched");
    await using folder = temporaryFolder();
    runPeer("dpkg-deb", ["-x", loader, folder.join("package")]);
    fs.mkdirSync(folder.join("tree/loader/entries"), { recursive: true });
    fs.writeFileSync(folder.join("tree/k"), "kernel");
    for (const [name, text] of Object.entries(entries))
      fs.writeFileSync(folder.join("tree/loader/entries", name), text);
    runPeer("mke2fs", ["-q", "-d", folder.join("tree"), folder.join("image"), "4M"]);
    const mountPoint = folder.join("esp");
    let said = "";
    await whileMounted(folder.join("image"), mountPoint, "ro", async () => {
      const env = { SYSTEMD_RELAX_ESP_CHECKS: "1", SYSTEMD_RELAX_XBOOTLDR_CHECKS: "1" };
      said = runPeer(folder.join("package/usr/bin/bootctl"), [`--esp-path=${mountPoint}`, "--no-pager", "list"], {
        env,
      });
    });
    const theirs = Array.from(said.matchAll(/^ *source: .*\/(\S+\.conf)/gm), ([, name = ""]) => name);
    const own = Object.entries(entries).map(([name, text]) => ({ name, ...parseLoaderEntry(name, text) }));
    assert.deepEqual(
      own.toSorted(compareEntries).map(({ name }) => name),
      theirs,
      said,
    );
  },
);

test(
  "a partition for /boot: its kernel is started with the root of the other",
  { skip: skipWithout(kernel, ...machinePeers.bios) },
  async () => {
    await using folder = temporaryFolder();
    const tree = treeWithKernel(folder, kernel);
    const partitions = [`size=60MB,fs=ext4,label=boot,from=${tree}/boot`, "size=20MB,fs=ext4,label=root"];
    const words = [
      "--size",
      "90MB",
      ...partitions.flatMap((spec) => ["-p", spec]),
      "--boot",
      "bios",
      "--serial",
      "--timeout",
      "0",
    ];
    const made = holdfast("disk", "create", folder.join("disk"), ...words);
    assert.equal(made.status, 0, made.said);
    const uuids = Array.from(made.said.matchAll(/ (boot|root) .* ([0-9a-f-]{36})$/gm), ([, , uuid = ""]) => uuid);
    assert.equal(uuids.length, 2, made.said);
    const said = await serialUntil(folder.join("disk"), "console=ttyS0,115200");
    assert.match(said, new RegExp(`Command line: BOOT_IMAGE=/vmlinuz-\\S+ root=UUID=${uuids[1]} ro`), said);
    assert.match(holdfast("disk", "kernel", `${folder.join("disk")}:1`).said, /^\/vmlinuz-\S+ .*root=UUID=/m);
  },
);

test(
  "a unified kernel image is started by UEFI with the command line in it",
  { skip: skipWithout(kernel, "objcopy", efiStub, ...machinePeers.uefi) },
  async () => {
    await using folder = temporaryFolder();
    fs.chmodSync(folder.path, 0o777);
    fs.mkdirSync(folder.join("tree/boot/EFI/Linux"), { recursive: true });
    const parts = {
      osrel: "PRETTY_NAME=Test\n",
      cmdline: "console=ttyS0 holdfast.unified",
      linux: fs.readFileSync(kernel),
    };
    makeUnifiedKernel(folder.join("tree/boot/EFI/Linux/one.efi"), folder, parts);
    const words = ["disk", "create", folder.join("disk"), "--size", "180MB", "--from", folder.join("tree"), "--serial"];
    const bios = holdfast(...words, "--boot", "bios");
    assert.match(bios.said, /it has only unified kernel images\nhint: UEFI starts them/);
    const made = holdfast(...words, "--boot", "uefi");
    assert.equal(made.status, 0, made.said);
    const said = await serialUntil(folder.join("disk"), "Command line: console=ttyS0 holdfast.unified", "uefi");
    assert.match(said, /Command line: console=ttyS0 holdfast\.unified/, said);
  },
);
