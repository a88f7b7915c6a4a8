import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/base/index.ts";
import { parseGrubMenu } from "../../src/boot/grub-menu.ts";
import { findKernels, type Kernel } from "../../src/boot/index.ts";
import { parseLoaderEntry } from "../../src/boot/loader-entry.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { makeExt } from "../../src/filesystem/ext/index.ts";
import { openFileSystem, resolvePath } from "../../src/filesystem/index.ts";
import { openSource } from "../../src/tree/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { skipWithout } from "../peers/peer.ts";
import { efiStub, makeUnifiedKernel } from "../peers/unified-kernel.ts";
import { temporaryFolder } from "../temp.ts";

const menu = `set timeout=5
menuentry 'Debian' {
\tsearch --no-floppy --fs-uuid --set=root 1234
\tlinux\t/boot/vmlinuz-6.1.0-9-amd64 root=UUID=1234 ro  quiet
\tinitrd\t/boot/initrd.img-6.1.0-9-amd64
}
menuentry 'Debian (recovery mode)' {
\tlinux\t/boot/vmlinuz-6.1.0-9-amd64 root=UUID=1234 ro single
}
`;
const entry =
  "title Fedora\nlinux /vmlinuz-6.1.0-10-amd64\ninitrd /initramfs\noptions root=UUID=5678 rw\noptions audit=0\n";

const files: Readonly<Record<string, string>> = {
  "boot/vmlinuz-6.1.0-9-amd64": "nine",
  "boot/initrd.img-6.1.0-9-amd64": "initrd of nine",
  "boot/vmlinuz-6.1.0-10-amd64": "ten",
  "boot/initramfs-6.1.0-10-amd64.img": "initrd of ten",
  "boot/vmlinuz-5.10": "old",
  "boot/System.map-6.1.0-9-amd64": "map",
  "boot/grub/grub.cfg": menu,
  "boot/loader/entries/fedora.conf": entry,
};

function makeTree(root: string, texts: Readonly<Record<string, string | Uint8Array>> = files): void {
  for (const [name, text] of Object.entries(texts)) {
    fs.mkdirSync(`${root}/${name.slice(0, name.lastIndexOf("/"))}`, { recursive: true });
    fs.writeFileSync(`${root}/${name}`, text);
  }
}

/** What is found in a file system with these files, and what is warned of. */
async function foundIn(
  texts: Readonly<Record<string, string | Uint8Array>>,
  links: Readonly<Record<string, string>> = {},
): Promise<{ readonly kernels: readonly Kernel[]; readonly warnings: readonly string[] }> {
  await using folder = temporaryFolder();
  makeTree(folder.join("tree"), texts);
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, folder.join("tree", name));
  const device = new MemoryDevice(new Uint8Array(16 * 2 ** 20));
  await using source = await openSource(folder.join("tree"));
  await makeExt(device, [source], { kind: "ext4", now: { seconds: 1, nanoseconds: 0 } });
  await using fileSystem = await openFileSystem(device);
  const warnings: string[] = [];
  return { kernels: await findKernels(fileSystem, { onWarning: (message) => warnings.push(message) }), warnings };
}

test("kernels come with their initrds, and the command lines of the menu or of an entry, the newest first", async () => {
  const { kernels } = await foundIn(files);
  assert.deepEqual(kernels, [
    {
      version: "6.1.0-10-amd64",
      path: "/boot/vmlinuz-6.1.0-10-amd64",
      initrd: "/boot/initramfs-6.1.0-10-amd64.img",
      commandLine: "root=UUID=5678 rw audit=0",
      entries: [{ title: "Fedora", commandLine: "root=UUID=5678 rw audit=0", initrds: [] }],
    },
    {
      version: "6.1.0-9-amd64",
      path: "/boot/vmlinuz-6.1.0-9-amd64",
      initrd: "/boot/initrd.img-6.1.0-9-amd64",
      commandLine: "root=UUID=1234 ro  quiet",
      entries: [
        { title: "Debian", commandLine: "root=UUID=1234 ro  quiet", initrds: ["/boot/initrd.img-6.1.0-9-amd64"] },
        { title: "Debian (recovery mode)", commandLine: "root=UUID=1234 ro single", initrds: [] },
      ],
    },
    { version: "5.10", path: "/boot/vmlinuz-5.10" },
  ]);
});

/** The header of a kernel for x86, with the version that it tells. */
function bzImage(release: string): Buffer {
  const kernel = Buffer.alloc(8192);
  kernel.set(Buffer.from("HdrS\x0f\x02"), 0x202);
  kernel.writeUInt16LE(0x1000, 0x20e);
  kernel.writeUInt16LE(1, 0x236);
  kernel.write(`${release} (someone) #1 SMP`, 0x1200);
  return kernel;
}

function arm64Image(): Buffer {
  const kernel = Buffer.alloc(4096);
  kernel.write("ARMd", 0x38);
  return kernel;
}

const short = ({ version, path, initrd, initrds, architecture }: Kernel): string =>
  [version, path, initrds?.join("+") ?? initrd, architecture].join(" ");

const distributions: Readonly<Record<string, readonly [Record<string, string | Uint8Array>, readonly string[]]>> = {
  Arch: [
    {
      "boot/vmlinuz-linux": bzImage("6.6.1-arch1-1"),
      "boot/initramfs-linux.img": "a",
      "boot/initramfs-linux-fallback.img": "a",
      "boot/intel-ucode.img": "a",
      "boot/vmlinuz-linux-lts": bzImage("6.1.60-1-lts"),
      "boot/initramfs-linux-lts.img": "b",
    },
    [
      "linux-lts /boot/vmlinuz-linux-lts /boot/intel-ucode.img+/boot/initramfs-linux-lts.img x86_64",
      "linux /boot/vmlinuz-linux /boot/intel-ucode.img+/boot/initramfs-linux.img x86_64",
    ],
  ],
  Alpine: [
    { "boot/vmlinuz-lts": "kernel", "boot/initramfs-lts": "a", "boot/config-lts": "a" },
    ["lts /boot/vmlinuz-lts /boot/initramfs-lts "],
  ],
  "SUSE on arm64": [
    { "boot/Image-6.4.0-default": arm64Image(), "boot/initrd-6.4.0-default": "a", "boot/Image-old": "no kernel" },
    ["6.4.0-default /boot/Image-6.4.0-default /boot/initrd-6.4.0-default arm64"],
  ],
  Gentoo: [
    {
      "boot/kernel-6.1.1-gentoo": bzImage("6.1.1-gentoo"),
      "boot/initramfs-6.1.1-gentoo.img": "a",
      "boot/kernel-notes": "text",
      "boot/System.map-6.1.1-gentoo": "a",
    },
    ["6.1.1-gentoo /boot/kernel-6.1.1-gentoo /boot/initramfs-6.1.1-gentoo.img x86_64"],
  ],
  "built by hand": [
    { "boot/bzImage": bzImage("6.7.0-rc1+"), "boot/vmlinux": "not one" },
    ["6.7.0-rc1+ /boot/bzImage  x86_64"],
  ],
  "a boot partition": [
    { "vmlinuz-6.1": "kernel", "initrd.img-6.1": "a", "grub/grub.cfg": "linux /vmlinuz-6.1 quiet\n" },
    ["6.1 /vmlinuz-6.1 /initrd.img-6.1 "],
  ],
};

for (const [name, [texts, wanted]] of Object.entries(distributions)) {
  test(`${name}: kernels and initrds as they are called there`, async () => {
    assert.deepEqual((await foundIn(texts)).kernels.map(short), wanted);
  });
}

test("a link to a kernel is not another one, and what is no file is none", async () => {
  const texts = { "boot/vmlinuz-6.1": "kernel", "boot/vmlinuz-6.2/file": "a", "boot/vmlinuz-6.0.old": "a" };
  const links = { "boot/vmlinuz": "vmlinuz-6.1", "boot/vmlinuz-gone": "nowhere", vmlinuz: "boot/vmlinuz-6.1" };
  assert.deepEqual((await foundIn(texts, links)).kernels.map(short), ["6.1 /boot/vmlinuz-6.1  "]);
});

test("entries of the Boot Loader Specification bring kernels, in its order", async () => {
  const entry = (version: string, more = ""): string =>
    `title\tSystem ${version}\nversion ${version}\nmachine-id 1\nsort-key sys\nlinux /m/${version}/linux\n` +
    `initrd /m/microcode\ninitrd /m/${version}/initrd\noptions quiet\noptions rw $tuned\narchitecture x64\n${more}`;
  const texts: Record<string, string> = { "efi/m/microcode": "a", "boot/vmlinuz-9": "without an entry" };
  for (const version of ["6.9", "6.10", "6.10~rc1"]) {
    texts[`efi/m/${version}/linux`] = version;
    texts[`efi/m/${version}/initrd`] = version;
    texts[`efi/loader/entries/sys-${version}${version === "6.10" ? "+0-3" : "+3"}.conf`] = entry(version, "# note\n");
  }
  texts["efi/loader/entries/gone.conf"] = "title Gone\nlinux /m/gone/linux\n";
  texts["efi/loader/entries/other.conf"] = "title Other\nefi /EFI/other.efi\n";
  texts["efi/loader/entries/long.conf"] = `title ${"long".repeat(20_000)}\n`;
  const { kernels, warnings } = await foundIn(texts);
  assert.deepEqual(
    kernels.map(({ path }) => path),
    [
      "/efi/m/6.10~rc1/linux",
      "/efi/m/6.9/linux",
      "/boot/vmlinuz-9",
      "/efi/m/6.10/linux", // tried three times in vain
    ],
  );
  assert.deepEqual(kernels[1], {
    version: "6.9",
    path: "/efi/m/6.9/linux",
    initrd: "/efi/m/6.9/initrd",
    initrds: ["/efi/m/microcode", "/efi/m/6.9/initrd"],
    commandLine: "quiet rw $tuned",
    entries: [
      { title: "System 6.9", commandLine: "quiet rw $tuned", initrds: ["/efi/m/microcode", "/efi/m/6.9/initrd"] },
    ],
    architecture: "x86_64",
  });
  assert.deepEqual(warnings, [
    '"/efi/loader/entries/long.conf" is no boot entry: it is no file, or too long',
    '"/efi/loader/entries/gone.conf" names a kernel that is not there: "/m/gone/linux"',
  ]);
});

test("unified kernel images are told by what is in them", { skip: skipWithout("objcopy", efiStub) }, async () => {
  await using folder = temporaryFolder();
  const parts = {
    osrel: 'ID=x\nPRETTY_NAME="A System"\n',
    uname: "6.8.1",
    cmdline: "quiet root=LABEL=x",
    linux: bzImage("6.8.1"),
  };
  makeUnifiedKernel(folder.join("uki.efi"), folder, parts);
  const image = fs.readFileSync(folder.join("uki.efi"));
  const { kernels, warnings } = await foundIn({
    "boot/EFI/Linux/a.efi": image,
    "boot/EFI/Linux/broken.efi": image.subarray(0, 300),
    "efi/EFI/Linux/stub.efi": fs.readFileSync(efiStub),
    "efi/EFI/Linux/text.efi": "text",
    "boot/vmlinuz-1": "kernel",
  });
  assert.deepEqual(kernels, [
    { version: "1", path: "/boot/vmlinuz-1" },
    {
      version: "6.8.1",
      path: "/boot/EFI/Linux/a.efi",
      commandLine: "quiet root=LABEL=x",
      entries: [{ title: "A System (6.8.1)", commandLine: "quiet root=LABEL=x", initrds: [] }],
      architecture: "x86_64",
      isUnified: true,
    },
  ]);
  assert.deepEqual(
    warnings.map((text) => /"(.*)" is no unified/.exec(text)?.[1]),
    ["/boot/EFI/Linux/broken.efi", "/efi/EFI/Linux/stub.efi", "/efi/EFI/Linux/text.efi"],
  );
});

test("damaged menus, entries and images are left out, never more", async () => {
  const image = bzImage("1");
  let state = 99;
  const next = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  const damaged = (text: string | Uint8Array): Buffer => {
    const bytes = Buffer.from(text).subarray(0, 1 + next(Buffer.from(text).length));
    for (let k = 0; k < 10; k++) bytes[next(bytes.length)] = next(256);
    return Buffer.from(bytes);
  };
  for (let n = 0; n < 2000; n++) {
    parseGrubMenu(damaged(menu).toString("utf8"));
    parseLoaderEntry("a+1-2.conf", damaged(entry).toString("utf8"));
  }
  for (let n = 0; n < 8; n++) {
    await foundIn({
      "boot/grub/grub.cfg": damaged(menu),
      "boot/loader/entries/a.conf": damaged(entry),
      "boot/vmlinuz-1": damaged(image),
      "boot/EFI/Linux/a.efi": damaged(image),
    });
  }
  const { warnings } = await foundIn({
    "boot/grub/grub.cfg": Buffer.alloc(4 * 2 ** 20 + 1, 0x27),
    "boot/vmlinuz-1": "x",
  });
  assert.deepEqual(warnings, ['"/boot/grub/grub.cfg" is too long to be a menu, and is not read']);
});

test("a kernel whose blocks are damaged is left out with a warning", async () => {
  await using folder = temporaryFolder();
  makeTree(folder.join("tree"), { "boot/vmlinuz-1": "one", "boot/vmlinuz-2": "two", "boot/EFI/Linux/a.efi": "three" });
  const device = new MemoryDevice(new Uint8Array(4 * 2 ** 20));
  await using source = await openSource(folder.join("tree"));
  await makeExt(device, [source], { kind: "ext4", now: { seconds: 1, nanoseconds: 0 } });
  await using fileSystem = await openFileSystem(device);
  const bad = await Promise.all(
    ["/boot/vmlinuz-2", "/boot/EFI/Linux/a.efi"].map((path) => resolvePath(fileSystem, path)),
  );
  const content = fileSystem.content.bind(fileSystem);
  fileSystem.content = (id) => {
    if (bad.includes(id)) throw new Failure("damaged", "cannot read it: its extents contradict themselves");
    return content(id);
  };
  const warnings: string[] = [];
  const kernels = await findKernels(fileSystem, { onWarning: (message) => warnings.push(message) });
  assert.deepEqual(
    kernels.map(({ path }) => path),
    ["/boot/vmlinuz-1"],
  );
  assert.deepEqual(
    warnings.map((text) => /^"(.*)" cannot be read, and is left out: /.exec(text)?.[1]),
    ["/boot/vmlinuz-2", "/boot/EFI/Linux/a.efi"],
  );
});

test("disk kernel lists them, and puts them beside the disk", async () => {
  await using folder = temporaryFolder();
  makeTree(folder.join("tree"));
  const [disk, out] = [folder.join("disk"), folder.join("out")];
  await runHoldfast(["disk", "create", disk, "--size", "8MiB", "--from", folder.join("tree")]);
  const { status, stdout } = await runHoldfast(["disk", "kernel", disk, "--extract", out]);
  assert.equal(status, 0);
  assert.match(stdout, /^kernel +initrd +command line\n\/boot\/vmlinuz-6\.1\.0-10-amd64 .*root=UUID=5678 rw audit=0\n/);
  assert.deepEqual(fs.readdirSync(out).toSorted(), [
    "initramfs-6.1.0-10-amd64.img",
    "initrd.img-6.1.0-9-amd64",
    "vmlinuz-5.10",
    "vmlinuz-6.1.0-10-amd64",
    "vmlinuz-6.1.0-9-amd64",
  ]);
  assert.equal(fs.readFileSync(`${out}/vmlinuz-6.1.0-9-amd64`, "utf8"), "nine");
  const again = await runHoldfast(["disk", "kernel", disk, "--extract", out]);
  assert.equal(again.status, 1, "a folder with files in it is not written to unless told");
  await runHoldfast(["disk", "rm", "-r", `${disk}:/boot`]);
  const without = await runHoldfast(["disk", "kernel", disk]);
  assert.match(without.stderr, /cannot find a kernel in .*\nhint: name the partition/);
});
