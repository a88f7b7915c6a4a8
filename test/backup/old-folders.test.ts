import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { checkBackup, openBackup, showBackup, type BackupProblem, type BackupReport } from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice, readBytes } from "../../src/device/index.ts";
import { readTable, writeTable, type PartitionTable } from "../../src/partition/index.ts";
import { runPeer } from "../peers/peer.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { sampleDisk, save } from "./sample-disk.ts";
import { sampleNtfsclone } from "./sample-ntfsclone.ts";
import { sampleBlocks, sampleContent, sampleImage } from "./sample-image.ts";

const blockBytes = 512;
const blocks = sampleBlocks(200, blockBytes);
const content = sampleContent(blocks, blockBytes);
const image = sampleImage({ blockBytes, blocks, checksum: "crc32", stripBlocks: 9, reseed: true, bitmapForm: "bits" });
const mib = 2 ** 20;

/** A folder with these files, and the image above where `true` stands. */
function backupOf(
  folder: TemporaryFolder,
  name: string,
  files: Readonly<Record<string, string | Buffer | true>>,
): string {
  const backup = folder.join(name);
  fs.mkdirSync(backup);
  for (const [file, bytes] of Object.entries(files)) {
    fs.writeFileSync(`${backup}/${file}`, bytes === true ? image : bytes);
  }
  return backup;
}

interface Looked {
  readonly table: PartitionTable | undefined;
  /** Whether the partition at this byte holds what was saved. */
  readonly isAt: (at: number) => Promise<boolean>;
  readonly boot: Uint8Array;
}

async function look(backup: string, disk?: string): Promise<Looked> {
  const cache = { folder: undefined, limitBytes: 2 ** 30, nowMs: 0 };
  await using reader = await openBackup(backup, { env: {}, cache, ...(disk === undefined ? {} : { disk }) });
  const all = await readBytes(reader, 0, reader.sizeBytes);
  return {
    table: await readTable(new MemoryDevice(all)),
    isAt: async (at) => Buffer.from(all.subarray(at, at + content.length)).equals(content),
    boot: all.subarray(0, 512),
  };
}

const show = (backup: string): Promise<BackupReport> => showBackup(backup, { env: {} });

function dump(disk: string, partition: string): string {
  return `label: dos\nlabel-id: 0xc0ffee01\ndevice: /dev/${disk}\nunit: sectors\n\n/dev/${partition} : start=2048, size=4096, type=83\n`;
}

for (const [disk, partition] of [
  ["nvme0n1", "nvme0n1p1"],
  ["mmcblk0", "mmcblk0p1"],
  ["md127", "md127p1"],
  ["cciss/c0d0", "cciss/c0d0p1"],
] as const) {
  test(`a disk called ${disk} is read as any other`, async () => {
    await using folder = temporaryFolder();
    const [diskFile, partFile] = [disk, partition].map((name) => name.replaceAll("/", "-"));
    const backup = backupOf(folder, "backup", {
      disk: `${disk}\n`,
      parts: `${partition}\n`,
      [`${diskFile}-pt.sf`]: dump(disk, partition),
      [`${partFile}.ext4-ptcl-img.uncomp.aa`]: true,
    });
    const report = await show(backup);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(
      report.disks[0]?.partitions.map(({ name, saved }) => [name, saved]),
      [[partFile, "used"]],
    );
    const { isAt } = await look(backup);
    assert.ok(await isAt(mib));
  });
}

const oldDump = `# partition table of /dev/sda
unit: sectors

/dev/sda1 : start=     2048, size=     4096, Id=83, bootable
/dev/sda2 : start=     8192, size=    16384, Id= 5
/dev/sda3 : start=        0, size=        0, Id= 0
/dev/sda4 : start=        0, size=        0, Id= 0
/dev/sda5 : start=     8255, size=     4096, Id=83
`;

test("a table as old sfdisks wrote it keeps what tells its disk from others, and data is known by its first bytes", async () => {
  await using folder = temporaryFolder();
  const bootSector = Buffer.alloc(512, 0x90);
  bootSector.writeUInt32LE(0xdeadbeef, 440);
  const backup = backupOf(folder, "backup", {
    disk: "sda\n",
    parts: "sda1 sda5\n",
    "sda-pt.sf": oldDump,
    "sda-mbr": bootSector,
    "sda1.ext3-img.aa": zlib.gzipSync(image),
    "sda5.dd-img": zlib.gzipSync(content),
  });
  assert.deepEqual((await show(backup)).problems, []);
  const { table, isAt, boot } = await look(backup);
  assert.equal(table?.diskId, "0xdeadbeef");
  assert.deepEqual(
    table?.partitions.map(({ number, startBytes }) => [number, startBytes / 512]),
    [
      [1, 2048],
      [2, 8192],
      [5, 8255],
    ],
  );
  assert.equal(boot[0], 0x90);
  assert.ok(await isAt(mib));
  assert.ok(await isAt(8255 * 512));
});

test("of a GPT that an old sfdisk has dumped its copies are the table", async () => {
  await using folder = temporaryFolder();
  const disk = new MemoryDevice(new Uint8Array(8 * mib));
  const guid = (n: number): string => `0A1B2C3D-0000-4000-8000-00000000000${n}`;
  await writeTable(disk, {
    kind: "gpt",
    sizeBytes: disk.sizeBytes,
    diskGuid: guid(0),
    entryCount: 128,
    firstUsableLba: 34,
    lastUsableLba: 8 * 2048 - 34,
    partitions: [1, 3].map((number) => ({
      number,
      startLba: number * 2048,
      sectorCount: 2048,
      typeCode: "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
      guid: guid(number),
      label: `part ${number}`,
      attributes: 4n,
      active: true,
    })),
  });
  const first = Buffer.from(await readBytes(disk, 0, 34 * 512));
  const second = Buffer.from(await readBytes(disk, disk.sizeBytes - 512, 512));
  const files = {
    disk: "sda\n",
    parts: "sda1 sda3\n",
    "sda-pt.sf": "# partition table of /dev/sda\nunit: sectors\n\n/dev/sda1 : start=        1, size=    16383, Id=ee\n",
    "sda-pt.parted": "Disk /dev/sda: 16384s\n",
    "sda1.ext4-ptcl-img.uncomp": true,
    "sda3.ext4-ptcl-img.uncomp": true,
  } as const;
  const wanted = await readTable(disk);
  const ofSgdisk = Buffer.concat([first.subarray(0, 1024), second, first.subarray(1024)]);
  for (const [name, copy] of [
    ["sda-gpt-1st", first],
    ["sda-gpt.gdisk", ofSgdisk],
  ] as const) {
    const backup = backupOf(folder, name, { ...files, [name]: copy });
    const { table, isAt } = await look(backup);
    assert.deepEqual(table?.partitions, wanted?.partitions, name);
    assert.deepEqual([table?.diskId, table?.problems], [guid(0), []]);
    assert.ok(await isAt(3 * mib));
  }
  assert.match((await show(backupOf(folder, "none", files))).problems[0] ?? "", /GPT that an sfdisk without GPT/);
  const damaged = backupOf(folder, "damaged", { ...files, "sda-gpt-1st": Buffer.alloc(34 * 512) });
  assert.match((await show(damaged)).problems[0] ?? "", /copy of its GPT/);
});

test("several disks in one folder are told apart, and one without a table is data of its own", async () => {
  await using folder = temporaryFolder();
  const backup = backupOf(folder, "backup", {
    disk: "sda sdb sdc\n",
    parts: "sda1 sdb1 sdc\n",
    "sda-pt.sf": dump("sda", "sda1"),
    "sdb-pt.sf": dump("sdb", "sdb1").replace("2048", "4096"),
    "sda1.ext4-ptcl-img.uncomp": true,
    "sdb1.ext4-ptcl-img.uncomp": true,
    "sdc.ext4-ptcl-img.uncomp": true,
  });
  const report = await show(backup);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    report.disks.map(({ name }) => name),
    ["sda", "sdb"],
  );
  assert.deepEqual(
    report.others.map(({ name }) => name),
    ["sdc"],
  );
  await assert.rejects(look(backup), /it has several/);
  assert.ok(await (await look(backup, "sdb")).isAt(2 * mib));
});

test("a folder of single partitions is looked into at their places", async () => {
  await using folder = temporaryFolder();
  const backup = backupOf(folder, "backup", {
    parts: "sda1 sda5\n",
    "sda-pt.sf": oldDump,
    "sda1.ext4-ptcl-img.uncomp": true,
    "sda5.ext4-ptcl-img.uncomp": true,
  });
  assert.deepEqual((await show(backup)).disks, []);
  const { isAt } = await look(backup);
  assert.deepEqual([await isAt(mib), await isAt(8255 * 512)], [true, true]);
});

test("what is not read is named: partimage, lrzip, encrypted folders, LUKS, groups of LVM", async () => {
  await using folder = temporaryFolder();
  const isUnsupported = (words: RegExp) => (error: unknown) => {
    return error instanceof Failure && error.code === "unsupported" && words.test(error.message);
  };
  const files = { parts: "sda1\n" };
  const partimage = backupOf(folder, "partimage", { ...files, "sda1.000": zlib.gzipSync(image), "sda1.001": true });
  assert.deepEqual((await show(partimage)).problems, []);
  await assert.rejects(look(partimage), isUnsupported(/image of partimage/));
  const gap = backupOf(folder, "gap", { ...files, "sda1.000": true, "sda1.002": true });
  assert.deepEqual((await show(gap)).problems, ['the volume "sda1.001" is missing']);
  const lrzip = backupOf(folder, "lrzip", { ...files, "sda1.ext4-ptcl-img.lrz.aa": "LRZI" });
  await assert.rejects(look(lrzip), isUnsupported(/compressed as "lrz"/));
  for (const program of ["ecryptfs", "gocryptfs"]) {
    const encrypted = backupOf(folder, program, { [`${program}.info`]: "", xyz: "" });
    await assert.rejects(show(encrypted), isUnsupported(new RegExp(`encrypted by ${program}`)));
  }
  const luks = backupOf(folder, "luks", {
    ...files,
    "luks-dev.list": "# <Device name>   <UUID>   <Mapper>\n/dev/sda1 0a1b2c3d-0000-4000-8000-00000000abcd root_crypt\n",
    "root_crypt.ext4-ptcl-img.uncomp": true,
  });
  assert.match((await show(luks)).problems[0] ?? "", /sda1 was encrypted by LUKS.*root_crypt/);
  const lvm = backupOf(folder, "lvm", {
    ...files,
    "lvm_vg_dev.list": "vg /dev/sda1 abcdef-0123\n",
    "vg-root.ext4-ptcl-img.uncomp": true,
  });
  assert.match((await show(lvm)).problems[0] ?? "", /^sda1, of LVM: LVM's description has no group "vg"$/);
});

test("an old folder is checked as far as its data tells, and sums that are not compared are named", async () => {
  await using folder = temporaryFolder();
  const ntfsclone = sampleNtfsclone({ clusterBytes: blockBytes, clusters: blocks, deviceBytes: content.length });
  const backup = backupOf(folder, "backup", {
    disk: "sda\n",
    parts: "sda1\n",
    "sda-pt.sf": dump("sda", "sda1"),
    "sda-mbr": Buffer.alloc(512),
    "sda1.ntfs-img.aa": ntfsclone,
    B3SUMS: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262  parts\n",
  });
  const found: string[] = [];
  const onProblem = async ({ severity, where }: BackupProblem): Promise<void> =>
    void found.push(`${severity} ${where}`);
  const checked = await checkBackup(backup, { env: {}, onProblem });
  assert.deepEqual(found, ["warning B3SUMS"]);
  assert.deepEqual([checked.parts, checked.hasStructure], [["sda1"], false]);
  fs.truncateSync(`${backup}/sda1.ntfs-img.aa`, ntfsclone.length - 600);
  const damaged = await checkBackup(backup, { env: {}, onProblem });
  assert.equal(damaged.errorCount, 1);
});

test("file systems in data that has to be unpacked first are looked through where there is a cache", async () => {
  await using folder = temporaryFolder();
  const { path: backup } = await save(await sampleDisk(folder, "mbr"), folder.join("home"), { name: "whole" });
  for (const name of fs.readdirSync(backup)) {
    if (name.endsWith("SUMS")) fs.rmSync(`${backup}/${name}`);
    if (!name.endsWith(".zst.aa")) continue;
    runPeer("sh", [
      "-c",
      `zstd -dc "$1" | gzip -1 >"$2"`,
      "sh",
      `${backup}/${name}`,
      `${backup}/${name.replace(".zst", ".gz")}`,
    ]);
    fs.rmSync(`${backup}/${name}`);
  }
  const found: string[] = [];
  const onProblem = async ({ where, message }: BackupProblem): Promise<void> => void found.push(`${where}: ${message}`);
  const without = await checkBackup(backup, { env: {}, onProblem });
  const cache = { folder: folder.join("cache"), limitBytes: 2 ** 30, nowMs: 0 };
  const withCache = await checkBackup(backup, { env: {}, onProblem, cache });
  assert.deepEqual([without.hasStructure, withCache.hasStructure, found], [false, true, []]);
});
