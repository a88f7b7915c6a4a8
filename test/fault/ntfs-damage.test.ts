/** NTFS volumes that were damaged at random, or by hand: an error in time, and never more than asked for. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { before, describe, test } from "node:test";
import { MemoryDevice } from "../../src/device/index.ts";
import { openFileSystem, probe, resolvePath } from "../../src/filesystem/index.ts";
import { putBackEnds } from "../../src/filesystem/ntfs/fixups.ts";
import {
  attributeHeader,
  attributeTypes,
  bootSector,
  fileName,
  indexBlock,
  indexEntry,
  outsideHeader,
  recordHeader,
  recordNumbers,
  residentHeader,
  restartArea,
  restartPage,
} from "../../src/filesystem/ntfs/records.ts";
import { fillWithKinds, makeNtfs, skipNtfs, whileNtfs } from "../filesystem/ntfs/sample-ntfs.ts";
import { temporaryFolder } from "../temp.ts";
import { lookAtAll, randomFrom } from "./look-at-all.ts";

/** The runs are the same each time; another seed makes others. A failure names the seed of its run. */
const firstSeed = Number(process.env["HOLDFAST_SEED"] ?? 1);
const roundCount = Number(process.env["HOLDFAST_ROUNDS"] ?? 60);
const paths = ["/names/lower", "/many/file number 77", "/MANY/FILE NUMBER 5", "/link", "/missing"];
const recordBytes = 1024;

/** A record or block with the ends of its sectors where they belong, and put away again once it was changed. */
function changed(bytes: Uint8Array, change: (whole: Uint8Array) => void): void {
  const whole = Uint8Array.from(bytes);
  putBackEnds(whole, "a sample");
  change(whole);
  const { fixupOffset, fixupCount } = recordHeader.decode(whole);
  for (let n = 1; n < fixupCount; n++) {
    const [end, at] = [n * 512 - 2, fixupOffset + n * 2];
    whole.set(whole.subarray(end, end + 2), at);
    whole.set(whole.subarray(fixupOffset, fixupOffset + 2), end);
  }
  bytes.set(whole);
}

class Sample {
  readonly bytes: Uint8Array;
  readonly clusterBytes: number;
  readonly mftAt: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.clusterBytes = bootSector.get(bytes, "sectorBytes") * bootSector.get(bytes, "sectorsPerCluster");
    this.mftAt = bootSector.get(bytes, "mftCluster") * this.clusterBytes;
  }

  copy(): Sample {
    return new Sample(Uint8Array.from(this.bytes));
  }

  record(number: number): Uint8Array {
    return this.bytes.subarray(this.mftAt + number * recordBytes, this.mftAt + (number + 1) * recordBytes);
  }

  /** Changes an attribute of a record; `change` gets all of the record, and where the attribute begins. */
  changeAttribute(number: number, type: number, change: (record: Uint8Array, at: number) => void): void {
    changed(this.record(number), (record) => change(record, placeOf(record, type)));
  }

  /** Where what an attribute has in clusters begins. */
  #outsideAt(number: number, type: number): number {
    const record = Uint8Array.from(this.record(number));
    putBackEnds(record, "a sample");
    const at = placeOf(record, type);
    const runs = at + outsideHeader.get(record, "runsOffset", at);
    const [header = 0] = record.subarray(runs);
    return Buffer.from(record).readIntLE(runs + 1 + (header & 0xf), header >>> 4) * this.clusterBytes;
  }

  dataAt(number: number): number {
    return this.#outsideAt(number, attributeTypes.data);
  }

  /** The first block of the index of a directory. */
  async indexBlock(path: string): Promise<Uint8Array> {
    const at = this.#outsideAt(await this.numberOf(path), attributeTypes.indexAllocation);
    return this.bytes.subarray(at, at + 4096);
  }

  async numberOf(path: string): Promise<number> {
    await using fileSystem = await openFileSystem(new MemoryDevice(this.bytes));
    return await resolvePath(fileSystem, path, { followLast: false });
  }

  async problems(): Promise<string[]> {
    await using fileSystem = await openFileSystem(new MemoryDevice(this.bytes));
    const problems: string[] = [];
    for await (const { severity, message } of fileSystem.check()) problems.push(`${severity}: ${message}`);
    return problems;
  }

  async assertProblem(wanted: RegExp): Promise<void> {
    const problems = await this.problems();
    assert.ok(
      problems.some((message) => wanted.test(message)),
      `${wanted} in:\n${problems.join("\n")}`,
    );
  }
}

function placeOf(record: Uint8Array, type: number): number {
  let at = recordHeader.get(record, "attributesOffset");
  while (attributeHeader.get(record, "type", at) !== type) {
    assert.notEqual(attributeHeader.get(record, "type", at), attributeTypes.end, `an attribute of type ${type}`);
    at += attributeHeader.get(record, "lengthBytes", at);
  }
  return at;
}

describe("damaged NTFS", { skip: skipNtfs }, () => {
  let whole: Sample;

  before(async () => {
    await using folder = temporaryFolder();
    const image = folder.join("image");
    makeNtfs(image, 6, ["-L", "label"]);
    await whileNtfs(image, (root) => {
      fillWithKinds(root);
      fs.mkdirSync(`${root}/many`);
      for (let n = 0; n < 100; n++) fs.writeFileSync(`${root}/many/file number ${n}`, "x".repeat(n * 20));
    });
    whole = new Sample(fs.readFileSync(image));
  });

  test("damage anywhere in the structures ends in a failure, soon", async () => {
    assert.equal(await lookAtAll(whole.bytes, paths.slice(0, 4)), 0);
    const index = await whole.indexBlock("/many");
    const mirrorAt = bootSector.get(whole.bytes, "mirrorCluster") * whole.clusterBytes;
    const places = [0, whole.mftAt, whole.mftAt, index.byteOffset - whole.bytes.byteOffset, mirrorAt];
    for (let round = 0; round < roundCount; round++) {
      const seed = firstSeed + round;
      const random = randomFrom(seed);
      const bytes = Uint8Array.from(whole.bytes);
      const count = 1 + random(8);
      for (let n = 0; n < count; n++) {
        const start = (places[random(places.length)] ?? 0) + random(random(3) === 0 ? 250_000 : 4000);
        const length = 1 + random(random(4) === 0 ? 600 : 3);
        for (let at = start; at < start + length; at++) bytes[at] = random(5) === 0 ? 0xff : random(256);
      }
      const device = random(5) === 0 ? bytes.slice(0, 512 + random(bytes.length)) : bytes;
      await assert.doesNotReject(lookAtAll(device, paths), `seed ${seed}`);
    }
  });

  test("every byte of a boot sector, of a record and of an index can be anything", async () => {
    const index = await whole.indexBlock("/many");
    const file = whole.record(await whole.numberOf("/packed/mixed"));
    const places = [whole.bytes, whole.record(0), whole.record(recordNumbers.root), file, index].map((bytes) => {
      return bytes.byteOffset - whole.bytes.byteOffset;
    });
    const random = randomFrom(firstSeed);
    for (const place of places) {
      // One bit in every eight bytes of what is at its beginning: headers, and the first of what follows.
      for (let from = 0; from < 160; from += 8) {
        const bytes = Uint8Array.from(whole.bytes);
        const at = place + from + random(8);
        bytes[at] = bytes[at]! ^ (1 << random(8));
        await assert.doesNotReject(lookAtAll(bytes, paths.slice(0, 2)), `seed ${firstSeed}, byte ${at}`);
      }
    }
  });

  test("boot sectors: the second is used where the first is torn, and only where nothing else is there", async () => {
    for (const [at, zeroBytes, message] of [
      [13, 1, "the NTFS boot sector is damaged: the one at the end is used"],
      [0, 4096, "the NTFS boot sector is gone: the one at the end is used"],
    ] as const) {
      const torn = whole.copy().bytes;
      torn.fill(0, at, at + zeroBytes);
      await using fileSystem = await openFileSystem(new MemoryDevice(torn));
      assert.deepEqual(fileSystem.info.notes, [message]);
      assert.equal(fileSystem.info.label, "label");
      assert.notEqual(await resolvePath(fileSystem, paths[1]!), undefined);
    }
    for (const [at, mark] of [
      [1024, "H+"],
      [3, "-FVE-FS-"],
    ] as const) {
      const taken = whole.copy().bytes;
      taken.fill(0, 0, 4096);
      assert.equal(await probe(new MemoryDevice(taken)), "ntfs");
      taken.set(Buffer.from(mark), at);
      assert.equal(await probe(new MemoryDevice(taken)), undefined);
    }
    const neither = whole.copy().bytes;
    neither[13] = 7;
    neither.fill(0, neither.length - 512);
    await assert.rejects(openFileSystem(new MemoryDevice(neither)), { code: "damaged", message: /none is at the end/ });
    const behind = whole.copy();
    behind.bytes.fill(0, behind.bytes.length - 512);
    assert.deepEqual(await behind.problems(), ["warning: the second boot sector is not there"]);
    const other = whole.copy();
    other.bytes[other.bytes.length - 512 + 48]! ^= 1;
    assert.deepEqual(await other.problems(), ["warning: the second boot sector differs from the first"]);
    await new Sample(whole.bytes.slice(0, 3_000_000)).assertProblem(
      /error: the file system takes \d+ bytes, its device/,
    );
  });

  test("the table: its first record by the mirror, and what the two tell apart", async () => {
    const torn = whole.copy();
    torn.record(0).set(Buffer.from("BAAD"));
    await torn.assertProblem(/error: cannot read record 0 of NTFS: it is none; its copy in \$MFTMirr is used/);
    assert.notEqual(await torn.numberOf(paths[0]!), undefined);
    const differs = whole.copy();
    changed(differs.record(3), (record) => void record.fill(0x41, 700, 702));
    assert.deepEqual(await differs.problems(), ["warning: the copy of record 3 in $MFTMirr differs from it"]);
    const gone = whole.copy();
    gone.record(6).set(Buffer.from("BAAD"));
    await using fileSystem = await openFileSystem(new MemoryDevice(gone.bytes));
    assert.deepEqual([fileSystem.info.freeBytes, fileSystem.info.label], [0, "label"]);
    await gone.assertProblem(/error: cannot read record 6 of NTFS/);
  });

  test("each way in which a file can be wrong is told", async () => {
    const mixed = await whole.numberOf("/packed/mixed");
    const noise = await whole.numberOf("/packed/noise");
    const { data } = attributeTypes;
    const damages: readonly [wanted: RegExp, damage: (sample: Sample) => void][] = [
      [
        /error: cannot read record \d+ of NTFS: only a part of it was written/,
        ({ bytes, mftAt }) => {
          bytes[mftAt + mixed * recordBytes + 511]! ^= 1;
        },
      ],
      [
        /error: record \d+ is in use by the bitmap of records, and not by itself/,
        (sample) => {
          changed(sample.record(mixed), (record) => recordHeader.patch(record, { flags: 0 }));
        },
      ],
      [
        /error: its clusters end at byte \d+ of \d+: "mixed"/,
        (sample) => {
          sample.changeAttribute(mixed, data, (record, at) => outsideHeader.patch(record, { dataBytes: 2 ** 30 }, at));
        },
      ],
      [
        /warning: \d+ bytes of it are said to be valid, it has \d+: "mixed"/,
        (sample) => {
          sample.changeAttribute(mixed, data, (record, at) => outsideHeader.patch(record, { validBytes: 2 ** 20 }, at));
        },
      ],
      [
        /error: cluster \d+ belongs to another file too: "mixed"/,
        (sample) => {
          let runs: Uint8Array = new Uint8Array(0);
          sample.changeAttribute(mixed, data, (record, at) => {
            runs = record.slice(
              at + outsideHeader.get(record, "runsOffset", at),
              at + attributeHeader.get(record, "lengthBytes", at),
            );
          });
          sample.changeAttribute(noise, data, (record, at) => {
            const room = attributeHeader.get(record, "lengthBytes", at) - outsideHeader.get(record, "runsOffset", at);
            record.set(runs.subarray(0, Math.min(room, 4)), at + outsideHeader.get(record, "runsOffset", at));
          });
        },
      ],
      [
        /error: .*the list of its clusters makes no sense/,
        (sample) => {
          sample.changeAttribute(mixed, data, (record, at) => {
            record[at + outsideHeader.get(record, "runsOffset", at)] = 0xff;
          });
        },
      ],
      [
        /error: cannot read record \d+ of NTFS: it has an attribute of 3 bytes/,
        (sample) => {
          sample.changeAttribute(mixed, data, (record, at) => attributeHeader.patch(record, { lengthBytes: 3 }, at));
        },
      ],
      [
        /error: cannot read record \d+ of NTFS: a value of 70000 bytes/,
        (sample) => {
          const { standardInformation: type } = attributeTypes;
          sample.changeAttribute(mixed, type, (record, at) => residentHeader.patch(record, { valueBytes: 70_000 }, at));
        },
      ],
    ];
    for (const [wanted, damage] of damages) {
      const sample = whole.copy();
      damage(sample);
      await sample.assertProblem(wanted);
      if (wanted.source.startsWith("error")) assert.ok((await lookAtAll(sample.bytes, [])) > 0);
    }
  });

  test("$Bitmap against the clusters of files, both ways", async () => {
    const sample = whole.copy();
    const at = sample.dataAt(recordNumbers.bitmap);
    const bits = sample.bytes.subarray(at, at + Math.floor(sample.bytes.length / sample.clusterBytes / 8));
    const used = bits.findIndex((byte) => byte === 0xff);
    const free = bits.findIndex((byte) => byte === 0);
    bits[used] = 0xfe;
    bits[free] = 0x03;
    assert.deepEqual(await sample.problems(), [
      `error: cluster ${used * 8} belongs to a file, the bitmap says that it is free`,
      "warning: 2 clusters are in use that belong to no file",
    ]);
  });

  test("a journal that was not closed is told, by the newer of its two first pages", async () => {
    const open = "warning: its journal was not closed: the last changes may be in it only";
    const [closed, inUse] = [0xffff, 0];
    for (const [first, second, flags, wanted] of [
      [closed, closed, 0, []],
      [closed, inUse, 0, [open]],
      [inUse, closed, 0, []],
      [inUse, inUse, 2, []],
    ] as const) {
      const sample = whole.copy();
      const at = sample.dataAt(recordNumbers.log);
      for (const [n, clientsInUse] of [first, second].entries()) {
        const page = sample.bytes.subarray(at + n * 4096, at + (n + 1) * 4096).fill(0);
        const area = { clientsInUse, flags, lastNumber: BigInt(7 + n) };
        restartPage.patch(page, { signature: 0x52545352, fixupOffset: 30, fixupCount: 9, systemPageBytes: 4096 });
        restartPage.patch(page, { areaOffset: 64 });
        changed(page, (bytes) => restartArea.patch(bytes, area, 64));
      }
      assert.deepEqual(await sample.problems(), wanted);
    }
  });

  test("each way in which a directory can be wrong is told", async () => {
    const many = await whole.numberOf("/many");
    const firstEntry = (block: Uint8Array): number => 24 + indexBlock.get(block, "entriesOffset");
    const damages: readonly [wanted: RegExp, damage: (block: Uint8Array, sample: Sample) => void][] = [
      [
        /error: its names are not in order.*"many"/,
        (block) => {
          changed(block, (bytes) => void (bytes[firstEntry(bytes) + indexEntry.sizeBytes + fileName.sizeBytes] = 0x7a));
        },
      ],
      [
        /error: it leads to record 9999, which is no file: "file number 0" in "many"/,
        (block) => {
          changed(block, (bytes) => indexEntry.patch(bytes, { recordLow: 9999 }, firstEntry(bytes)));
        },
      ],
      [
        /error: it leads to file \d+ as it was before another took its place/,
        (block) => {
          changed(block, (bytes) => indexEntry.patch(bytes, { sequence: 999 }, firstEntry(bytes)));
        },
      ],
      [
        /error: it cannot be a name: "\/ile number 0"/,
        (block) => {
          changed(block, (bytes) => void (bytes[firstEntry(bytes) + indexEntry.sizeBytes + fileName.sizeBytes] = 0x2f));
        },
      ],
      [/error: cannot read block 0 of "many".*: it is none/, (block) => void block.fill(0, 0, 4)],
      [
        /error: cannot read block 0 of "many".*: it says that it is number 5/,
        (block) => {
          changed(block, (bytes) => indexBlock.patch(bytes, { ownBlock: 5 }));
        },
      ],
      [
        /error: cannot read block 0 of "many".*: it has an entry of 3 bytes/,
        (block) => {
          changed(block, (bytes) => indexEntry.patch(bytes, { lengthBytes: 3 }, firstEntry(bytes)));
        },
      ],
      [
        /error: cannot read an index: it leads to block \d+, which is said to be free/,
        (_, sample) => {
          sample.changeAttribute(many, attributeTypes.bitmap, (record, at) => {
            record[at + residentHeader.get(record, "valueOffset", at)] = 0;
          });
        },
      ],
      [
        /error: file \d+ is in no directory/,
        (block) => {
          changed(block, (bytes) => {
            const at = firstEntry(bytes);
            const end = 24 + indexBlock.get(bytes, "entriesBytes");
            const length = indexEntry.get(bytes, "lengthBytes", at);
            bytes.copyWithin(at, at + length, end);
            indexBlock.patch(bytes, { entriesBytes: end - 24 - length });
          });
        },
      ],
    ];
    for (const [wanted, damage] of damages) {
      const sample = whole.copy();
      damage(await sample.indexBlock("/many"), sample);
      await sample.assertProblem(wanted);
    }
  });
});
