/** The same core image installed by the real grub-bios-setup, on the same disks: every byte is the same. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { makeBiosCore } from "../../src/boot/grub/core-image.ts";
import { coreAt, writeBootSector, writeCore } from "../../src/boot/grub/embed.ts";
import { planEmbedding } from "../../src/boot/grub/plan-embedding.ts";
import { readPlatformFiles } from "../../src/boot/grub/platform-files.ts";
import { FileDevice } from "../../src/device/index.ts";
import { readTable } from "../../src/partition/index.ts";
import { skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const realSetup = "/usr/lib/grub/i386-pc/grub-bios-setup";
const skip = skipWithout("sfdisk", "findmnt", realSetup) || skipWithoutMount();

const small = ["biosdisk", "part_msdos", "part_gpt", "ext2"];
const large = [...small, "normal", "linux", "search", "serial", "test", "configfile", "all_video"];

interface Case {
  readonly table: string;
  readonly modules: readonly string[];
  /** Sectors of the disk that are not empty beforehand, by LBA. */
  readonly sectors?: Readonly<Record<number, Buffer>>;
}

const fat = Buffer.concat([Buffer.from([0xeb, 0x58, 0x90]), Buffer.from("mkfs.fat"), Buffer.alloc(79, 7)]);

const cases: Readonly<Record<string, Case>> = {
  "MBR, aligned": { table: "label: dos\nlabel-id: 0x12345678\nstart=2048, type=83, bootable\n", modules: large },
  "MBR, 62 sectors": { table: "label: dos\nlabel-id: 0x12345678\nstart=63, type=83\n", modules: small },
  "GPT, BIOS boot partition": {
    table: "label: gpt\nsize=1MiB, type=linux\nsize=1MiB, type=21686148-6449-6E6F-744E-656564454649\n",
    modules: large,
  },
  "what a FAT keeps in sector 0": { table: "label: dos\nstart=2048, type=83\n", modules: small, sectors: { 0: fat } },
  "sectors of other programs": {
    table: "label: dos\nstart=2048, type=83\n",
    modules: small,
    sectors: {
      1: Buffer.from("ZISD"),
      5: Buffer.from("ycgl and more"),
      6: Buffer.from("d841a0f502000200", "hex"),
      7: Buffer.from("zisd is not it"),
      20: Buffer.from("GREGRegDone.Tag\0"),
      40: Buffer.from("d441a0f503000300", "hex"),
    },
  },
};

function makeDisk(image: string, { table, sectors }: Case): void {
  fs.writeFileSync(image, "");
  fs.truncateSync(image, 16 * 1024 * 1024);
  const fd = fs.openSync(image, "r+");
  for (const [lba, bytes] of Object.entries(sectors ?? {})) fs.writeSync(fd, bytes, 0, bytes.length, Number(lba) * 512);
  fs.closeSync(fd);
  runPeer("sfdisk", ["-q", "--no-reread", image], { input: table });
}

for (const [name, disk] of Object.entries(cases)) {
  test(`${name}: grub-bios-setup writes the same`, { skip }, async () => {
    await using folder = temporaryFolder();
    const [own, real] = [folder.join("own.img"), folder.join("real.img")];
    makeDisk(own, disk);
    fs.copyFileSync(own, real);
    const grub = await readPlatformFiles({ platform: "i386-pc" });
    const core = makeBiosCore(grub, { modules: disk.modules, prefix: "(,1)/boot/grub" });
    {
      await using device = await FileDevice.open(own);
      const table = await readTable(device);
      const lbas = await planEmbedding(device, table!, Math.ceil(core.length / 512));
      await writeCore(device, coreAt(core, lbas), lbas);
      await writeBootSector(device, grub, lbas[0]!);
    }
    // It looks for the device that its own folder is on, so that has to be one.
    const mountPoint = folder.join("grub");
    runPeer("mke2fs", ["-q", folder.join("grub.img"), "8M"]);
    await whileMounted(folder.join("grub.img"), mountPoint, "rw", async () => {
      const loop = runPeer("findmnt", ["-n", "-o", "SOURCE", mountPoint]).trim();
      fs.copyFileSync("/usr/lib/grub/i386-pc/boot.img", `${mountPoint}/boot.img`);
      fs.writeFileSync(`${mountPoint}/core.img`, core);
      fs.writeFileSync(`${mountPoint}/device.map`, `(hd0) ${real}\n(hd1) ${loop}\n`);
      runPeer(realSetup, ["-d", mountPoint, "-m", `${mountPoint}/device.map`, "--no-rs-codes", "-s", "(hd0)"]);
    });
    const [mine, theirs] = [fs.readFileSync(own), fs.readFileSync(real)];
    const differs = mine.findIndex((byte, at) => byte !== theirs[at]);
    assert.equal(differs, -1, `the first byte that differs is at ${differs}`);
  });
}

test("too little room is refused, and nothing is written", { skip: skipWithout("sfdisk", realSetup) }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("disk.img");
  const check = async (table: string, needed: number, message: RegExp): Promise<void> => {
    makeDisk(image, { table, modules: [] });
    await using device = await FileDevice.open(image);
    const found = await readTable(device);
    await assert.rejects(planEmbedding(device, found!, needed), { code: "no-space", message });
  };
  const mbr = "label: dos\nstart=63, type=83\n";
  await check(mbr, 63, /the room before the first partition has 62 sectors; 63 are needed$/);
  await check("label: dos\nstart=1, type=83\n", 1, /has 0 sectors; 1 are needed$/);
  await check("label: gpt\nsize=1MiB, type=linux\n", 1, /the GPT has no BIOS boot partition$/);
  const tiny = "label: gpt\nsize=16KiB, type=21686148-6449-6E6F-744E-656564454649\n";
  await check(tiny, 2049, /BIOS boot partition, number 1, has \d+ sectors; 2049 are needed$/);
  makeDisk(image, { table: mbr, modules: [], sectors: { 4: Buffer.from("ZISD") } });
  await using device = await FileDevice.open(image);
  const table = await readTable(device);
  const lbas = await planEmbedding(device, table!, 61);
  assert.deepEqual(lbas.slice(0, 5), [1, 2, 3, 5, 6]);
  await assert.rejects(planEmbedding(device, table!, 62), {
    message: /has 62 sectors, of which ZISD has some; 62 are/,
  });
});
