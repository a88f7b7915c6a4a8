/** What is found in initrds, however they are put together, and what damage does. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { initrdLimits, InitrdReader, type InitrdFindings } from "../../../src/key/recognise/initrd.ts";
import { skipWithout } from "../../peers/peer.ts";
import { cpioOf } from "./cpio.ts";

async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function look(bytes: Uint8Array, chunkBytes = 10_000): Promise<InitrdFindings> {
  const reader = new InitrdReader({});
  await reader.read(chunksOf(bytes, chunkBytes), "initrd");
  return reader.findings();
}

const names = ["init", "scripts/live", "usr/lib/modules/6.1/kernel/fs/fat/vfat.ko.xz", "lib/modules/6.1/ext4.ko.zst"];
const main = cpioOf(names);
const microcode = cpioOf(["kernel", "kernel/x86/microcode/GenuineIntel.bin"]);

function assertLive({ convention, fileSystems, isWhole, notes }: InitrdFindings, what: string): void {
  assert.equal(convention?.id, "live-boot", what);
  assert.deepEqual(fileSystems, ["fat", "ext4"], what);
  assert.deepEqual([isWhole, notes], [true, []], what);
}

test(
  "every compression, with microcode and padding before it",
  { skip: skipWithout("xz", "zstd", "lz4") },
  async () => {
    const by = (program: string, ...args: readonly string[]): Buffer =>
      execFileSync(program, ["-q", ...args], { input: main });
    const packed: Readonly<Record<string, Buffer>> = {
      plain: main,
      gzip: zlib.gzipSync(main),
      xz: by("xz", "--check=crc32", "-c"),
      zstd: by("zstd", "-c"),
      "lz4 of kernels": by("lz4", "-l", "-c"),
      "lz4 of today": by("lz4", "-c"),
    };
    for (const [format, bytes] of Object.entries(packed)) {
      assertLive(await look(bytes), format);
      const early = Buffer.concat([
        microcode,
        Buffer.alloc(512 - (microcode.length % 512)),
        microcode,
        Buffer.alloc(4),
        bytes,
      ]);
      for (const chunkBytes of [1, 511, 1_000_000])
        assertLive(await look(early, chunkBytes), `${format} behind microcode`);
      assertLive(await look(Buffer.concat([bytes, Buffer.alloc(300)])), `${format} with zeros behind it`);
    }
  },
);

test("archives behind each other, with checksums, in one stream or several members", async () => {
  const [plain, two] = [cpioOf(names.slice(0, 2)), cpioOf(names.slice(2))];
  const one = Buffer.from(plain.toString("latin1").replaceAll("070701", "070702"), "latin1"); // of nothing it is 0
  assertLive(await look(Buffer.concat([one, Buffer.alloc(512), two])), "plain");
  assertLive(await look(zlib.gzipSync(Buffer.concat([one, Buffer.alloc(100), two]))), "one stream");
  assertLive(await look(Buffer.concat([zlib.gzipSync(one), zlib.gzipSync(two)])), "two members");
});

test("what is part of the kernel counts as what it can mount", async () => {
  const list = "kernel/fs/fat/vfat.ko\nkernel/fs/exfat/exfat.ko\nkernel/fs/nls/nls_cp437.ko\n";
  const found = await look(
    zlib.gzipSync(cpioOf(["./scripts/casper", ["lib/modules/6/modules.builtin", list], "bin/ntfs-3g"])),
  );
  assert.equal(found.convention?.id, "casper");
  assert.deepEqual(found.fileSystems, ["fat", "exfat", "ntfs"]);
});

test("conventions by what is in the initrd", async () => {
  const found = async (...paths: readonly string[]): Promise<string | undefined> => {
    return (await look(cpioOf(paths))).convention?.id;
  };
  assert.equal(await found("usr/sbin/iso-scan", "usr/sbin/dmsquash-live-root"), "dracut-live");
  assert.equal(await found("sbin/iso-scan", "sbin/dmsquash-live-root", "lib/anaconda-lib.sh"), "anaconda");
  assert.equal(await found("usr/sbin/iso-scan"), undefined);
  assert.equal(await found("hooks/archiso_loop_mnt"), "archiso");
  assert.equal(await found("hooks/miso_loop_mnt"), "archiso");
  assert.equal(
    await found("var/lib/dpkg/info/iso-scan.postinst", "var/lib/dpkg/info/cdrom-detect.templates"),
    "debian-installer-hd-media",
  );
  assert.equal(await found("var/lib/dpkg/info/cdrom-detect.templates"), "debian-installer-disc");
  assert.equal(await found("lib/modules/6/scripts/live.ko", "usr/scripts/live/x"), undefined);
});

test("compression that is not known is named, and nothing is claimed", async () => {
  for (const [start, name] of [
    ["BZh91AY&SY", "bzip2"],
    ["]\0\0\x80\0", "lzma"],
    ["\x89LZO\0", "lzo"],
    ["text", "neither"],
  ] as const) {
    const found = await look(Buffer.concat([microcode, Buffer.from(start, "latin1"), Buffer.alloc(100, 7)]));
    assert.equal(found.convention, undefined);
    assert.equal(found.isWhole, false);
    assert.match(found.notes.join(), new RegExp(name));
  }
});

test("initrds that are cut off keep what came before, and are not whole", async () => {
  const many = cpioOf([...names, ...Array.from({ length: 3000 }, (_, n) => `usr/lib/file-${n}`)]);
  for (const bytes of [many, zlib.gzipSync(many)]) {
    const found = await look(bytes.subarray(0, bytes.length >> 1));
    assert.equal(found.convention?.id, "live-boot");
    assert.equal(found.isWhole, false);
    assert.match(found.notes.join(), /too soon|damaged/);
  }
  assert.equal((await look(Buffer.alloc(0))).isOpen, false);
});

test("names that lead out, have NUL in them or are too long are only names", async () => {
  const found = await look(cpioOf(["../../scripts/live", "..", "a\0scripts/casper", "/init"]));
  assert.equal(found.convention?.id, "live-boot");
  const long = cpioOf(["x".repeat(4096)]);
  assert.match((await look(long)).notes.join(), /name is too long/);
  assert.equal((await look(cpioOf(["x".repeat(4095)]))).isWhole, true);
});

test("once all is known, no more is read", async () => {
  const files = [
    "scripts/live",
    "vfat.ko",
    "exfat.ko",
    "ext4.ko",
    "ntfs3.ko",
    ...Array.from({ length: 5000 }, (_, n) => `${n}`),
  ];
  const archive = cpioOf(files);
  let chunks = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(archive, 4096)) {
      chunks++;
      yield chunk;
    }
  }
  const reader = new InitrdReader({});
  await reader.read(counted(), "initrd");
  assert.equal(chunks, 1);
  const { fileSystems, isWhole } = reader.findings();
  assert.deepEqual([fileSystems, isWhole], [["fat", "exfat", "ext4", "ntfs"], true]);
});

test("a bomb is looked at as far as the limit, and no further", async () => {
  const whole = cpioOf(names);
  const head = whole.subarray(0, whole.length - 124); // without its trailer, so that zeros are of a file that goes on
  const member = zlib.gzipSync(Buffer.alloc(8_000_000));
  let members = 0;
  async function* bomb(): AsyncGenerator<Uint8Array> {
    const goingOn = cpioOf(["zeros"]).subarray(0, 116);
    Buffer.from("ffffffff").copy(goingOn, 6 + 6 * 8);
    yield zlib.gzipSync(Buffer.concat([head, goingOn]));
    for (; members < 1000; members++) yield member;
  }
  const reader = new InitrdReader({}, { unpackedBytes: 100_000_000, files: 1000 });
  await reader.read(bomb(), "bomb");
  const { convention, isWhole, notes } = reader.findings();
  assert.deepEqual([convention?.id, isWhole], ["live-boot", false]);
  assert.match(notes.join(), /unpacks to more than is looked at/);
  assert.ok(members < 30, `${members} of the bomb's members were asked for`);
});

test("more files than any initrd has are not counted through", async () => {
  for (const files of [100, 101]) {
    const reader = new InitrdReader({}, { ...initrdLimits, files: 101 });
    await reader.read(chunksOf(cpioOf(Array.from({ length: files }, (_, n) => `${n}`)), 10_000), "initrd");
    assert.equal(reader.findings().isWhole, files === 100);
  }
});
