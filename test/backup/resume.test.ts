import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import type { SaveRequest } from "../../src/backup/index.ts";
import { Failure } from "../../src/base/index.ts";
import { FileDevice, SliceDevice, type FileReader } from "../../src/device/index.ts";
import { editFileSystem } from "../../src/filesystem/index.ts";
import { readTable } from "../../src/partition/index.ts";
import { WrappedStore, type BackupStore, type StoreWriter } from "../../src/backup/store/index.ts";
import { temporaryFolder } from "../temp.ts";
import { sampleDisk, save } from "./sample-disk.ts";

const folder = temporaryFolder();
let disk = "";
const volumeBytes = 2 ** 20;

before(async () => {
  disk = await sampleDisk(folder, "gpt");
});

after(() => folder[Symbol.asyncDispose]());

/** What a backup consists of, to be compared. */
function contentOf(backup: string): Record<string, string> {
  const names = fs.readdirSync(backup).sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash("sha1")
        .update(fs.readFileSync(`${backup}/${name}`))
        .digest("hex"),
    ]),
  );
}

/** Saves, and breaks that off once so much is done. */
async function breakOff(source: string, into: string, atBytes: number, more: Partial<SaveRequest> = {}): Promise<void> {
  const abort = new AbortController();
  const onProgress = ({ doneBytes }: { readonly doneBytes: number }): void => {
    if (doneBytes >= atBytes) abort.abort();
  };
  await assert.rejects(save(source, into, { volumeBytes, ...more }, { signal: abort.signal, onProgress }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "interrupted");
    assert.match(error.hint ?? "", /backup.part" has what is finished: the same command with --resume goes on$/);
    return true;
  });
}

for (const packedAs of ["zst", "gz", "lz4", "uncomp"] as const) {
  test(`a save as ${packedAs} that is broken off again and again ends as one that was not`, async () => {
    await using place = temporaryFolder();
    const whole = await save(disk, place.join("whole"), { packedAs, volumeBytes });
    const again = { packedAs, isResumed: true, nowMs: 1_800_000_000_000, command: "another" };
    const into = place.join("resumed");
    await breakOff(disk, into, 1, { packedAs });
    for (const atBytes of [5e6, 9e6, 12e6, 16e6]) {
      await breakOff(disk, into, atBytes, again);
      // What had not reached the disk when the power went.
      const begun = fs.readdirSync(`${into}/backup.part`).find((name) => /img.*\.part$/.test(name));
      if (atBytes === 12e6 && begun !== undefined) fs.truncateSync(`${into}/backup.part/${begun}`, 1000);
    }
    const saved = await save(disk, into, { volumeBytes, ...again });
    assert.deepEqual(contentOf(saved.path), contentOf(whole.path));
    assert.deepEqual(saved.parts, whole.parts);
    assert.deepEqual(fs.readdirSync(into), ["backup"]);
  });
}

test("what is finished is not saved again", async () => {
  await using place = temporaryFolder();
  await breakOff(disk, place.path, 12e6);
  const phases = new Set<string>();
  await save(disk, place.path, { isResumed: true, volumeBytes }, { onProgress: ({ phase }) => void phases.add(phase) });
  assert.deepEqual([...phases].slice(0, 2), ["comparing sda1", "comparing sda2"]);
  assert.ok(!phases.has("saving sda1"));
});

test("without a name the newest one of the same disk is gone on with, and without any a new one is begun", async () => {
  await using place = temporaryFolder();
  await breakOff(disk, place.path, 5e6);
  fs.renameSync(place.join("backup.part"), place.join("2026-01-02-0304-sda.part"));
  const { name: _, ...request } = { name: "", source: disk, into: place.path };
  const { saveBackup } = await import("../../src/backup/index.ts");
  const nameless = {
    ...request,
    packedAs: "zst",
    volumeBytes,
    retries: 0,
    isUnchecked: false,
    isResumed: true,
    nowMs: Date.UTC(2026, 5, 6),
    command: "",
    env: process.env,
  } as const;
  const other = await save(disk, place.path, { name: "other" });
  assert.match(
    other.warnings.join(),
    /2026-01-02-0304-sda.part" is an unfinished backup of the same disk: --resume goes on/,
  );
  assert.equal((await saveBackup(nameless)).path, place.join("2026-01-02-0304-sda"));
  assert.match((await saveBackup(nameless)).path, /2026-06-0\d-\d{4}-sda$/);
});

test("a volume that was damaged meanwhile is made again", async () => {
  await using place = temporaryFolder();
  const whole = await save(disk, place.join("whole"), { volumeBytes });
  const into = place.join("resumed");
  await breakOff(disk, into, 15e6);
  for (const name of ["sda1.vfat-ptcl-img.zst.aa", "sda2.ext4-ptcl-img.zst.ab"]) {
    const bytes = fs.readFileSync(`${into}/backup.part/${name}`);
    bytes[500_000]! ^= 1;
    fs.writeFileSync(`${into}/backup.part/${name}`, bytes);
  }
  const saved = await save(disk, into, { isResumed: true, volumeBytes });
  assert.deepEqual(contentOf(saved.path), contentOf(whole.path));
});

test("a disk that has changed since is not mixed with what it was", async () => {
  await using place = temporaryFolder();
  const copy = place.join("copy");
  const changes: Record<string, (device: FileDevice) => Promise<void>> = {
    "a file on ext4 was written": (device) => edit(device, 2),
    "a file on FAT was written": (device) => edit(device, 1),
    "a byte of data on FAT was": async (device) => {
      const { startBytes } = await partition(device, 1);
      const at = fs.readFileSync(copy).indexOf("all work", startBytes);
      await device.write(at, Buffer.from("ALL"));
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    fs.copyFileSync(disk, copy);
    await breakOff(copy, place.path, 15e6);
    {
      await using device = await FileDevice.open(copy);
      await change(device);
    }
    await assert.rejects(save(copy, place.path, { isResumed: true, volumeBytes }), (error) => {
      assert.ok(error instanceof Failure, what);
      assert.equal(error.code, "mismatch", what);
      assert.match(error.message, /^cannot go on with sda[12]: it has changed since that was begun$/, what);
      return true;
    });
    assert.ok(fs.existsSync(place.join("backup.part")), "it is not ours to remove");
    fs.rmSync(place.join("backup.part"), { recursive: true });
  }
});

async function partition(device: FileReader, number: number) {
  return (await readTable(device))!.partitions.find((one) => one.number === number)!;
}

async function edit(device: FileDevice, number: number): Promise<void> {
  const { startBytes, sizeBytes } = await partition(device, number);
  await using fileSystem = await editFileSystem(new SliceDevice(device, startBytes, sizeBytes), {
    now: { seconds: 1_750_000_000, nanoseconds: 0 },
  });
  const directory = await fileSystem.find(fileSystem.rootId, "etc");
  await fileSystem.remove({ directory: directory!, name: "fstab" });
  await fileSystem.commit();
}

test("what was begun otherwise is not gone on with", async () => {
  await using place = temporaryFolder();
  await breakOff(disk, place.path, 5e6);
  const others: readonly (readonly [Partial<SaveRequest>, RegExp])[] = [
    [{ packedAs: "gz" }, /it was begun packed as zst/],
    [{ level: 7 }, /it was begun with the usual level/],
    [{ volumeBytes: 2 ** 21 }, /it was begun with volumes of 1048576 bytes/],
    [{ partitions: [1] }, /it was begun of the whole disk/],
    [{ disk: "sdb" }, /it was begun of sda/],
  ];
  for (const [more, message] of others) {
    const saving = save(disk, place.path, { volumeBytes, isResumed: true, ...more });
    await assert.rejects(
      saving,
      (error) => error instanceof Failure && error.code === "mismatch" && message.test(error.message),
    );
  }
  await assert.rejects(save(disk, place.path, { volumeBytes }), (error) => {
    return error instanceof Failure && error.code === "exists" && /--resume goes on with it/.test(error.hint ?? "");
  });
  await save(disk, place.path, { volumeBytes, isResumed: true });
});

test("whatever is in the log of a backup, it is gone on with as far as that is right, or refused", async () => {
  await using place = temporaryFolder();
  const whole = await save(disk, place.join("whole"), { volumeBytes });
  const into = place.join("resumed");
  await breakOff(disk, into, 14e6);
  const begun = place.join("begun");
  fs.renameSync(`${into}/backup.part`, begun);
  const log = fs.readFileSync(`${begun}/resume.log.part`);
  let refused = 0;
  for (let n = 0; n < 8; n++) {
    const damaged = Buffer.from(log);
    const at = Math.floor((log.length * (n + 1)) / 9);
    if (n % 4 === 3) damaged.fill(0, at);
    else damaged[at]! ^= [0x01, 0x10, 0x04][n % 4]!;
    fs.cpSync(begun, `${into}/backup.part`, { recursive: true });
    fs.writeFileSync(`${into}/backup.part/resume.log.part`, damaged);
    try {
      const saved = await save(disk, into, { isResumed: true, volumeBytes, nowMs: 1_700_000_000_000 });
      assert.deepEqual(dataOf(saved.path), dataOf(whole.path), `byte ${at}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      assert.equal(error.code, "mismatch", error.message);
      refused++;
    }
    fs.rmSync(into, { recursive: true });
  }
  assert.ok(refused < 6);
});

/** What says when it was saved, and by what command, aside. */
function dataOf(backup: string): unknown {
  const others = Object.entries(contentOf(backup)).filter(([name]) => !/^(clonezilla-img|Info-.*|.*SUMS)$/.test(name));
  return Object.fromEntries(others);
}

/** As one that is elsewhere: nothing stays of a file that was not finished. The connection is cut at the n-th write. */
class FarStore extends WrappedStore {
  #left: number;

  constructor(inner: BackupStore, writes: number) {
    super(inner);
    this.#left = writes;
  }

  override async put(path: string, bytes: Uint8Array): Promise<void> {
    this.#count();
    await super.put(path, bytes);
  }

  override async remove(path: string): Promise<void> {
    this.#count();
    await super.remove(path);
  }

  override async create(path: string): Promise<StoreWriter> {
    const writer = await super.create(path);
    return {
      write: async (bytes) => {
        this.#count();
        await writer.write(bytes);
      },
      commit: () => writer.commit(),
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    };
  }

  #count(): void {
    if (this.#left-- <= 0) throw new Failure("failed", "the connection was cut");
  }
}

test("with the connection cut again and again, whole volumes are kept, and the end is the same", async () => {
  await using place = temporaryFolder();
  const whole = await save(disk, place.join("whole"), { volumeBytes });
  const into = place.join("resumed");
  let cuts = 0;
  for (let writes = 3; ; writes += 4) {
    const through = (store: BackupStore): BackupStore => new FarStore(store, writes);
    try {
      const saved = await save(disk, into, { volumeBytes, isResumed: true, through });
      assert.deepEqual(contentOf(saved.path), contentOf(whole.path));
      break;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      assert.match(error.message, /the connection was cut$/);
      assert.ok(!fs.existsSync(`${into}/backup`));
      cuts++;
    }
  }
  assert.ok(cuts > 3, `${cuts} cuts`);
  assert.deepEqual(fs.readdirSync(into), ["backup"]);
});
