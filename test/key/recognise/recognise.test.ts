/** What is told of an ISO beside how it starts, what is left out, and what damage does. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { FileReader, MemoryDevice } from "../../../src/device/index.ts";
import { conventionOf } from "../../../src/key/recognise/conventions.ts";
import { fillWords, recogniseFile, recogniseIso, type RecognisedIso } from "../../../src/key/recognise/index.ts";
import { signedProgram } from "../../boot/signed-program.ts";
import { skipWithout } from "../../peers/peer.ts";
import { temporaryFolder } from "../../temp.ts";
import { cpioOf } from "./cpio.ts";
import {
  anaconda,
  casper,
  dracutLive,
  initrdOf,
  kernelStub,
  liveBoot,
  makeIso,
  plain,
  recogniseSample,
  type SampleFiles,
} from "./sample-iso.ts";

const kernel = kernelStub();
const needs = { skip: skipWithout("xorriso") };

/** The headers of a program for UEFI. */
function efiStub(machine: number): Buffer {
  const efi = Buffer.alloc(4096);
  efi.write("MZ");
  efi.writeUInt32LE(128, 0x3c);
  efi.write("PE\0\0", 128);
  efi.writeUInt16LE(machine, 132);
  efi.writeUInt16LE(10, 128 + 24 + 68);
  return efi;
}

const debianLive: SampleFiles = {
  ".disk/info": 'Debian GNU/Linux 12.5.0 "Bookworm" - live amd64\n',
  "boot/grub/grub.cfg": [
    'menuentry "Live system" { linux /live/vmlinuz boot=live components quiet splash\n initrd /live/initrd.img\n}',
    'menuentry "Live system, safe" { linux /live/vmlinuz boot=live components nomodeset\n initrd /live/initrd.img\n}',
    'menuentry "Start installer" { linux /install/vmlinuz vga=788\n initrd /install/initrd.gz\n}',
    'menuentry "gone" { linux /live/gone boot=live\n initrd /live/initrd.img\n}',
    'menuentry "Memory test" { linux16 /boot/memtest.bin\n}',
    'menuentry "Memory test, UEFI" { linux /boot/memtest.efi\n}',
  ].join("\n"),
  "isolinux/isolinux.cfg": "label live\nkernel /live/vmlinuz\nappend boot=live other initrd=/live/initrd.img\n",
  "live/vmlinuz": kernel,
  "live/initrd.img": liveBoot,
  "live/filesystem.squashfs": "",
  "install/vmlinuz": kernel,
  "install/initrd.gz": initrdOf("var/lib/dpkg/info/cdrom-detect.postinst"),
  "boot/memtest.bin": kernel,
  "boot/memtest.efi": efiStub(0x8664),
};

test("labels that reach no system: the volume is named by its UUID", needs, async () => {
  const files = {
    "LiveOS/squashfs.img": "",
    "images/pxeboot/vmlinuz": kernel,
    "images/pxeboot/initrd.img": dracutLive,
  };
  const label = "Fedora Live 38";
  const grub = String.raw`menuentry x { linux /images/pxeboot/vmlinuz root=live:CDLABEL=Fedora\x20Live\x2038 quiet
    initrd /images/pxeboot/initrd.img
  }`;
  for (const menu of [{}, { "EFI/BOOT/grub.cfg": grub }]) {
    const { entries, volumeUuid } = await recogniseSample({ ...files, ...menu }, label);
    const how = entries[0]?.how;
    assert.ok(how?.kind === "linux" && how.words.includes(`root=live:UUID=${volumeUuid}`), JSON.stringify(how));
    assert.ok(!how.words.some((word) => word.includes("LABEL")));
  }
});

test(
  "a live system: its own entries and words, its title, what its initrd reads, what is left out",
  needs,
  async () => {
    const iso = await recogniseSample(debianLive, "d-live");
    assert.equal(iso.title, 'Debian GNU/Linux 12.5.0 "Bookworm" - live amd64');
    assert.equal(iso.volumeLabel, "d-live");
    assert.match(iso.volumeUuid, /^\d{4}(-\d\d){6}$/);
    const [first, second, third] = iso.entries;
    assert.deepEqual(first, {
      title: "Live system",
      architecture: "x86_64",
      how: {
        kind: "linux",
        kernel: "/live/vmlinuz",
        initrds: ["/live/initrd.img"],
        words: ["boot=live", "components", "quiet", "splash", "findiso=${isoPath}"],
      },
      firmwares: ["bios", "uefi"],
      readableFrom: ["fat", "ext4"],
      persistence: conventionOf("live-boot").persistence,
      signers: [],
    });
    assert.equal(second?.title, "Live system, safe");
    assert.deepEqual(third?.how, { kind: "linux16", kernel: "/boot/memtest.bin", initrds: [], words: [] });
    assert.deepEqual(third?.firmwares, ["bios"]);
    assert.deepEqual(
      [iso.entries[3]?.how, iso.entries[3]?.firmwares],
      [{ kind: "efi", program: "/boot/memtest.efi" }, ["uefi"]],
    );
    assert.equal(iso.entries.length, 4);
    assert.match(iso.warnings.join(), /"Start installer" is left out: its initrd looks for a disc/);
    assert.match(iso.evidence.join("\n"), /initrd \/live\/initrd\.img: Debian's live-boot, mounts fat, ext4/);
  },
);

test("another label, and another name of the file, change nothing but the label", needs, async () => {
  const layouts: readonly SampleFiles[] = [
    debianLive,
    { "casper/vmlinuz": kernel, "casper/initrd": casper },
    { "LiveOS/squashfs.img": "", "images/pxeboot/vmlinuz": kernel, "images/pxeboot/initrd.img": dracutLive },
    { "images/install.img": "", "images/pxeboot/vmlinuz": kernel, "images/pxeboot/initrd.img": anaconda },
  ];
  const without = (iso: RecognisedIso, label: string): unknown =>
    JSON.parse(
      JSON.stringify({ ...iso, title: "" })
        .replaceAll(label, "LABEL")
        .replaceAll(iso.volumeUuid, "UUID"),
    );
  for (const files of layouts) {
    const [one, two] = [await recogniseSample(files, "ARCH-202601"), await recogniseSample(files, "Windows-11")];
    assert.deepEqual(without(one, "ARCH-202601"), without(two, "Windows-11"));
  }
});

test("what the initrd shows counts more than what the layout looks like", needs, async () => {
  const dressed = await recogniseSample({ "casper/vmlinuz": kernel, "casper/initrd": liveBoot });
  assert.deepEqual(dressed.entries[0]?.how, {
    kind: "linux",
    kernel: "/casper/vmlinuz",
    initrds: ["/casper/initrd"],
    words: ["boot=live", "findiso=${isoPath}", "components"],
  });
  const doubtful = await recogniseSample({ "live/vmlinuz": kernel, "live/initrd.img": plain });
  assert.match(doubtful.warnings.join(), /shows no sign of Debian's live-boot/);
  assert.equal(doubtful.entries[0]?.readableFrom, "unknown");
});

test("Anaconda beside a live system: the words of the menu say which is meant", needs, async () => {
  const iso = await recogniseSample({
    "EFI/BOOT/grub.cfg":
      "menuentry Live { linux /images/pxeboot/vmlinuz root=live:CDLABEL=X rd.live.image\n initrd /images/pxeboot/initrd.img\n}",
    "LiveOS/squashfs.img": "",
    "images/pxeboot/vmlinuz": kernel,
    "images/pxeboot/initrd.img": anaconda,
  });
  const [entry] = iso.entries;
  assert.ok(entry?.how.kind === "linux");
  assert.deepEqual(entry.how.words, ["root=live:CDLABEL=X", "rd.live.image", "iso-scan/filename=${isoPath}"]);
});

test(
  "words for the installer stay behind the divider; what the menu got from loopback.cfg is replaced",
  needs,
  async () => {
    const iso = await recogniseSample({
      "boot/grub/grub.cfg":
        "menuentry U { linux /casper/vmlinuz boot=casper iso-scan/filename=${iso_path} quiet --- splash\n initrd /casper/initrd\n}",
      "casper/vmlinuz": kernel,
      "casper/initrd": casper,
    });
    const [entry] = iso.entries;
    assert.ok(entry?.how.kind === "linux");
    assert.deepEqual(entry.how.words, ["boot=casper", "quiet", "iso-scan/filename=${isoPath}", "---", "splash"]);
    assert.deepEqual(
      fillWords(entry.how.words, { isoPath: "/a b.iso", isosUuid: "12" })[2],
      "iso-scan/filename=/a b.iso",
    );
  },
);

test("loopback.cfg counts only where what it starts is there", needs, async () => {
  const files = { ...debianLive, "boot/grub/loopback.cfg": "menuentry x { linux /gone\n initrd /gone2\n}" };
  const iso = await recogniseSample(files);
  assert.equal(iso.entries[0]?.how.kind, "linux");
  assert.match(iso.warnings.join(), /"\/boot\/grub\/loopback\.cfg" is left aside/);
  const scripted = {
    "boot/grub/loopback.cfg": "configfile /boot/grub/sg2d/main.lua\n",
    "boot/grub/sg2d/main.lua": "x",
  };
  assert.deepEqual((await recogniseSample(scripted)).entries[0]?.how, {
    kind: "configfile",
    path: "/boot/grub/loopback.cfg",
  });
  const [entry] = (await recogniseSample({ ...debianLive, "boot/grub/loopback.cfg": "source /boot/grub/grub.cfg" }))
    .entries;
  assert.deepEqual([entry?.how.kind, entry?.readableFrom, entry?.signers], ["configfile", ["fat", "ext4"], []]);
});

test("by whom a kernel or program is signed is known of menus of their own, too", needs, async () => {
  const signersIn = async (files: SampleFiles): Promise<unknown> => {
    return (await recogniseSample(files)).entries.map(({ how, signers }) => [how.kind, signers]);
  };
  const signed = ["a certificate without a name"];
  const menu = "menuentry x { linux /gone\n initrd /i\n}\nmenuentry y { linux /k\n initrd /i\n}";
  const own = { "boot/grub/loopback.cfg": menu, i: "no initrd that is known" };
  assert.deepEqual(await signersIn({ ...own, k: signedProgram(0x8664) }), [["configfile", signed]]);
  assert.deepEqual(await signersIn({ ...own, k: "no kernel at all" }), [["configfile", []]]);
  assert.deepEqual(await signersIn({ "EFI/BOOT/BOOTX64.EFI": signedEfiProgram() }), [["efi", signed]]);
});

/** As UEFI starts it. */
function signedEfiProgram(): Buffer {
  const bytes = signedProgram(0x8664);
  bytes.writeUInt16LE(10, 0x98 + 0x44);
  return bytes;
}

test("plain ISO 9660 without Rock Ridge is found in any case", needs, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeIso(
    image,
    {
      "ISOLINUX/ISOLINUX.CFG": "LABEL x\nKERNEL /LIVE/VMLINUZ\nAPPEND boot=live initrd=/LIVE/INITRD.IMG",
      "LIVE/VMLINUZ": kernel,
      "LIVE/INITRD.IMG": liveBoot,
    },
    "X",
    ["--norock"],
  );
  await using reader = await FileReader.open(image);
  const iso = await recogniseIso(reader);
  assert.deepEqual(iso.entries[0]?.how, {
    kind: "linux",
    kernel: "/live/vmlinuz",
    initrds: ["/live/initrd.img"],
    words: ["boot=live", "findiso=${isoPath}"],
  });
});

test("what nothing is known of is refused, and why", needs, async () => {
  const data = await recogniseSample({ "photos/1.jpg": "x" });
  assert.match(data.refusal?.reason ?? "", /nothing in it that starts a computer/);
  const strange = await recogniseSample({
    "isolinux/isolinux.cfg": "label x\nkernel /strange/linux\nappend initrd=/strange/initrd",
    "strange/linux": kernel,
    "strange/initrd": plain,
  });
  assert.match(strange.refusal?.reason ?? "", /nothing in its initrd tells/);
  assert.deepEqual(strange.entries, []);
});

test("floppies, programs for UEFI in an image, and all of a small disc", needs, async () => {
  const floppy = Buffer.alloc(1_474_560);
  floppy.write("floppy", 100);
  const options = ["-b", "boot/floppy.img"];
  const byFloppy = await recogniseSample({ "boot/floppy.img": floppy }, "F", options);
  assert.deepEqual(byFloppy.entries[0], {
    title: "F",
    how: { kind: "memdisk", image: { kind: "file", path: "/boot/floppy.img" }, medium: "floppy" },
    firmwares: ["bios"],
    architecture: "i386",
    imageBytes: 1_474_560,
  });
  const small = await recogniseSample({ loader: Buffer.alloc(4096, "x") }, "S", ["-b", "loader", "-no-emul-boot"]);
  assert.deepEqual(small.entries[0]?.how, { kind: "memdisk", image: { kind: "whole" }, medium: "iso" });
});

test("a collection of images: its own MEMDISK with each", needs, async () => {
  const iso = await recogniseSample({
    "isolinux/isolinux.cfg": [
      "label dos\nkernel memdisk\ninitrd dos.img",
      "label tool\nkernel memdisk\nappend iso raw initrd=tool.iso",
      "label gone\nkernel memdisk\ninitrd gone.img",
    ].join("\n"),
    "isolinux/memdisk": kernel,
    "isolinux/dos.img": Buffer.alloc(1_474_560),
    "isolinux/tool.iso": "x",
  });
  assert.deepEqual(
    iso.entries.map(({ title, how }) => [title, how]),
    [
      ["dos", { kind: "memdisk", image: { kind: "file", path: "/isolinux/dos.img" }, medium: "floppy" }],
      ["tool", { kind: "memdisk", image: { kind: "file", path: "/isolinux/tool.iso" }, medium: "iso" }],
    ],
  );
});

test("a menu for starting from a file does not help an initrd that cannot", needs, async () => {
  const iso = await recogniseSample({
    "boot/grub/loopback.cfg": "menuentry Install { linux /install/vmlinuz\n initrd /install/initrd.gz\n}",
    "install/vmlinuz": kernel,
    "install/initrd.gz": initrdOf("var/lib/dpkg/info/cdrom-detect.postinst"),
  });
  assert.match(iso.refusal?.reason ?? "", /its initrd looks for a disc/);
});

test("an ISO that is cut off is refused wherever it is cut", needs, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  makeIso(image, { ...debianLive, "live/filesystem.squashfs": Buffer.alloc(2_000_000, 1) });
  const whole = fs.readFileSync(image);
  for (const at of [40_000, 60_000, 100_000, whole.length >> 1, whole.length - 400_000]) {
    const reader = new MemoryDevice(whole.subarray(0, at));
    const found = await recogniseIso(reader).then(
      ({ refusal }) => refusal?.reason ?? "none",
      (error: unknown) => String(error),
    );
    assert.match(found, /cut off|damaged|passes? the end|past the end|cannot/, `cut at ${at}`);
  }
});

test("it is interrupted while it looks into an initrd, and says how far it has come", needs, async () => {
  await using folder = temporaryFolder();
  makeIso(folder.join("image"), debianLive);
  await using reader = await FileReader.open(folder.join("image"));
  const phases = new Set<string>();
  await recogniseIso(reader, { onProgress: ({ phase }) => phases.add(phase) });
  assert.deepEqual([...phases], ["looking into the initrd"]);
  await assert.rejects(recogniseIso(reader, { signal: AbortSignal.abort() }), { code: "interrupted" });
});

test("kernels, programs and disks that are no ISO", async () => {
  const efi = efiStub(0xaa64);
  const disk = Buffer.alloc(4_000_000);
  disk.set(Buffer.from("Missing OS\r\nMultiple active partitions"), 100);
  disk.writeUInt8(0x83, 450);
  disk.writeUInt32LE(2048, 454);
  disk.writeUInt32LE(4096, 458);
  disk.writeUInt16LE(0xaa55, 510);
  const floppy = Buffer.alloc(1_474_560, "x");
  const found = async (bytes: Uint8Array): Promise<unknown> => {
    const file = await recogniseFile(new MemoryDevice(bytes));
    if (file === undefined || file.kind === "iso") return file;
    const [entry] = file.entries;
    return [file.kind, entry?.how.kind, entry?.firmwares, entry?.architecture, file.refusal?.hint];
  };
  assert.deepEqual(await found(kernelStub(5_000_000)), ["kernel", "linux", ["bios", "uefi"], "x86_64", undefined]);
  assert.deepEqual(await found(kernel), ["kernel", "linux16", ["bios"], "x86_64", undefined]);
  const arm = Buffer.alloc(5000);
  arm.write("ARM\x64", 56);
  const forArm = ["kernel", "linux", ["uefi"], "arm64", undefined];
  assert.deepEqual(await found(arm), forArm);
  assert.deepEqual(await found(zlib.gzipSync(arm)), forArm);
  assert.deepEqual(await found(zlib.gzipSync(zlib.gzipSync(arm))), undefined);
  assert.deepEqual(await found(efi), ["efi-program", "efi", ["uefi"], "arm64", undefined]);
  const both = Buffer.concat([kernel, Buffer.alloc(4096)]);
  both.write("MZ");
  both.writeUInt32LE(1024, 0x3c);
  both.set(efi.subarray(128, 1024), 1024);
  both.writeUInt16LE(0x8664, 1028);
  const asBoth = await recogniseFile(new MemoryDevice(both));
  assert.ok(asBoth !== undefined && asBoth.kind !== "iso");
  assert.deepEqual(
    asBoth.entries.map(({ how, firmwares }) => [how.kind, firmwares]),
    [
      ["linux16", ["bios"]],
      ["efi", ["uefi"]],
    ],
  );
  assert.deepEqual(await found(floppy), ["floppy-image", "memdisk", ["bios"], "i386", undefined]);
  assert.deepEqual(await found(disk), ["disk-image", "memdisk", ["bios"], "i386", undefined]);
  assert.deepEqual(await found(Buffer.alloc(100_000)), undefined);
  assert.deepEqual(await found(Buffer.alloc(0)), undefined);
  disk.fill(0, 0, 440);
  assert.deepEqual(await found(disk), [
    "disk-image",
    undefined,
    undefined,
    undefined,
    "write it to a stick of its own",
  ]);
});

test("damage anywhere ends in an answer or a failure", needs, async () => {
  await using folder = temporaryFolder();
  makeIso(folder.join("image"), {
    ...debianLive,
    "live/initrd.img": zlib.gzipSync(cpioOf(["scripts/live", "a", "b"])),
  });
  const whole = fs.readFileSync(folder.join("image"));
  const structures = 200_000;
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 120; round++) {
    const bytes = Buffer.from(whole);
    for (let n = 0; n < 8; n++) bytes[32_768 + random(Math.min(structures, bytes.length - 32_768))] = random(256);
    try {
      await recogniseIso(new MemoryDevice(bytes));
    } catch (error) {
      assert.equal((error as Error).name, "Failure", String((error as Error).stack));
    }
  }
});
