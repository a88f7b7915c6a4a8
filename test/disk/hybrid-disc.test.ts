/** Images that have a partition table and are a disc all the same. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { showDisk } from "../../src/disk/index.ts";
import { openPlace } from "../../src/disk/open-disk.ts";
import { isoImage } from "../filesystem/iso/image-builder.ts";
import { temporaryFolder } from "../temp.ts";

const sectorBytes = 512;

interface Entry {
  readonly firstLba: number;
  readonly sectorCount: number;
}

/** A disc of 64 KiB in a file of 1 MiB, with a table in its first sector. */
function writeImage(path: string, entries: readonly Entry[]): void {
  const image = Buffer.alloc(1024 * 1024);
  image.set(isoImage({ records: [{ name: "DISC.;1", data: new Uint8Array(10_000) }] }));
  entries.forEach(({ firstLba, sectorCount }, n) => {
    const at = 446 + n * 16;
    image[at + 4] = 0x83;
    image.writeUInt32LE(firstLba, at + 8);
    image.writeUInt32LE(sectorCount, at + 12);
  });
  image.writeUInt16LE(0xaa55, 510);
  fs.writeFileSync(path, image);
}

const discSectors = isoImage({ records: [{ name: "DISC.;1", data: new Uint8Array(10_000) }] }).length / sectorBytes;

test("the disc is meant where its table has partitions of the disc", async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  const tables: readonly (readonly Entry[])[] = [
    [],
    [{ firstLba: 0, sectorCount: 2048 }], // of all, with what was added at the end
    [{ firstLba: 1, sectorCount: 2047 }],
    [{ firstLba: 64, sectorCount: 1984 }], // from the second volume descriptor on
    [{ firstLba: 100, sectorCount: discSectors - 100 }], // a boot image on the disc
    [{ firstLba: discSectors, sectorCount: 100 }], // one behind it
  ];
  for (const table of tables) {
    writeImage(image, table);
    await using open = await openPlace({ image });
    assert.equal(open.fileSystem.info.kind, "iso9660", JSON.stringify(table));
    const report = await showDisk(image);
    assert.equal(report.fileSystem?.kind, "iso9660");
    assert.equal(report.table?.kind, "mbr");
    assert.equal(report.partitions.length, table.length);
  }
});

test("a disc of which partitions have come in place is not meant", async () => {
  await using folder = temporaryFolder();
  const image = folder.join("image");
  writeImage(image, [{ firstLba: 70, sectorCount: 1900 }]);
  await assert.rejects(openPlace({ image }), { code: "not-found", message: /no partition has a known one/ });
  assert.equal((await showDisk(image)).fileSystem, undefined);
});
