/** Core images beside those of the real grub-mkimage. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { makeBiosCore } from "../../src/boot/grub/core-image.ts";
import type { ImageRequest } from "../../src/boot/grub/module-area.ts";
import { readPlatformFiles } from "../../src/boot/grub/platform-files.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("grub-mkimage", "xz", "/usr/lib/grub/i386-pc/kernel.img");
const unpackerBytes = 2848;
const seventy =
  "biosdisk part_msdos part_gpt ext2 fat exfat ntfs udf iso9660 loopback hashsum gfxmenu linux16 linux normal search " +
  "search_fs_uuid search_label serial echo configfile test all_video regexp tar squash4 btrfs xfs lvm chain memdisk";

/** What a core image unpacks to in memory. */
function unpacked(core: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header[0] = 0x5d;
  header.writeUInt32LE(65536, 1);
  header.writeUInt32LE(core.readUInt32LE(512 + 0xc), 5);
  const raw = core.subarray(512 + unpackerBytes);
  assert.equal(core.readUInt32LE(512 + 0x8), raw.length);
  return execFileSync("xz", ["--format=lzma", "-dc"], { input: Buffer.concat([header, raw]), maxBuffer: 2 ** 28 });
}

/** The image less what follows from how well it is compressed. */
function withoutSizes(core: Buffer): Buffer {
  const head = Buffer.from(core.subarray(0, 512 + unpackerBytes));
  head.fill(0, 508, 510); // sectors to load
  head.fill(0, 512 + 0x8, 512 + 0xc); // compressed size
  return head;
}

async function assertSame(request: ImageRequest): Promise<void> {
  await using folder = temporaryFolder();
  const own = Buffer.from(makeBiosCore(await readPlatformFiles({ platform: "i386-pc" }), request));
  const config = request.config === undefined ? [] : ["-c", folder.join("early.cfg")];
  fs.writeFileSync(folder.join("early.cfg"), request.config ?? "");
  const output = folder.join("core.img");
  runPeer("grub-mkimage", ["-O", "i386-pc", "-p", request.prefix, ...config, "-o", output, ...request.modules]);
  const real = fs.readFileSync(output);
  assert.ok(unpacked(own).equals(unpacked(real)), "the same kernel, modules, configuration and prefix");
  assert.ok(withoutSizes(own).equals(withoutSizes(real)), "the same loader and decompressor");
  assert.equal(own.readUInt16LE(508), Math.ceil((own.length - 512) / 512));
  assert.equal(real.readUInt16LE(508), Math.ceil((real.length - 512) / 512));
  assert.ok(own.length <= real.length * 1.01, `${own.length} bytes beside ${real.length}`);
}

test("a small core image unpacks to grub-mkimage's", { skip }, async () => {
  await assertSame({ modules: ["biosdisk", "part_msdos", "ext2"], prefix: "(,msdos1)/boot/grub" });
});

test("configuration and prefix of every length are filled up as grub-mkimage does", { skip }, async () => {
  for (const config of ["", "a", "ab", "abc", "echo\n"]) {
    await assertSame({ modules: ["biosdisk"], prefix: `/${config.trim()}`, config });
  }
});

test("a core image of seventy modules unpacks to grub-mkimage's", { skip }, async () => {
  await assertSame({ modules: seventy.split(" "), prefix: "(,gpt2)/boot/grub", config: "echo hello\n" });
});

test("every module comes with what it needs, in grub-mkimage's order", { skip }, async () => {
  for (const modules of [["normal"], ["gfxmenu", "linux"], ["zfs", "luks2"], ["all_video", "biosdisk"]]) {
    await assertSame({ modules, prefix: "/boot/grub" });
  }
});

test("what cannot be made is refused", { skip }, async () => {
  const grub = await readPlatformFiles({ platform: "i386-pc" });
  const make = (modules: readonly string[]): unknown => makeBiosCore(grub, { modules, prefix: "/" });
  assert.throws(() => make(["nothing"]), { code: "not-found", message: /cannot find module "nothing" in "\/usr/ });
  const all = [...grub.files.keys()].filter((name) => name.endsWith(".mod")).map((name) => name.slice(0, -4));
  assert.throws(() => make(all), { code: "no-space", message: /GRUB loads fewer than/ });
  const files = new Map(grub.files);
  for (const length of [0, 20, 51, 52, 1000, 30_000]) {
    files.set("kernel.img", grub.files.get("kernel.img")!.subarray(0, length));
    assert.throws(() => makeBiosCore({ ...grub, files }, { modules: [], prefix: "/" }), { code: "damaged" });
  }
  await using empty = temporaryFolder();
  await assert.rejects(readPlatformFiles({ platform: "i386-pc", from: empty.path }), {
    code: "not-found",
    message: /holds no GRUB for i386-pc/,
  });
});

test(
  "a Debian package serves as well as the folder that it installs",
  { skip: skip || skipWithout("dpkg-deb") },
  async () => {
    await using folder = temporaryFolder();
    const inside = folder.join("package/usr/lib/grub/i386-pc");
    fs.mkdirSync(inside, { recursive: true });
    fs.cpSync("/usr/lib/grub/i386-pc", inside, { recursive: true });
    fs.mkdirSync(folder.join("package/DEBIAN"));
    const control =
      "Package: grub-pc-bin\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: x\n";
    fs.writeFileSync(folder.join("package/DEBIAN/control"), control);
    runPeer("dpkg-deb", ["-b", "--root-owner-group", folder.join("package"), folder.join("grub.deb")]);
    const packaged = await readPlatformFiles({ platform: "i386-pc", from: folder.join("grub.deb") });
    const installed = await readPlatformFiles({ platform: "i386-pc" });
    assert.deepEqual([...packaged.files.keys()].toSorted(), [...installed.files.keys()].toSorted());
    for (const [name, bytes] of installed.files) assert.ok(Buffer.from(bytes).equals(packaged.files.get(name)!), name);
  },
);
