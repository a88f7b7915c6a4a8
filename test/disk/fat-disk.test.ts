import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import {
  checkDisk,
  createDisk,
  showDisk,
  type CreateDiskRequest,
  type NewPartitionRequest,
} from "../../src/disk/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { plainDisk } from "./plain-disk.ts";

const mib = 2 ** 20;

function requestFor(
  path: string,
  partition: Partial<NewPartitionRequest>,
  more: Partial<CreateDiskRequest> = {},
): CreateDiskRequest {
  return {
    ...plainDisk,
    path,
    sizeBytes: 64 * mib,
    partitions: [{ active: false, from: [], ...partition }],
    force: true,
    ...more,
  };
}

function treeIn(folder: TemporaryFolder): string {
  const tree = folder.join("tree");
  fs.mkdirSync(tree);
  fs.writeFileSync(`${tree}/Readme`, "hello\n".repeat(1000));
  return tree;
}

async function problemsIn(image: string): Promise<string[]> {
  const problems: string[] = [];
  await checkDisk({ image, path: "/" }, { onProblem: async ({ message }) => void problems.push(message) });
  return problems;
}

test("FAT is made in a partition of the type that fits it, with the place that its boot sector has to name", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("disk");
  const from = [treeIn(folder)];
  for (const [table, kind, size, type] of [
    ["mbr", "fat", 3 * mib, "fat16-lba"],
    ["mbr", "fat12", 3 * mib, "fat12"],
    ["mbr", "fat16", 40 * mib, "fat16-lba"],
    ["mbr", "fat32", 40 * mib, "fat32-lba"],
    ["gpt", "fat32", 40 * mib, "microsoft-data"],
  ] as const) {
    const partition = { sizeBytes: size, fileSystem: { kind, label: "DATA", uuid: "1234-abcd" }, from };
    const { report } = await createDisk(requestFor(path, partition, { table }));
    const [made] = report.partitions ?? [];
    assert.equal(made?.typeName, type);
    const { fileSystem } = made ?? {};
    assert.equal(fileSystem?.kind, kind === "fat" ? "fat12" : kind);
    assert.deepEqual([fileSystem?.label, fileSystem?.uuid], ["DATA", "1234-ABCD"]);
    const boot = fs.readFileSync(path).subarray(mib, mib + 512);
    assert.deepEqual([boot.readUInt16LE(0x18), boot.readUInt16LE(0x1a), boot.readUInt32LE(0x1c)], [63, 255, 2048]);
    assert.deepEqual(await problemsIn(path), []);
  }
});

test("an EFI partition has FAT unless told, and the files are for the other one", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("disk");
  const partitions = [
    { active: false, from: [], sizeBytes: 20 * mib, type: "efi" },
    { active: false, from: [] },
  ];
  await createDisk({ ...requestFor(path, {}), partitions, from: [treeIn(folder)], table: "gpt" });
  const { partitions: shown } = await showDisk(path);
  assert.deepEqual(
    shown?.map(({ fileSystem }) => fileSystem?.kind),
    ["fat16", "ext4"],
  );
  const [efi] = shown ?? [];
  const { sizeBytes = 0, freeBytes = 0 } = efi?.fileSystem ?? {};
  assert.ok(sizeBytes - freeBytes < mib, "nothing is in it");
});

test("the size that files need is found, and they fit", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("disk");
  const tree = treeIn(folder);
  for (let n = 0; n < 700; n++) fs.writeFileSync(`${tree}/a file with a long name ${n}`, "x".repeat(n * 10));
  for (const kind of ["fat", "fat16", "fat32"]) {
    const partition = { fileSystem: { kind }, from: [tree] };
    const { report } = await createDisk(requestFor(path, partition, { sizeBytes: "auto" }));
    assert.deepEqual(await problemsIn(path), []);
    assert.ok(report.sizeBytes < (kind === "fat32" ? 36 : 12) * mib, `${kind}: ${report.sizeBytes}`);
  }
});

test("the same request gives the same bytes", async () => {
  await using folder = temporaryFolder();
  const tree = treeIn(folder);
  const [one, other] = [folder.join("one"), folder.join("other")];
  const more = { uuid: "2c5ad4a2-7c0b-4e0c-9d3f-55c6f3b0e8a1", sourceDateEpoch: 1_600_000_000 };
  await createDisk(requestFor(one, { fileSystem: { kind: "fat32" }, from: [tree] }, more));
  fs.utimesSync(`${tree}/Readme`, 1_650_000_000, 1_650_000_000);
  await createDisk(
    requestFor(other, { fileSystem: { kind: "fat32" }, from: [tree] }, { ...more, nowMs: 1_800_000_000_000 }),
  );
  assert.equal(Buffer.compare(fs.readFileSync(one), fs.readFileSync(other)), 0);
});

test("what FAT cannot hold is refused by name, and leaves no file behind", async () => {
  await using folder = temporaryFolder();
  const path = folder.join("disk");
  const refused = async (partition: Partial<NewPartitionRequest>, code: string, message: RegExp): Promise<void> => {
    await assert.rejects(createDisk(requestFor(path, partition)), { name: "Failure", code, message });
    assert.ok(!fs.existsSync(path));
    assert.deepEqual(
      fs.readdirSync(folder.path).filter((name) => name.includes("part")),
      [],
    );
  };
  const tree = treeIn(folder);
  const fat = { fileSystem: { kind: "fat16" }, from: [tree] };
  fs.symlinkSync("Readme", `${tree}/link`);
  await refused(fat, "unsupported", /"link".*no symlink/);
  fs.rmSync(`${tree}/link`);
  fs.writeFileSync(`${tree}/README`, "other case");
  await refused(fat, "exists", /"Readme" beside "README": fat16 takes both for one/);
  fs.rmSync(`${tree}/README`);
  fs.writeFileSync(`${tree}/a:b`, "");
  await refused(fat, "failed", /"a:b" on FAT: it has ":" in it/);
  fs.rmSync(`${tree}/a:b`);
  fs.linkSync(`${tree}/Readme`, `${tree}/second`);
  fs.truncateSync(`${tree}/Readme`, 50 * mib);
  await refused(fat, "no-space", /cannot fill fat16 of 66060288 bytes/);
  await refused({ fileSystem: { kind: "fat32" }, sizeBytes: 20 * mib }, "usage", /cannot make fat32 of/);
  await refused({ fileSystem: { kind: "fat16", label: "a.long.label" } }, "usage", /label/);
  await refused({ fileSystem: { kind: "fat16", journalBytes: 4096 } }, "usage", /no inodes, journal or features/);
  await refused({ fileSystem: { kind: "fat16", uuid: "what" } }, "usage", /"what" as the number/);
});
