/** GRUB where it is not installed: from packages that are named, or that apt fetches. And for other machines than PCs. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { createDisk, type BootRequest } from "../../src/disk/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { cacheFolder, fetchedPackage } from "./fetched-package.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil } from "./qemu.ts";

const now = { seconds: 1_700_000_000 };

/** A kernel that is nothing but the header of one. */
function treeFor(folder: TemporaryFolder, architecture: "x86_64" | "arm64"): string {
  const kernel = Buffer.alloc(4096);
  if (architecture === "arm64") kernel.write("ARMd", 0x38);
  else kernel.set(Buffer.from("HdrS\x0f\x02"), 0x202);
  if (architecture === "x86_64") kernel.writeUInt16LE(1, 0x236);
  fs.mkdirSync(folder.join("tree/boot"), { recursive: true });
  fs.writeFileSync(folder.join("tree/boot/vmlinuz-1"), kernel);
  return folder.join("tree");
}

async function makeDisk(path: string, from: string, boot: Partial<BootRequest>): Promise<void> {
  await createDisk({
    path,
    sizeBytes: 140_000_000,
    table: "gpt",
    layout: "aligned",
    partitions: [],
    from: [from],
    force: false,
    preallocate: false,
    uuid: "11111111-2222-3333-4444-555555555555",
    nowMs: 0,
    sourceDateEpoch: now.seconds,
    boot: { firmwares: ["bios", "uefi"], serial: true, secureBoot: false, ...boot },
  });
}

const packages = ["grub-pc-bin", "grub-efi-amd64-bin"] as const;

/** Why there is nothing to compare: the archive has another version by now, or cannot be reached. */
async function notTheSame(): Promise<string | false> {
  const missing = skipWithout("dpkg-query", "/usr/lib/grub/i386-pc/kernel.img", "/usr/lib/grub/x86_64-efi/kernel.img");
  if (missing !== false) return missing;
  for (const name of packages) {
    const file = await fetchedPackage(name, "amd64");
    if (file === undefined) return `${name} cannot be fetched`;
    const version = runPeer("dpkg-query", ["-W", "-f", "${Version}", name]);
    if (runPeer("dpkg-deb", ["-f", file, "Version"]).trim() !== version) return `${name} ${version} is not the newest`;
  }
  return false;
}

test("what apt fetches makes the same disk as what is installed", async (t) => {
  const reason = await notTheSame();
  if (reason !== false) return t.skip(reason);
  await using folder = temporaryFolder();
  const from = treeFor(folder, "x86_64");
  fs.mkdirSync(folder.join("machine/grub"), { recursive: true });
  for (const platform of ["i386-pc", "x86_64-efi"]) {
    fs.symlinkSync(`/usr/lib/grub/${platform}`, folder.join("machine/grub", platform));
  }
  await makeDisk(folder.join("installed"), from, { machineFolder: folder.join("machine") });
  await makeDisk(folder.join("fetched"), from, { machineFolder: folder.join("nowhere"), cacheFolder });
  const grubFrom = await Promise.all(packages.map((name) => fetchedPackage(name, "amd64")));
  const given = grubFrom.filter((file) => file !== undefined);
  await makeDisk(folder.join("given"), from, { machineFolder: folder.join("nowhere"), grubFrom: given });
  const installed = fs.readFileSync(folder.join("installed"));
  assert.ok(fs.readFileSync(folder.join("fetched")).equals(installed), "fetched");
  assert.ok(fs.readFileSync(folder.join("given")).equals(installed), "given");
});

test("without GRUB and without apt it is said what to install", async () => {
  await using folder = temporaryFolder();
  const from = treeFor(folder, "x86_64");
  await assert.rejects(makeDisk(folder.join("disk"), from, { machineFolder: folder.join("nowhere") }), {
    message: /^cannot make a boot loader: "\S+\/nowhere\/grub\/i386-pc" holds no GRUB for i386-pc$/,
    hint: /install Debian's grub-pc-bin/,
  });
  fs.mkdirSync(folder.join("empty"));
  await assert.rejects(makeDisk(folder.join("disk"), from, { grubFrom: [folder.join("empty")] }), {
    message: /^cannot take GRUB from "\S+\/empty": it has nothing that this disk needs$/,
  });
  assert.ok(!fs.existsSync(folder.join("disk")));
});

test("a disk for arm64 starts GRUB on such a machine", { skip: skipWithout(...machinePeers.arm64) }, async (t) => {
  const grub = await fetchedPackage("grub-efi-arm64-bin", "arm64");
  if (grub === undefined) return t.skip("grub-efi-arm64-bin cannot be fetched");
  await using folder = temporaryFolder();
  const disk = folder.join("disk");
  await makeDisk(disk, treeFor(folder, "arm64"), { firmwares: ["uefi"], grubFrom: [grub] });
  const said = await serialUntil(disk, "*Linux 1 ", "arm64");
  assert.match(said, /GNU GRUB +version/);
  assert.match(said, /\*Linux 1 /, said);
});

test("kernels that cannot be started where they are asked to are refused", async () => {
  await using folder = temporaryFolder();
  const from = treeFor(folder, "arm64");
  await assert.rejects(makeDisk(folder.join("disk"), from, { firmwares: ["bios"] }), {
    code: "unsupported",
    message: "cannot make a disk start by BIOS: its kernels are for arm64, not for PCs",
    hint: /--boot uefi/,
  });
  const kernel = Buffer.alloc(4096);
  kernel.writeUInt32LE(0x05435352, 0x38);
  fs.writeFileSync(folder.join("tree/boot/vmlinuz-1"), kernel);
  await assert.rejects(makeDisk(folder.join("disk"), from, { firmwares: ["uefi"] }), {
    code: "unsupported",
    message: "cannot make a disk start by UEFI: its kernels are for riscv64",
  });
});
