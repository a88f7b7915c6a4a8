import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { FileDevice } from "../../src/device/index.ts";
import {
  identifyBootSector,
  partitionTypeNames,
  planTable,
  readTable,
  gptTypeGuid,
  mbrTypeCode,
  repairGpt,
  writeTable,
  type PartitionTable,
  type TableRequest,
} from "../../src/partition/index.ts";
import { anyRequest, MiB } from "../partition/sparse-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const needsSfdisk = { skip: skipWithout("sfdisk") };
const needsAll = { skip: skipWithout("sfdisk", "sgdisk", "parted") };
const needsSgdisk = { skip: skipWithout("sgdisk") };

interface SfdiskTable {
  readonly label: "dos" | "gpt";
  readonly id: string;
  readonly partitions?: readonly {
    readonly node: string;
    readonly start: number;
    readonly size: number;
    readonly type: string;
    readonly bootable?: boolean;
    readonly uuid?: string;
    readonly name?: string;
    readonly attrs?: string;
  }[];
}

/** A table in the words that sfdisk and this program share. */
interface Shared {
  readonly kind: "mbr" | "gpt";
  readonly id: string;
  readonly partitions: readonly unknown[];
}

function seenBySfdisk(image: string): Shared {
  const { partitiontable } = JSON.parse(runPeer("sfdisk", ["--json", image])) as { partitiontable: SfdiskTable };
  const kind = partitiontable.label === "dos" ? "mbr" : "gpt";
  const partitions = (partitiontable.partitions ?? []).map(({ node, start, size, type, ...words }) => ({
    number: Number(node.slice(image.length)),
    start,
    size,
    type: kind === "mbr" ? Number.parseInt(type, 16) : type,
    active: words.bootable === true || (words.attrs ?? "").includes("LegacyBIOSBootable"),
    ...(kind === "mbr" ? {} : { guid: words.uuid, label: words.name ?? "" }),
  }));
  return { kind, id: partitiontable.id, partitions };
}

function seenByUs(table: PartitionTable | undefined): Shared {
  assert.ok(table !== undefined, "there is a table");
  assert.deepEqual(table.problems, []);
  const partitions = table.partitions.map(({ number, startBytes, sizeBytes, typeCode, active, guid, label }) => ({
    number,
    start: startBytes / 512,
    size: sizeBytes / 512,
    type: typeCode,
    active,
    ...(table.kind === "mbr" ? {} : { guid, label }),
  }));
  return { kind: table.kind, id: table.diskId, partitions };
}

function emptyImage(image: string, sizeBytes: number): string {
  fs.writeFileSync(image, "");
  fs.truncateSync(image, sizeBytes);
  return image;
}

async function writeImage(image: string, request: TableRequest): Promise<void> {
  emptyImage(image, request.sizeBytes);
  await using device = await FileDevice.open(image);
  await writeTable(device, planTable(request));
}

async function readImage(image: string): Promise<Shared> {
  await using device = await FileDevice.open(image);
  return seenByUs(await readTable(device));
}

/** sgdisk and parted look at a GPT, sfdisk and parted at an MBR: none of them finds a fault. */
function assertNoPeerComplains(image: string, kind: "mbr" | "gpt", partitions: number): void {
  const verdict = runPeer("sfdisk", ["-V", image]);
  assert.match(verdict, /No errors detected/);
  const listed = runPeer("parted", ["-s", "-m", image, "unit", "s", "print"]).trim().split("\n").slice(2);
  assert.equal(listed.length, partitions, "parted lists as many");
  if (kind === "mbr") return;
  assert.match(runPeer("sgdisk", ["-v", image]), /No problems found/);
  const printed = runPeer("sgdisk", ["-p", image]);
  assert.equal(printed.split("\n").filter((line) => /^ +\d+ /.test(line)).length, partitions, "sgdisk lists as many");
}

test(
  "sfdisk, sgdisk and parted read whatever is written, as it is read here, and find no fault",
  needsAll,
  async () => {
    await using folder = temporaryFolder();
    const image = folder.join("disk.img");
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        await writeImage(image, request);
        const ours = await readImage(image);
        assert.deepEqual(seenBySfdisk(image), ours);
        assertNoPeerComplains(image, ours.kind, ours.partitions.length);
      }),
      { numRuns: 40 },
    );
  },
);

test("the classic disk is to sfdisk what it was in its day", needsSfdisk, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("big");
  await writeImage(image, {
    sizeBytes: 4141875200,
    table: "mbr",
    layout: "classic",
    partitions: [{ sizeBytes: "rest", type: "linux" }],
  });
  assert.match(runPeer("sfdisk", ["-d", image]), /big1 : start= +63, size= +8080632, type=83$/m);
  assert.match(runPeer("sfdisk", ["-V", image]), /No errors detected/);
});

test("a GPT disk of 3 TiB has no fault to anyone", needsAll, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("disk.img");
  const partitions = [{ sizeBytes: "rest", type: "linux" }] as const;
  await writeImage(image, { sizeBytes: 3 * 2 ** 40, table: "gpt", layout: "aligned", partitions });
  assert.deepEqual(seenBySfdisk(image), await readImage(image));
  assertNoPeerComplains(image, "gpt", 1);
});

test("a disk with 56 logical partitions is read whole", needsSfdisk, async () => {
  await using folder = temporaryFolder();
  const image = folder.join("disk.img");
  const partitions = Array.from({ length: 59 }, () => ({ sizeBytes: MiB, type: "linux" }));
  await writeImage(image, { sizeBytes: 200 * MiB, table: "mbr", layout: "aligned", partitions });
  assert.deepEqual(seenBySfdisk(image), await readImage(image));
  assert.match(runPeer("sfdisk", ["-V", image]), /No errors detected/);
});

const scripts: readonly (readonly [string, string])[] = [
  ["an empty MBR", "label: dos\nlabel-id: 0x00c0ffee\n"],
  ["an MBR of four primaries", "label: dos\n,10M,83,*\n,20M,c\n,5M,82\n,,8e\n"],
  ["logical partitions", "label: dos\n,10M,c,*\n,20M,83\n,,5\n,10M,83\n,10M,82\n,10M,83\n,,fd\n"],
  ["logical partitions in an LBA extended one, first of all", "label: dos\n,60M,f\n,10M,83\n,,83\n,10M,83\n,,7\n"],
  ["partitions from sector 63", "label: dos\nstart=63,size=16002,type=83\nstart=16065,size=160650,type=83\n"],
  ["a GPT", 'label: gpt\n,10M,U,*\nsize=20M,type=L,name="Größe ✓ 😀"\ntype=S,name="Überraschung"\n'],
  ["a GPT of 256 entries", 'label: gpt\ntable-length: 256\n,10M,U\ntype=L,attrs="RequiredPartition GUID:63"\n'],
  ["an empty GPT", "label: gpt\n"],
];

for (const [what, script] of scripts) {
  test(`${what} that sfdisk made is read as sfdisk reads it`, needsSfdisk, async () => {
    await using folder = temporaryFolder();
    const image = emptyImage(folder.join("disk.img"), 200 * MiB);
    runPeer("sfdisk", ["-q", image], { input: script });
    assert.deepEqual(await readImage(image), seenBySfdisk(image));
  });
}

test("what sgdisk made is read, names and attributes too, with 128 and with 256 entries", needsSgdisk, async () => {
  await using folder = temporaryFolder();
  for (const entries of ["128", "256"]) {
    const image = emptyImage(folder.join(`disk-${entries}.img`), 100 * MiB);
    runPeer("sgdisk", [
      "-S",
      entries,
      "-n",
      "1:0:+10M",
      "-t",
      "1:ef00",
      "-c",
      "1:ESP — Größe",
      "-A",
      "1:set:63",
      image,
    ]);
    runPeer("sgdisk", ["-n", "5:0:0", "-t", "5:8304", "-c", "5:корень", "-A", "5:set:2", image]);
    await using device = await FileDevice.open(image);
    const table = await readTable(device);
    assert.deepEqual(table?.problems, []);
    const seen = table.partitions.map(({ number, typeName, label, active, attributes }) => {
      return { number, typeName, label, active, attributes };
    });
    assert.deepEqual(seen, [
      { number: 1, typeName: "efi", label: "ESP — Größe", active: false, attributes: 1n << 63n },
      { number: 5, typeName: "linux-root-x86-64", label: "корень", active: true, attributes: 4n },
    ]);
  }
});

test("a GPT repaired here has no fault to sgdisk, whichever copy was lost", needsSgdisk, async () => {
  await using folder = temporaryFolder();
  const image = emptyImage(folder.join("disk.img"), 64 * MiB);
  const lastSector = 64 * MiB - 512;
  for (const at of [0, 512, 1024, lastSector, lastSector - 32 * 512]) {
    runPeer("sgdisk", ["-o", "-n", "1:0:+10M", "-n", "2:0:0", image]);
    await using device = await FileDevice.open(image);
    await device.write(at, new Uint8Array(512).fill(at === 0 ? 0 : 0x55));
    assert.notEqual((await repairGpt(device)).length, 0);
    assert.match(runPeer("sgdisk", ["-v", image]), /No problems found/);
  }
  fs.truncateSync(image, 80 * MiB);
  await using grown = await FileDevice.open(image);
  assert.equal((await repairGpt(grown)).length, 1);
  assert.match(runPeer("sgdisk", ["-v", image]), /No problems found/);
});

test("every type that has a name is known to sfdisk", needsSfdisk, () => {
  // Newer than the sfdisk of Debian 12, or not in its list.
  const unlisted = new Set([gptTypeGuid("linux-luks")]);
  const mbrList = runPeer("sfdisk", ["--label", "dos", "-T"]);
  const gptList = runPeer("sfdisk", ["--label", "gpt", "-T"]);
  for (const name of partitionTypeNames("mbr")) {
    assert.match(mbrList, new RegExp(`^ *${mbrTypeCode(name).toString(16)} `, "m"), name);
  }
  for (const name of partitionTypeNames("gpt")) {
    const code = gptTypeGuid(name);
    if (!unlisted.has(code)) assert.ok(gptList.toUpperCase().includes(code), `${name} ${code}`);
  }
});

test("a file system over a whole disk is no partition table", { skip: skipWithout("mkfs.fat") }, async () => {
  await using folder = temporaryFolder();
  for (const bits of ["12", "16", "32"]) {
    const image = emptyImage(folder.join("fat.img"), bits === "12" ? 4 * MiB : 64 * MiB);
    runPeer("mkfs.fat", ["-F", bits, image]);
    await using device = await FileDevice.open(image);
    assert.equal(await readTable(device), undefined);
  }
});

const bootCodes: readonly (readonly [string, ReturnType<typeof identifyBootSector>])[] = [
  ["/usr/lib/grub/i386-pc/boot.img", "grub2"],
  ["/usr/lib/grub/i386-pc/boot_hybrid.img", "grub2"],
  ["/usr/lib/syslinux/mbr/mbr.bin", "syslinux"],
  ["/usr/lib/syslinux/mbr/altmbr.bin", "syslinux"],
  ["/usr/lib/syslinux/mbr/gptmbr.bin", "syslinux"],
  ["/usr/lib/ISOLINUX/isohdpfx.bin", "isolinux-hybrid"],
];

for (const [file, name] of bootCodes) {
  test(`${file} is named ${name}`, { skip: skipWithout(file) }, () => {
    assert.equal(identifyBootSector(fs.readFileSync(file)), name);
  });
}
