/** What is recognised in ISOs and initrds that real programs made. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { recogniseFile, type BootEntry, type RecognisedIso } from "../../src/key/recognise/index.ts";
import { InitrdReader, type InitrdFindings } from "../../src/key/recognise/initrd.ts";
import { openChunks } from "../../src/tree/index.ts";
import { dracutLive, kernelStub, makeIso } from "../key/recognise/sample-iso.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { someKernel } from "./qemu.ts";

const memtest = "/usr/lib/memtest86+/memtest86+x64.iso";
const memtest32 = "/usr/lib/memtest86+/memtest86+ia32.iso";
const ipxe = "/usr/lib/ipxe/ipxe.iso";
const rescue = "/usr/lib/grub-rescue/grub-rescue-cdrom.iso";
const installer = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64";

async function isoOf(image: string): Promise<RecognisedIso> {
  await using reader = await FileReader.open(image);
  const file = await recogniseFile(reader);
  assert.ok(file?.kind === "iso");
  return file.iso;
}

/** How, on what firmware and computer. */
function ways({ entries }: RecognisedIso): readonly unknown[] {
  return entries.map(({ how, firmwares, architecture }: BootEntry) => [how, firmwares.join(), architecture]);
}

test("MEMTEST86+: a floppy for the BIOS, a program for UEFI", { skip: skipWithout(memtest, memtest32) }, async () => {
  const floppy = { kind: "memdisk", image: { kind: "file", path: "/boot/floppy.img" }, medium: "floppy" };
  assert.deepEqual(ways(await isoOf(memtest)), [
    [floppy, "bios", "i386"],
    [{ kind: "efi", program: "/EFI/BOOT/bootx64.efi" }, "uefi", "x86_64"],
  ]);
  assert.deepEqual(ways(await isoOf(memtest32)), [
    [floppy, "bios", "i386"],
    [{ kind: "efi", program: "/EFI/BOOT/bootia32.efi" }, "uefi", "i386"],
  ]);
});

test("iPXE: its kernel for the BIOS, a program in an image for UEFI", { skip: skipWithout(ipxe) }, async () => {
  assert.deepEqual(ways(await isoOf(ipxe)), [
    [{ kind: "linux16", kernel: "/ipxe.krn", initrds: [], words: [] }, "bios", "i386"],
    [{ kind: "efi", program: "/efi/boot/bootx64.efi", image: { kind: "file", path: "/efi.img" } }, "uefi", "x86_64"],
  ]);
});

test("GRUB's rescue disc: all of it in memory", { skip: skipWithout(rescue) }, async () => {
  const whole = { kind: "memdisk", image: { kind: "whole" }, medium: "iso" };
  assert.deepEqual(ways(await isoOf(rescue)), [[whole, "bios", "i386"]]);
});

test(
  "kernels and programs as they are installed",
  { skip: skipWithout("/boot/ipxe.lkrn", "/boot/ipxe.efi") },
  async () => {
    const kinds: unknown[] = [];
    for (const file of ["/boot/ipxe.lkrn", "/boot/ipxe.efi", "/boot/memtest86+x64.bin", someKernel()]) {
      await using reader = await FileReader.open(file);
      const found = await recogniseFile(reader);
      assert.ok(found !== undefined && found.kind !== "iso");
      kinds.push([found.kind, found.entries[0]?.how.kind, found.entries[0]?.architecture]);
    }
    assert.deepEqual(kinds, [
      ["kernel", "linux16", "i386"],
      ["efi-program", "efi", "x86_64"],
      ["kernel", "linux16", "x86_64"],
      ["kernel", "linux", "x86_64"],
    ]);
  },
);

test("Debian's installer from the network, as a mini.iso", { skip: skipWithout("xorriso", installer) }, async () => {
  await using folder = temporaryFolder();
  makeIso(folder.join("mini"), {
    linux: fs.readFileSync(path.join(installer, "linux")),
    "initrd.gz": fs.readFileSync(path.join(installer, "initrd.gz")),
  });
  const iso = await isoOf(folder.join("mini"));
  assert.equal(iso.family, "debian-installer-netboot");
  assert.deepEqual(iso.entries, [
    {
      title: "SAMPLE",
      architecture: "x86_64",
      how: { kind: "linux", kernel: "/linux", initrds: ["/initrd.gz"], words: [] },
      firmwares: ["bios", "uefi"],
      signers: ["Debian Secure Boot CA"],
    },
  ]);
  assert.match(iso.evidence.join(), /Debian's installer from the network, mounts fat/);
});

async function look(...initrds: readonly string[]): Promise<InitrdFindings> {
  const reader = new InitrdReader({});
  for (const initrd of initrds) {
    await using source = await openChunks(initrd);
    await reader.read(source.chunks, initrd);
  }
  return reader.findings();
}

/** Each way to pack an initrd that kernels know, by the program for it. */
const packers: Readonly<Record<string, readonly string[]>> = {
  gzip: ["-1", "-c"],
  xz: ["-0", "--check=crc32", "-c"],
  zstd: ["-q", "-1", "-c"],
  lz4: ["-q", "-l", "-c"],
};
const packerNames = Object.keys(packers);

const kernelVersion = (): string => path.basename(someKernel()).replace(/^vmlinuz-/, "");

test(
  "an initrd of dracut, packed in every way, in Fedora's layout",
  { skip: skipWithout("dracut", "xorriso", ...packerNames) },
  async () => {
    await using folder = temporaryFolder();
    const initrd = folder.join("initrd");
    const modules = ["-m", "base dmsquash-live", "--drivers", "vfat ext4", "--kver", kernelVersion()];
    runPeer("dracut", ["-q", "-f", "--no-hostonly", "--no-early-microcode", "--no-compress", ...modules, initrd]);
    for (const [program, args] of Object.entries(packers)) {
      const packed = folder.join(program);
      runPeer("sh", ["-c", `exec ${program} ${args.join(" ")} "$0" >"$1"`, initrd, packed]);
      const { convention, fileSystems, isWhole, notes } = await look(packed);
      assert.deepEqual(
        [convention?.id, fileSystems, isWhole, notes],
        ["dracut-live", ["fat", "ext4"], true, []],
        program,
      );
    }
    const files = {
      "LiveOS/squashfs.img": "",
      "images/pxeboot/vmlinuz": kernelStub(),
      "images/pxeboot/initrd.img": "",
    };
    const packed = fs.readFileSync(folder.join("lz4"));
    makeIso(folder.join("iso"), { ...files, "images/pxeboot/initrd.img": packed }, "Fedora-WS-Live 42");
    const { entries, volumeUuid } = await isoOf(folder.join("iso"));
    const [entry] = entries;
    assert.deepEqual(entry?.how, {
      kind: "linux",
      kernel: "/images/pxeboot/vmlinuz",
      initrds: ["/images/pxeboot/initrd.img"],
      words: [`root=live:UUID=${volumeUuid}`, "rd.live.image", "iso-scan/filename=${isoPath}"],
    });
    assert.deepEqual(entry?.readableFrom, ["fat", "ext4"]);
  },
);

test(
  "an initrd of initramfs-tools with microcode before it",
  { skip: skipWithout("mkinitramfs", "cpio") },
  async () => {
    await using folder = temporaryFolder();
    const settings = folder.join("settings");
    runPeer("cp", ["-r", "/etc/initramfs-tools", settings]);
    fs.mkdirSync(path.join(settings, "scripts"), { recursive: true });
    fs.writeFileSync(path.join(settings, "scripts/live"), "");
    fs.appendFileSync(path.join(settings, "initramfs.conf"), "\nMODULES=list\nCOMPRESS=zstd\n");
    fs.appendFileSync(path.join(settings, "modules"), "\nvfat\n");
    runPeer("mkinitramfs", ["-d", settings, "-o", folder.join("main"), kernelVersion()]);
    fs.mkdirSync(folder.join("early/kernel/x86/microcode"), { recursive: true });
    fs.writeFileSync(folder.join("early/kernel/x86/microcode/AuthenticAMD.bin"), Buffer.alloc(5000, 1));
    const early = runPeer("sh", ["-c", "find . | cpio -o -H newc --quiet"], {
      cwd: folder.join("early"),
      encoding: "latin1",
    });
    const main = fs.readFileSync(folder.join("main"));
    fs.writeFileSync(folder.join("both"), Buffer.concat([Buffer.from(early, "latin1"), main]));
    const found = await look(folder.join("both"));
    assert.equal(found.convention?.id, "live-boot");
    assert.ok(found.fileSystems.includes("fat") && !found.fileSystems.includes("exfat"));
    assert.equal(found.isWhole, true);
    const cut = folder.join("cut");
    fs.writeFileSync(cut, main.subarray(0, main.length - 100_000));
    assert.equal((await look(cut)).isWhole, false);
  },
);

test("what cpio writes, in both forms that kernels know", { skip: skipWithout("cpio") }, async () => {
  await using folder = temporaryFolder();
  makeTree(folder);
  for (const form of ["newc", "crc"]) {
    runPeer("sh", ["-c", `find . | cpio -o -H ${form} --quiet >"$0"`, folder.join(form)], { cwd: folder.join("tree") });
    const { convention, fileSystems, isWhole } = await look(folder.join(form));
    assert.deepEqual([convention?.id, fileSystems, isWhole], ["casper", ["fat"], true], form);
  }
});

function makeTree(folder: TemporaryFolder): void {
  const tree = folder.join("tree");
  fs.mkdirSync(path.join(tree, "scripts"), { recursive: true });
  fs.writeFileSync(path.join(tree, "scripts/casper"), "x".repeat(4099));
  fs.mkdirSync(path.join(tree, "lib/modules/6/kernel"), { recursive: true });
  fs.writeFileSync(path.join(tree, "lib/modules/6/modules.builtin"), "kernel/fs/fat/vfat.ko\n");
  fs.symlinkSync("casper", path.join(tree, "scripts/link"));
}

const fatPrograms = ["mkfs.fat", "mmd", "mcopy"] as const;

/** Makes a FAT of 3 MiB in a file, which it may begin in the middle of, and puts files on it. */
function makeFat(image: string, files: Readonly<Record<string, string | Uint8Array>>, offsetMiB = 0): void {
  const place = offsetMiB === 0 ? image : `${image}@@${offsetMiB}M`;
  fs.writeFileSync(image, Buffer.alloc((offsetMiB + 3) * 1024 * 1024));
  runPeer("mkfs.fat", ["--offset", `${offsetMiB * 2048}`, image, "3072"]);
  const folders = Object.keys(files).flatMap((name) => {
    const parts = name.split("/").slice(0, -1);
    return parts.map((_, n) => `::/${parts.slice(0, n + 1).join("/")}`);
  });
  if (folders.length > 0) runPeer("mmd", ["-i", place, ...new Set(folders)]);
  for (const [name, content] of Object.entries(files)) {
    fs.writeFileSync(`${image}.file`, content);
    runPeer("mcopy", ["-i", place, `${image}.file`, `::/${name}`]);
  }
}

const appended = (fat: string): readonly string[] => {
  return ["-append_partition", "2", "0xef", fat, "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];
};

test("programs for UEFI in a partition behind the disc", { skip: skipWithout("xorriso", ...fatPrograms) }, async () => {
  await using folder = temporaryFolder();
  const fat = folder.join("fat");
  makeFat(fat, { "EFI/BOOT/BOOTAA64.EFI": "MZ" });
  makeIso(folder.join("iso"), { "read.me": "x" }, "APPENDED", appended(fat));
  const [entry] = (await isoOf(folder.join("iso"))).entries;
  assert.ok(entry?.how.kind === "efi" && entry.how.image?.kind === "sectors");
  assert.deepEqual([entry.how.program, entry.architecture], ["/EFI/BOOT/BOOTAA64.EFI", "arm64"]);
  const { start, count } = entry.how.image;
  const there = fs.readFileSync(folder.join("iso")).subarray(start * 512, (start + count) * 512);
  assert.ok(there.equals(fs.readFileSync(fat)));
});

test(
  "AerynOS: kernel and initrd in the partition for UEFI",
  { skip: skipWithout("xorriso", ...fatPrograms) },
  async () => {
    await using folder = temporaryFolder();
    makeFat(folder.join("fat"), {
      "EFI/BOOT/BOOTX64.EFI": "MZ",
      "loader/entries/live.conf":
        "title AerynOS\nlinux /kernel\ninitrd /initrd\noptions root=live:CDLABEL=AERYN quiet\n",
      kernel: kernelStub(),
      initrd: dracutLive,
    });
    makeIso(folder.join("iso"), { "LiveOS/squashfs.img": "x" }, "AERYN", appended(folder.join("fat")));
    const iso = await isoOf(folder.join("iso"));
    assert.equal(iso.entries.length, 1);
    const [entry] = iso.entries;
    assert.ok(entry?.how.kind === "linux" && entry.how.image?.kind === "sectors");
    const { image: _, ...how } = entry.how;
    assert.deepEqual(how, {
      kind: "linux",
      kernel: "/kernel",
      initrds: ["/initrd"],
      words: ["root=live:CDLABEL=AERYN", "quiet", "rd.live.image", "iso-scan/filename=${isoPath}"],
    });
  },
);

test("LibreELEC: a disk whose system needs its disk", { skip: skipWithout("sfdisk", ...fatPrograms) }, async () => {
  await using folder = temporaryFolder();
  const disk = folder.join("disk");
  makeFat(disk, { KERNEL: kernelStub(), SYSTEM: "squashfs" }, 1);
  runPeer("sfdisk", ["-q", disk], { input: "start=2048, size=6144, type=c, bootable\n" });
  await using reader = await FileReader.open(disk);
  const found = await recogniseFile(reader);
  assert.ok(found?.kind === "disk-image");
  assert.deepEqual(found.entries, []);
  assert.match(found.refusal?.reason ?? "", /a system \(\/KERNEL\), which looks for its disk/);
});
