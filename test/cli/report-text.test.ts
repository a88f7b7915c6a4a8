import assert from "node:assert/strict";
import { test } from "node:test";
import { reportLines } from "../../src/cli/disk/report-text.ts";
import { plain } from "../../src/cli/output.ts";
import type { DiskReport, FileSystemReport } from "../../src/disk/index.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const root: FileSystemReport = {
  kind: "ext4",
  label: "root",
  uuid: "6f9a3ad0-4b1c-4b5f-9d5b-6b2f4d0d3d11",
  sizeBytes: 3 * GiB,
  blockSizeBytes: 4096,
  usedBytes: GiB,
  freeBytes: 2 * GiB,
  features: [],
  notes: ["the journal was replayed in memory"],
};

const partitioned: DiskReport = {
  path: "big\n",
  sizeBytes: 4 * GiB,
  allocatedBytes: 3 * MiB,
  sectorSizeBytes: 512,
  bootCode: "grub2",
  table: {
    kind: "gpt",
    diskId: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
    problems: [{ severity: "warning", message: "the backup header is damaged" }],
  },
  partitions: [
    {
      number: 1,
      startBytes: MiB,
      sizeBytes: 512 * MiB,
      typeCode: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
      typeName: "efi",
      extended: false,
      active: false,
      name: "EFI system",
      problem: "it cannot be read",
    },
    {
      number: 2,
      startBytes: 513 * MiB,
      sizeBytes: 3 * GiB,
      typeCode: "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
      typeName: "linux",
      extended: false,
      active: true,
      fileSystem: root,
    },
  ],
  unpartitioned: [
    { startBytes: 0, lengthBytes: MiB },
    { startBytes: 513 * MiB + 3 * GiB, lengthBytes: 511 * MiB },
  ],
};

test("a disk is told in one table where it goes to a file", () => {
  assert.equal(
    reportLines(partitioned, { isTerminal: false, columns: 80, style: plain }).join("\n"),
    String.raw`
big\x0a
  size       4 GiB (4294967296 bytes), 8388608 sectors of 512
  takes      3 MiB of this machine's disk
  table      gpt, disk 4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
  boot code  grub2

#  active    first     last     size  type   name        holds  label   used   free  file system UUID
1             2048  1050623  512 MiB  efi    EFI system
2  *       1050624  7342079    3 GiB  linux              ext4   root   1 GiB  2 GiB  6f9a3ad0-4b1c-4b5f-9d5b-6b2f4d0d3d11

warning: table: the backup header is damaged
error: partition 1: it cannot be read
note: partition 2: the journal was replayed in memory`.trimStart(),
  );
});

test("on a terminal nothing is wider than it, and the disk is drawn", () => {
  const lines = reportLines(partitioned, { isTerminal: true, columns: 80, style: plain });
  assert.ok(lines.every((line) => line.length <= 80));
  assert.deepEqual(lines.slice(6, 12), [
    "#  active    first     last     size  holds  label   used   free",
    "1             2048  1050623  512 MiB",
    "2  *       1050624  7342079    3 GiB  ext4   root   1 GiB  2 GiB",
    "",
    "#  type   name        file system UUID",
    "1  efi    EFI system",
  ]);
  assert.deepEqual(lines.slice(-5), [
    "┌1 EFI sy… ┬2 root ──────────────────────────────────────────────────┬─────────┐",
    "│▒▒▒▒▒▒▒▒▒▒│███████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░│·········│",
    "└──────────┴─────────────────────────────────────────────────────────┴─────────┘",
    " 1 EFI system 512 MiB     2 root 3 GiB, 33% used",
    " █ used   ░ unused   ▒ no file system known   · in no partition 512 MiB",
  ]);
});

test("a file system over the whole disk is told and drawn as one field", () => {
  const whole: DiskReport = {
    path: "plain.img",
    sizeBytes: 3 * GiB,
    sectorSizeBytes: 512,
    bootCode: "none",
    partitions: [],
    fileSystem: root,
    unpartitioned: [],
  };
  assert.equal(
    reportLines(whole, { isTerminal: true, columns: 60, style: plain }).join("\n"),
    `
plain.img
  size         3 GiB (3221225472 bytes), 6291456 sectors of 512
  table        none
  boot code    none
  file system  ext4 "root", UUID 6f9a3ad0-4b1c-4b5f-9d5b-6b2f4d0d3d11, 1 GiB used, 2 GiB free

note: the journal was replayed in memory

┌ext4──────────────────────────────────────────────────────┐
│███████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░│
└──────────────────────────────────────────────────────────┘
 ext4 3 GiB, 33% used
 █ used   ░ unused`.trimStart(),
  );
});

test("the classic disk has its geometry, in cylinders", () => {
  const geometry = { cylinders: 503, heads: 255, sectors: 63, usableBytes: 4137315840 };
  const classic: DiskReport = { ...partitioned, geometry, table: { kind: "mbr", diskId: "0x1234abcd", problems: [] } };
  const lines = reportLines(classic, { isTerminal: false, columns: 80, style: plain });
  assert.ok(lines.includes("  geometry   503 cylinders, 255 heads, 63 sectors: 4137315840 bytes usable"));
  assert.ok(lines.includes("  table      mbr, disk 0x1234abcd"));
});
