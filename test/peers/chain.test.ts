/** The boot record that starts the active partition, in a machine whose BIOS writes to the serial port. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { installChain } from "../../src/boot/chain/index.ts";
import { assemble, assembleChain, codePath, listingPath } from "../boot/assemble-chain.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { biosTextUntil } from "./bios-text.ts";
import { runPeer, skipWithout } from "./peer.ts";

const assembler = ["as", "objcopy"];
const skip = skipWithout(...assembler, "sfdisk", "qemu-system-x86_64");

/** A boot sector that says on which drive it was started, and whether it was told of an active entry. */
const sectorSource = `
        .intel_syntax noprefix
        .code16
start:  xor     ax, ax
        mov     ds, ax
        mov     bx, 0x7c00 + (text - start)
        mov     al, dl
        shr     al, 4
        add     al, '0'
        mov     [bx + 15], al
        mov     al, [si]
        shr     al, 4
        add     al, '0'
        mov     [bx + 24], al
print:  mov     al, [bx]
        test    al, al
        jz      stop
        push    bx
        mov     ah, 0x0e
        mov     bx, 7
        int     0x10
        pop     bx
        inc     bx
        jmp     print
stop:   hlt
        jmp     stop
text:   .asciz "started, drive ?0 entry ?0."
`;

/** Three partitions, the second of them with the boot sector. */
const entries = ["start=2048, size=2048, type=83", "start=4096, size=2048, type=83", "start=8192, size=2048, type=83"];

async function makeDisk(folder: TemporaryFolder, active: readonly number[]): Promise<string> {
  const image = folder.join("disk");
  const bytes = new Uint8Array(8 * 1024 * 1024);
  const sector = Buffer.alloc(512);
  (await assemble(sectorSource)).code.copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  bytes.set(sector, 4096 * 512);
  fs.writeFileSync(image, bytes);
  const table = [
    "label: dos",
    "label-id: 0x12345678",
    ...entries.map((entry, n) => entry + (active.includes(n + 1) ? ", bootable" : "")),
  ];
  runPeer("sfdisk", ["-q", "--no-reread", "-w", "never", image], { input: table.join("\n") });
  return image;
}

/** Puts the code on, whatever the table says: a table may be changed afterwards. */
async function installAnyway(image: string): Promise<void> {
  const bytes = fs.readFileSync(image);
  const proper = Uint8Array.from(bytes);
  for (let n = 0; n < 4; n++) proper[0x1be + 16 * n] = n === 0 ? 0x80 : 0;
  await installChain(new MemoryDevice(proper));
  proper.copyWithin(0, 0, 0x1b8);
  bytes.set(proper.subarray(0, 0x1b8));
  fs.writeFileSync(image, bytes);
}

test("the bytes are what the assembler makes of the source", { skip: skipWithout(...assembler) }, async () => {
  const { code, listing } = await assembleChain();
  assert.equal(fs.readFileSync(codePath, "utf8"), code, "else run: node test/boot/write-chain.ts");
  assert.equal(fs.readFileSync(listingPath, "utf8"), listing);
});

test("the active partition is started, by LBA and by cylinders, and the table stays", { skip }, async () => {
  await using folder = temporaryFolder();
  const image = await makeDisk(folder, [2]);
  const before = fs.readFileSync(image);
  await installAnyway(image);
  const after = fs.readFileSync(image);
  assert.ok(after.subarray(0x1b8).equals(before.subarray(0x1b8)), "everything but the code");
  assert.match(await biosTextUntil(image, "entry 80."), /started, drive 80 entry 80\./);
  const question = after.indexOf(Buffer.from("b441bbaa55", "hex"));
  after[question + 1] = 0x40; // a BIOS that does not know the question for reads by LBA
  fs.writeFileSync(image, after);
  assert.match(await biosTextUntil(image, "entry 80."), /started, drive 80 entry 80\./);
});

const refusals: Readonly<Record<string, readonly [readonly number[], string]>> = {
  "none active": [[], "No partition is active."],
  "two active": [[1, 2], "More than one partition is active."],
  "no boot sector": [[1], "The active partition has no boot sector."],
  "behind the end of the disk": [[3], "The active partition cannot be read."],
};

for (const [name, [active, message]] of Object.entries(refusals)) {
  test(`${name}: it says so`, { skip }, async () => {
    await using folder = temporaryFolder();
    const image = await makeDisk(folder, active);
    await installAnyway(image);
    if (active[0] === 3) {
      const bytes = fs.readFileSync(image);
      bytes.writeUInt32LE(0x7000_0000, 0x1be + 32 + 8);
      fs.writeFileSync(image, bytes);
    }
    const said = await biosTextUntil(image, message);
    assert.ok(said.includes(message), said);
  });
}

test("syslinux on the active partition starts", { skip: skip || skipWithout("syslinux", "mcopy") }, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("disk");
  fs.mkdirSync(folder.join("tree"));
  fs.writeFileSync(folder.join("tree/syslinux.cfg"), "SAY holdfast-syslinux-config\nPROMPT 1\n");
  const fat = `fs=fat16,active,from=${folder.join("tree")}`;
  const words = ["--size", "40MiB", "-p", fat, "--boot", "chain"];
  const made = await runHoldfast(["disk", "create", image, ...words]);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /boot code +holdfast-chain/);
  runPeer("syslinux", ["--install", "--offset", "1048576", image]);
  const said = await biosTextUntil(image, "holdfast-syslinux-config");
  assert.match(said, /SYSLINUX/, said);
  assert.match(said, /holdfast-syslinux-config/);
});

test("what it is not for is refused", async () => {
  await using folder = temporaryFolder();
  const create = (...words: readonly string[]) =>
    runHoldfast(["disk", "create", folder.join("disk"), "--size", "20MiB", ...words]);
  const warned = await create("-p", "fs=ext4,active", "--boot", "chain");
  assert.equal(warned.status, 0);
  assert.match(warned.stderr, /the active partition has no boot sector yet/);
  fs.rmSync(folder.join("disk"));
  const refused = async (message: RegExp, ...words: readonly string[]): Promise<void> => {
    const { status, stderr } = await create(...words);
    assert.notEqual(status, 0);
    assert.match(stderr, message);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  };
  await refused(/start its active partition: a GPT has none\nhint: /, "--table", "gpt", "--boot", "chain");
  await refused(/start its active partition: none is\nhint: write active/, "-p", "fs=ext4", "--boot", "chain");
  await refused(/by GRUB and by its active partition/, "--boot", "bios,chain");
  await refused(/cannot use --serial without GRUB/, "--boot", "chain", "--serial");
});
