import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Struct } from "../../../src/bytes/index.ts";
import { unpackLznt1, unpackLzx, unpackXpress } from "../../../src/filesystem/ntfs/packed/index.ts";
import { decodeUnits } from "../../../src/filesystem/ntfs/ntfs-name.ts";
import { decodeTicks } from "../../../src/filesystem/ntfs/ntfs-time.ts";
import * as records from "../../../src/filesystem/ntfs/records.ts";
import { decodeInterix, targetOf } from "../../../src/filesystem/ntfs/reparse.ts";
import { decodeRuns, partsIn, type Run } from "../../../src/filesystem/ntfs/runs.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;

/** Where every field stands. */
const pinned: Readonly<Record<string, { readonly sizeBytes: number; readonly fields: Pins }>> = {
  attributeHeader: {
    sizeBytes: 16,
    fields: {
      type: [0, 4],
      lengthBytes: [4, 4],
      isOutside: [8, 1],
      nameUnits: [9, 1],
      nameOffset: [10, 2],
      flags: [12, 2],
      id: [14, 2],
    },
  },
  bootSector: {
    sizeBytes: 512,
    fields: {
      jump: [0, 3],
      signature: [3, 8],
      sectorBytes: [11, 2],
      sectorsPerCluster: [13, 1],
      media: [21, 1],
      sectorCount: [40, 8],
      mftCluster: [48, 8],
      mirrorCluster: [56, 8],
      clustersPerRecord: [64, 1],
      clustersPerIndexBlock: [68, 1],
      serial: [72, 8],
      endMark: [510, 2],
    },
  },
  fileName: {
    sizeBytes: 66,
    fields: {
      parentLow: [0, 4],
      parentHigh: [4, 2],
      parentSequence: [6, 2],
      attributes: [56, 4],
      nameUnits: [64, 1],
      nameSpace: [65, 1],
    },
  },
  fixupHeader: { sizeBytes: 8, fields: { signature: [0, 4], fixupOffset: [4, 2], fixupCount: [6, 2] } },
  indexBlock: {
    sizeBytes: 40,
    fields: {
      signature: [0, 4],
      fixupOffset: [4, 2],
      fixupCount: [6, 2],
      ownBlock: [16, 8],
      entriesOffset: [24, 4],
      entriesBytes: [28, 4],
      allocatedBytes: [32, 4],
      flags: [36, 1],
    },
  },
  indexEntry: {
    sizeBytes: 16,
    fields: {
      recordLow: [0, 4],
      recordHigh: [4, 2],
      sequence: [6, 2],
      lengthBytes: [8, 2],
      keyBytes: [10, 2],
      flags: [12, 2],
    },
  },
  indexRoot: {
    sizeBytes: 32,
    fields: {
      type: [0, 4],
      collation: [4, 4],
      blockBytes: [8, 4],
      entriesOffset: [16, 4],
      entriesBytes: [20, 4],
      allocatedBytes: [24, 4],
      flags: [28, 1],
    },
  },
  listEntry: {
    sizeBytes: 26,
    fields: {
      type: [0, 4],
      lengthBytes: [4, 2],
      nameUnits: [6, 1],
      nameOffset: [7, 1],
      firstCluster: [8, 8],
      recordLow: [16, 4],
      recordHigh: [20, 2],
      sequence: [22, 2],
      id: [24, 2],
    },
  },
  outsideHeader: {
    sizeBytes: 64,
    fields: {
      firstCluster: [16, 8],
      lastCluster: [24, 8],
      runsOffset: [32, 2],
      unitLog2: [34, 1],
      allocatedBytes: [40, 8],
      dataBytes: [48, 8],
      validBytes: [56, 8],
    },
  },
  recordHeader: {
    sizeBytes: 42,
    fields: {
      signature: [0, 4],
      fixupOffset: [4, 2],
      fixupCount: [6, 2],
      sequence: [16, 2],
      linkCount: [18, 2],
      attributesOffset: [20, 2],
      flags: [22, 2],
      usedBytes: [24, 4],
      allocatedBytes: [28, 4],
      baseLow: [32, 4],
      baseHigh: [36, 2],
      baseSequence: [38, 2],
      nextAttributeId: [40, 2],
    },
  },
  reparsePoint: { sizeBytes: 8, fields: { tag: [0, 4], dataBytes: [4, 2] } },
  residentHeader: { sizeBytes: 24, fields: { valueBytes: [16, 4], valueOffset: [20, 2] } },
  restartArea: { sizeBytes: 48, fields: { lastNumber: [0, 8], clientsInUse: [12, 2], flags: [14, 2] } },
  restartPage: {
    sizeBytes: 30,
    fields: {
      signature: [0, 4],
      fixupOffset: [4, 2],
      fixupCount: [6, 2],
      systemPageBytes: [16, 4],
      areaOffset: [24, 2],
    },
  },
  standardInformation: {
    sizeBytes: 36,
    fields: { created: [0, 8], modified: [8, 8], changed: [16, 8], accessed: [24, 8], attributes: [32, 4] },
  },
  volumeInformation: { sizeBytes: 12, fields: { major: [8, 1], minor: [9, 1], flags: [10, 2] } },
};

test("every field of every structure stands where the format has it", () => {
  const found: Record<string, { readonly sizeBytes: number; readonly fields: Pins }> = {};
  for (const [name, value] of Object.entries<unknown>({ ...records })) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, { readonly sizeBytes: number }]>(value.fields);
    found[name] = {
      sizeBytes: value.sizeBytes,
      fields: Object.fromEntries(fields.map(([field, [offset, type]]) => [field, [offset, type.sizeBytes] as const])),
    };
  }
  assert.deepEqual(found, pinned);
});

/** LZNT1 as its documents have it, packed by the plainest of means: the longest earlier match of each place. */
function packLznt1(bytes: Uint8Array): Buffer {
  const chunks: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += 4096) {
    const chunk = bytes.subarray(from, from + 4096);
    const packed = packChunk(chunk);
    const [body, flag] = packed.length < chunk.length ? [packed, 0xb000] : [Buffer.from(chunk), 0x3000];
    const header = Buffer.alloc(2);
    header.writeUInt16LE(flag | (body.length - 1));
    chunks.push(header, body);
  }
  return Buffer.concat([...chunks, Buffer.alloc(2)]);
}

function packChunk(chunk: Uint8Array): Buffer {
  const out: number[] = [];
  for (let at = 0; at < chunk.length;) {
    const flagsAt = out.push(0) - 1;
    for (let bit = 0; bit < 8 && at < chunk.length; bit++) {
      let offsetBits = 4;
      while (2 ** offsetBits < at) offsetBits++;
      const longest = 2 ** (16 - offsetBits) + 2;
      let best = { length: 0, distance: 0 };
      for (let distance = 1; distance <= Math.min(at, 2 ** offsetBits); distance++) {
        let length = 0;
        while (length < longest && at + length < chunk.length && chunk[at + length] === chunk[at + length - distance])
          length++;
        if (length > best.length) best = { length, distance };
      }
      if (best.length < 3) {
        out.push(chunk[at++]!);
        continue;
      }
      const token = ((best.distance - 1) << (16 - offsetBits)) | (best.length - 3);
      out.push(token & 0xff, token >>> 8);
      out[flagsAt] = out[flagsAt]! | (1 << bit);
      at += best.length;
    }
  }
  return Buffer.from(out);
}

test("LZNT1 unpacks what was packed", () => {
  const letters = fc.uint8Array({ minLength: 1, maxLength: 9000, max: 3 });
  fc.assert(
    fc.property(letters, (bytes) => {
      const into = new Uint8Array(bytes.length + 10).fill(7);
      unpackLznt1(packLznt1(bytes), into, "it");
      assert.ok(Buffer.from(into).equals(Buffer.concat([bytes, Buffer.alloc(10)])));
    }),
    { numRuns: 30 },
  );
});

test("what is packed and makes no sense is damaged, and ends", () => {
  for (const unpack of [unpackLznt1, unpackXpress, unpackLzx]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, room) => {
        try {
          unpack(bytes, new Uint8Array(room), "it");
        } catch (error) {
          assert.equal((error as { code?: string }).code, "damaged");
        }
      }),
    );
  }
  // The first token leads back before the chunk.
  const packed = Buffer.from([2, 0xb0, 1, 0, 0]);
  assert.throws(() => unpackLznt1(packed, new Uint8Array(4096), "it"), { code: "damaged" });
});

test("a block of LZX that is not packed stands on the next unit", () => {
  // Type 3 in three bits, no usual size, five bytes; three distances, the bytes.
  const packed = Buffer.concat([Buffer.from("0060005001000000010000000100000068656c6c6f00", "hex")]);
  const into = new Uint8Array(5);
  unpackLzx(packed, into, "it");
  assert.equal(Buffer.from(into).toString(), "hello");
  assert.throws(() => unpackLzx(packed.subarray(0, 20), new Uint8Array(5), "it"), { code: "damaged" });
});

test("runs: lengths, distances both ways, holes; damaged at the volume's end and one past it", () => {
  const runs: Run[] = [];
  decodeRuns(Uint8Array.from([0x21, 0x10, 0x00, 0x01, 0x01, 0x04, 0x11, 0x02, 0xf0, 0]), runs, 0x110, "it");
  assert.deepEqual(runs, [
    { first: 0, count: 16, cluster: 256 },
    { first: 16, count: 4, cluster: undefined },
    { first: 20, count: 2, cluster: 240 },
  ]);
  assert.deepEqual(
    [...partsIn(runs, { from: 5000, end: 22 * 512, clusterBytes: 512 })],
    [
      { at: 5000, deviceAt: 256 * 512 + 5000, lengthBytes: 16 * 512 - 5000 },
      { at: 20 * 512, deviceAt: 240 * 512, lengthBytes: 1024 },
    ],
  );
  for (const pairs of [
    [0x21, 0x11, 0x00, 0x01],
    [0x11, 0, 1],
    [0x11, 1, 0xff],
    [0x10, 1],
    [0x17, 1],
    [0x21, 0x10, 0],
  ]) {
    assert.throws(() => decodeRuns(Uint8Array.from(pairs), [], 0x110, "it"), { code: "damaged" }, pairs.join());
  }
});

test("times count from 1601", () => {
  assert.deepEqual(decodeTicks(0n), { seconds: -11_644_473_600, nanoseconds: 0 });
  assert.deepEqual(decodeTicks(116_444_736_000_000_001n), { seconds: 0, nanoseconds: 100 });
});

test("a name with half a surrogate pair is told from others", () => {
  const names = [0xd800, 0xdc80, 0xdcff].map((unit) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt16LE(unit);
    bytes.write("a", 2);
    return decodeUnits(bytes);
  });
  assert.equal(new Set(names).size, 3);
  assert.equal(decodeUnits(Buffer.from("ok 😀", "utf16le")), "ok 😀");
});

/** The data of a reparse point: two names, of which the first counts. */
function names(header: number[], target: string): Buffer {
  const text = Buffer.from(target, "utf16le");
  const fields = Buffer.alloc(8);
  fields.writeUInt16LE(text.length, 2);
  fields.writeUInt16LE(text.length, 4);
  return Buffer.concat([fields, Buffer.from(header), text]);
}

test("links of Windows lead where they would on this volume", () => {
  const symlink = 0xa000000c;
  const junction = 0xa0000003;
  for (const [tag, header, target, wanted] of [
    [symlink, [1, 0, 0, 0], String.raw`..\other\file`, "../other/file"],
    [symlink, [0, 0, 0, 0], String.raw`\??\C:\Users\Anna`, "/Users/Anna"],
    [junction, [], String.raw`\??\C:\ProgramData`, "/ProgramData"],
    [junction, [], String.raw`\??\D:` + "\\", "/"],
    [symlink, [0, 0, 0, 0], String.raw`\??\UNC\server\share`, "UNC/server/share"],
  ] as const) {
    assert.equal(targetOf({ tag, data: names([...header], target) }, "it"), wanted);
  }
  const linux = Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from("/usr/bin")]);
  assert.equal(targetOf({ tag: 0xa000001d, data: linux }, "it"), "/usr/bin");
  for (const data of [Buffer.alloc(3), names([1, 0, 0, 0], "cut off").subarray(0, 14)]) {
    assert.throws(() => targetOf({ tag: symlink, data }, "it"), { code: "damaged" });
  }
});

test("devices that ntfs-3g writes", () => {
  const bytes = Buffer.alloc(24);
  bytes.write("IntxBLK\0", "latin1");
  bytes.writeBigUInt64LE(8n, 8);
  bytes.writeBigUInt64LE(17n, 16);
  assert.deepEqual(decodeInterix(bytes), { kind: "block", device: { major: 8, minor: 17 } });
  assert.equal(decodeInterix(Buffer.from("anything else")), undefined);
});
