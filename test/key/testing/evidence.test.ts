/** What a machine shows of an entry, and what that is taken for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readPicture, withCharacters, type Screen } from "../../../src/disk/machine/screen.ts";
import { Evidence } from "../../../src/key/testing/evidence.ts";

const booting = "  Booting `Some system'\n\n";
const limit = ["within 9 s", false] as const;

/** A screen of characters, all of one colour but for the rows. */
function rows(...texts: readonly string[]): Screen {
  const memory = new Uint8Array(4000);
  for (const [row, text] of texts.entries()) {
    for (const [column, byte] of Buffer.from(text, "latin1").entries()) memory[(row * 80 + column) * 2] = byte;
  }
  return withCharacters(picture(720, 400, 0), memory);
}

/** A screen of pixels, of which some rows are white. */
function picture(width: number, height: number, whiteRows: number): Screen {
  const pixels = Buffer.alloc(width * height * 3);
  pixels.fill(0xff, 0, width * whiteRows * 3);
  return readPicture(Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]));
}

test("a kernel that speaks has started; what was said before the entry was started does not count", () => {
  const evidence = new Evidence({ kind: "linux" });
  evidence.addSaid("Linux version 1.0 is what the menu says\n");
  assert.equal(evidence.verdict, undefined);
  evidence.addSaid(booting);
  assert.equal(evidence.verdict, undefined);
  evidence.addSaid("[    0.000000] Linux vers");
  evidence.addSaid("ion 6.1.0-9-amd64 (debian-kernel@lists.debian.org)\n");
  assert.deepEqual(evidence.verdict, { outcome: "started", seen: "Linux version 6.1.0-9-amd64" });
});

test("with a text to wait for, only that counts", () => {
  const evidence = new Evidence({ kind: "linux", until: "login:" });
  evidence.addSaid(`login: ${booting}Linux version 6.1.0\n`);
  evidence.addScreen(rows("a program"));
  evidence.addScreen(rows("a program"));
  assert.equal(evidence.verdict, undefined);
  assert.deepEqual(evidence.conclude(...limit), { outcome: "silent", seen: 'no "login:" within 9 s' });
  evidence.addSaid("debian log");
  evidence.addSaid("in: ");
  assert.deepEqual(evidence.verdict, { outcome: "reached", seen: "login:" });
});

test("what GRUB complains of is told, and ends it once GRUB waits", () => {
  const evidence = new Evidence({ kind: "linux" });
  evidence.addSaid(
    `${booting}error: file \`/live/vmlinuz' not found.\r\nerror: you need to load the kernel first.\r\n`,
  );
  assert.equal(evidence.verdict, undefined, "it may go on all the same");
  assert.deepEqual(evidence.conclude(...limit), { outcome: "refused", seen: "file `/live/vmlinuz' not found" });
  evidence.addSaid("\nPress any key to continue...");
  assert.deepEqual(evidence.verdict, { outcome: "refused", seen: "file `/live/vmlinuz' not found" });
});

test("what the key's menu says of a program that is not signed is not the program", () => {
  const evidence = new Evidence({ kind: "efi" });
  evidence.addSaid(`${booting}error: bad shim signature.\n\nSecure Boot is on, and this is not signed.\n`);
  assert.equal(evidence.verdict, undefined);
  evidence.addSaid("Escape leads back to the menu.\n");
  assert.deepEqual(evidence.verdict, { outcome: "refused", seen: "bad shim signature" });
});

test("nothing seen is no start, nor is a menu that did not start it, a machine that went off, a program that came back", () => {
  const never = new Evidence({ kind: "linux" });
  never.addSaid("GNU GRUB  version 2.06\n");
  assert.equal(never.conclude(...limit).seen, "no sign of life within 9 s: the menu did not start it");
  const off = new Evidence({ kind: "linux" });
  off.addSaid(booting);
  assert.equal(off.conclude("within 9 s", true).outcome, "off");
  const back = new Evidence({ kind: "efi" });
  back.addSaid(`${booting}GNU GRUB  version 2.06\n`);
  assert.deepEqual(back.verdict, { outcome: "refused", seen: "it came back to the menu" });
});

test("a program has started whose screen shows what GRUB and the BIOS do not", () => {
  const evidence = new Evidence({ kind: "linux16" });
  evidence.addScreen(rows("SeaBIOS (version 1.16)", "Some BIOS of a card"));
  evidence.addSaid(booting);
  const ofOthers = ["Some BIOS of a card", "  Booting `Some system'", "error: nothing of importance.", "+--+"];
  for (let n = 0; n < 3; n++) evidence.addScreen(rows(...ofOthers));
  assert.equal(evidence.verdict, undefined);
  evidence.addScreen(rows("Memtest86+ v6.10  | CPU"));
  assert.equal(evidence.verdict, undefined, "once may be a screen that is half drawn");
  evidence.addScreen(rows("Memtest86+ v6.10  | CPU"));
  assert.deepEqual(evidence.verdict, { outcome: "started", seen: "on its screen: Memtest86+ v6.10 | CPU" });
});

test("what starts a floppy from memory is not the floppy", () => {
  const evidence = new Evidence({ kind: "memdisk" });
  evidence.addSaid(booting);
  const memdisk = ["MEMDISK 6.04  Copyright 2001-2015", "Ramdisk at 0x3fe74000, length 0x0016c000"];
  for (let n = 0; n < 2; n++) evidence.addScreen(rows(...memdisk));
  for (let n = 0; n < 2; n++) evidence.addScreen(rows(...memdisk, "Loading boot sector... booting..."));
  assert.equal(evidence.verdict, undefined);
  for (let n = 0; n < 2; n++) evidence.addScreen(rows("Loading boot sector... booting...", "Starting MS-DOS..."));
  assert.deepEqual(evidence.verdict, { outcome: "started", seen: "on its screen: Starting MS-DOS..." });
});

test("of a screen of pixels much has to change, and not to one colour", () => {
  const evidence = new Evidence({ kind: "linux" });
  evidence.addScreen(picture(640, 480, 20));
  evidence.addSaid(booting);
  for (const other of [picture(640, 480, 30), picture(640, 480, 0), picture(800, 600, 0)]) {
    evidence.addScreen(other);
    evidence.addScreen(other);
    assert.equal(evidence.verdict, undefined);
  }
  evidence.addScreen(picture(640, 480, 300));
  evidence.addScreen(picture(640, 480, 300));
  assert.deepEqual(evidence.verdict, { outcome: "started", seen: "its screen shows something else than the menu" });
});

test("a program for UEFI has started once it says something", () => {
  const evidence = new Evidence({ kind: "efi" });
  evidence.addSaid(
    `${booting}  Booting \`Some system'\n\nBdsDxe: starting\n\n--- ---\nfile path: /ACPI(a0341d0,0)/PCI(0,4)\n(\\tools)/File(\\tools)/File(ipxe.efi)\n/EndEntire\n`,
  );
  assert.equal(evidence.verdict, undefined);
  evidence.addSaid("iPXE initialising devices");
  assert.equal(evidence.verdict, undefined, "the line may go on");
  evidence.addSaid("...ok\n");
  assert.deepEqual(evidence.verdict, { outcome: "started", seen: "it said: iPXE initialising devices...ok" });
});

test("the first entry of an ISO's own menu is started, once", () => {
  const evidence = new Evidence({ kind: "configfile" });
  assert.equal(evidence.addSaid("GNU GRUB  version 2.06"), "");
  assert.equal(evidence.addSaid(booting), "");
  assert.equal(evidence.addSaid("error: no such theme.\nPress any key to continue..."), "");
  assert.equal(evidence.addSaid("GNU GRUB  version 2.06"), "\r");
  assert.equal(evidence.addSaid("live\nUse the ▲ and ▼ keys to select which entry is highlighted.\n│*Live │"), "");
  for (let n = 0; n < 2; n++) {
    evidence.addScreen(rows("+---+", "| *Live        |", "Use the   and   keys to select which entry is highlighted."));
  }
  assert.equal(evidence.verdict, undefined);
  evidence.addSaid("Linux version 6.1.0-9-amd64 ");
  assert.deepEqual(evidence.verdict, { outcome: "started", seen: "Linux version 6.1.0-9-amd64" });
});

test("however much is said, it is remembered that the entry was started", () => {
  const evidence = new Evidence({ kind: "linux", until: "at last" });
  evidence.addSaid(booting);
  for (let n = 0; n < 100; n++) evidence.addSaid(`${"x".repeat(10_000)}\n`);
  evidence.addSaid("at last");
  assert.deepEqual(evidence.verdict, { outcome: "reached", seen: "at last" });
});

test("pictures that are none are refused", () => {
  for (const text of ["", "P6\n2 2\n255\n123", "P5\n1 1\n255\n123", "P6\n99999 1\n255\n", "P6 x 1 255\n"]) {
    assert.throws(() => readPicture(Buffer.from(text)), { code: "failed" }, text);
  }
});
