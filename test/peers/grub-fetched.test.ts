/** GRUB where it is not installed: from packages that are named, or that apt fetches. And for other machines than PCs. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { createDisk, type BootRequest } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { signedProgram } from "../boot/signed-program.ts";
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
    ...plainDisk,
    path,
    sizeBytes: 140_000_000,
    table: "gpt",
    from: [from],
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

test("what apt says is said", { skip: skipWithout("apt-get") }, async () => {
  await using folder = temporaryFolder();
  const from = treeFor(folder, "arm64");
  fs.writeFileSync(folder.join("apt.conf"), 'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "/dev/null";\n');
  const env = { APT_CONFIG: folder.join("apt.conf"), XDG_CACHE_HOME: folder.join("cache") };
  const words = ["disk", "create", folder.join("disk"), "--size", "100MB", "--from", from, "--boot", "uefi"];
  const plain = await runHoldfast(words, env);
  assert.match(
    plain.stderr,
    /no GRUB for arm64-efi, and apt cannot fetch the package "grub-efi-arm64-bin": \S.*\nhint: install Debian's grub-efi-arm64-bin/,
  );
  const signed = await runHoldfast([...words, "--secure-boot"], env);
  assert.match(signed.stderr, /no signed shim for arm64-efi, and apt cannot fetch the package "shim-signed": \S/);
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

test("signed programs for arm64 come from their packages, and where each of them looks", async (t) => {
  const names = ["shim-signed", "shim-helpers-arm64-signed", "grub-efi-arm64-signed"];
  const files: string[] = [];
  for (const name of names) files.push((await fetchedPackage(name, "arm64")) ?? "");
  if (files.includes("")) return t.skip(`${names.join(" ")} cannot be fetched`);
  await using folder = temporaryFolder();
  const from = treeFor(folder, "arm64");
  fs.writeFileSync(folder.join("tree/boot/vmlinuz-1"), signedProgram(0xaa64));
  const disk = folder.join("disk");
  const boot = { firmwares: ["uefi"], secureBoot: true, machineFolder: folder.join("nowhere") } as const;
  await makeDisk(disk, from, { ...boot, grubFrom: files });
  const listed = await runHoldfast(["disk", "ls", "-R", `${disk}:1/EFI`]);
  const wanted =
    "/EFI:\nBOOT\ndebian\n\n/EFI/BOOT:\nBOOTAA64.EFI\ngrubaa64.efi\nmmaa64.efi\n\n/EFI/debian:\ngrub.cfg\n";
  assert.equal(listed.stdout, wanted);
  const config = await runHoldfast(["disk", "cat", `${disk}:1/EFI/debian/grub.cfg`]);
  assert.match(
    config.stdout,
    /^search --no-floppy --fs-uuid --set=root [0-9a-f-]{36}\nset prefix=\(\$root\)\/boot\/grub\n/,
  );
  const menu = await runHoldfast(["disk", "cat", `${disk}:2/boot/grub/grub.cfg`]);
  assert.match(menu.stdout, /linux \/boot\/vmlinuz-1 .* console=ttyAMA0,115200$/m);
  await assert.rejects(makeDisk(folder.join("other"), from, { ...boot, grubFrom: files.slice(0, 1) }), {
    code: "not-found",
    message: "cannot make a disk for Secure Boot: there is no signed GRUB for arm64-efi",
  });
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
