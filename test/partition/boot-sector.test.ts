import assert from "node:assert/strict";
import { test } from "node:test";
import { identifyBootSector } from "../../src/partition/index.ts";

function sectorWith(at: number, text: string): Uint8Array {
  const sector = Buffer.alloc(512);
  sector.write("\xeb\x63\x90", 0, "latin1");
  sector.write(text, at, "latin1");
  return sector;
}

const windowsMessages = "Invalid partition table\0Error loading operating system\0Missing operating system";

test("boot code is named by its messages", () => {
  assert.equal(identifyBootSector(sectorWith(0x180, "GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0")), "grub2");
  assert.equal(identifyBootSector(sectorWith(0x17f, "GRUB \0Geom\0Hard Disk\0Read\0 Error\0")), "grub-legacy");
  assert.equal(identifyBootSector(sectorWith(0x175, "Operating system load error.")), "syslinux");
  assert.equal(identifyBootSector(sectorWith(0xb6, "isolinux.bin missing or corrupt.\r\n")), "isolinux-hybrid");
  assert.equal(identifyBootSector(sectorWith(6, "LILO")), "lilo");
  assert.equal(identifyBootSector(sectorWith(0x12c, windowsMessages)), "windows-xp");
  assert.equal(identifyBootSector(sectorWith(0x162, windowsMessages)), "windows-vista");
  assert.equal(identifyBootSector(sectorWith(0x163, windowsMessages)), "windows-7");
});

test("no code is none, other code is unknown, and the table does not count", () => {
  const onlyTable = new Uint8Array(512).fill(0xff, 0x1b8);
  assert.equal(identifyBootSector(onlyTable), "none");
  assert.equal(identifyBootSector(sectorWith(100, "something else")), "unknown");
  assert.equal(identifyBootSector(sectorWith(100, "LILO")), "unknown");
});
