import assert from "node:assert/strict";
import { test } from "node:test";
import { crc16Itut, Struct } from "../../../src/bytes/index.ts";
import * as records from "../../../src/filesystem/udf/records.ts";
import { tagChecksum, tagProblem } from "../../../src/filesystem/udf/tag.ts";
import { decodeField, decodeText, uuidOf } from "../../../src/filesystem/udf/text.ts";
import { decodeTimestamp } from "../../../src/filesystem/udf/timestamp.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;

/** Where every field stands. */
const pinned: Readonly<Record<string, { readonly sizeBytes: number; readonly fields: Pins }>> = {
  allocationExtent: { sizeBytes: 24, fields: { descriptorBytes: [20, 4] } },
  anchor: {
    sizeBytes: 512,
    fields: { mainBytes: [16, 4], mainBlock: [20, 4], reserveBytes: [24, 4], reserveBlock: [28, 4] },
  },
  attribute: { sizeBytes: 12, fields: { type: [0, 4], lengthBytes: [8, 4] } },
  attributeHeader: { sizeBytes: 24, fields: {} },
  descriptorTag: {
    sizeBytes: 16,
    fields: {
      id: [0, 2],
      version: [2, 2],
      checksum: [4, 1],
      serialNumber: [6, 2],
      crc: [8, 2],
      crcBytes: [10, 2],
      location: [12, 4],
    },
  },
  deviceAttribute: { sizeBytes: 24, fields: { major: [16, 4], minor: [20, 4] } },
  extendedExtent: { sizeBytes: 20, fields: { length: [0, 4], block: [12, 4], partition: [16, 2] } },
  extendedFileEntry: {
    sizeBytes: 216,
    fields: {
      strategy: [20, 2],
      fileType: [27, 1],
      icbFlags: [34, 2],
      uid: [36, 4],
      gid: [40, 4],
      permissions: [44, 4],
      links: [48, 2],
      sizeBytes: [56, 8],
      recordedBlocks: [72, 8],
      accessed: [80, 12],
      modified: [92, 12],
      created: [104, 12],
      changed: [116, 12],
      attributeBytes: [208, 4],
      descriptorBytes: [212, 4],
    },
  },
  fileEntry: {
    sizeBytes: 176,
    fields: {
      strategy: [20, 2],
      fileType: [27, 1],
      icbFlags: [34, 2],
      uid: [36, 4],
      gid: [40, 4],
      permissions: [44, 4],
      links: [48, 2],
      sizeBytes: [56, 8],
      recordedBlocks: [64, 8],
      accessed: [72, 12],
      modified: [84, 12],
      changed: [96, 12],
      attributeBytes: [168, 4],
      descriptorBytes: [172, 4],
    },
  },
  fileIdentifier: {
    sizeBytes: 38,
    fields: { characteristics: [18, 1], nameBytes: [19, 1], icb: [20, 16], useBytes: [36, 2] },
  },
  fileSet: { sizeBytes: 512, fields: { root: [400, 16], nextExtent: [448, 16] } },
  integrity: {
    sizeBytes: 80,
    fields: { type: [28, 4], nextBytes: [32, 4], nextBlock: [36, 4], partitionCount: [72, 4] },
  },
  logicalVolume: {
    sizeBytes: 440,
    fields: {
      sequence: [16, 4],
      label: [84, 128],
      blockSizeBytes: [212, 4],
      domainId: [217, 23],
      revision: [240, 2],
      fileSet: [248, 16],
      mapBytes: [264, 4],
      mapCount: [268, 4],
      integrityBytes: [432, 4],
      integrityBlock: [436, 4],
    },
  },
  longExtent: { sizeBytes: 16, fields: { length: [0, 4], block: [4, 4], partition: [8, 2] } },
  metadataMap: { sizeBytes: 64, fields: { fileBlock: [40, 4], mirrorBlock: [44, 4] } },
  namedMap: { sizeBytes: 64, fields: { type: [0, 1], lengthBytes: [1, 1], id: [5, 23], partitionNumber: [38, 2] } },
  partition: {
    sizeBytes: 512,
    fields: {
      sequence: [16, 4],
      number: [22, 2],
      contentsId: [25, 23],
      unallocatedBitmapBytes: [64, 4],
      unallocatedBitmapBlock: [68, 4],
      accessType: [184, 4],
      startBlock: [188, 4],
      blockCount: [192, 4],
    },
  },
  pathComponent: { sizeBytes: 4, fields: { type: [0, 1], nameBytes: [1, 1] } },
  plainMap: { sizeBytes: 6, fields: { type: [0, 1], lengthBytes: [1, 1], partitionNumber: [4, 2] } },
  primaryVolume: { sizeBytes: 512, fields: { sequence: [16, 4], volumeId: [24, 32], volumeSetId: [72, 128] } },
  shortExtent: { sizeBytes: 8, fields: { length: [0, 4], block: [4, 4] } },
  spaceBitmap: { sizeBytes: 24, fields: { bitCount: [16, 4], byteCount: [20, 4] } },
  sparableMap: {
    sizeBytes: 64,
    fields: { packetBlocks: [40, 2], tableCount: [42, 1], tableBytes: [44, 4], tableBlocks: [48, 16] },
  },
  sparingEntry: { sizeBytes: 8, fields: { original: [0, 4], mapped: [4, 4] } },
  sparingTable: { sizeBytes: 56, fields: { id: [17, 23], entryCount: [48, 2] } },
  timestamp: {
    sizeBytes: 12,
    fields: {
      typeAndZone: [0, 2],
      year: [2, 2],
      month: [4, 1],
      day: [5, 1],
      hour: [6, 1],
      minute: [7, 1],
      second: [8, 1],
      centiseconds: [9, 1],
      hundredMicroseconds: [10, 1],
      microseconds: [11, 1],
    },
  },
  virtualTable: { sizeBytes: 152, fields: { headerBytes: [0, 2] } },
  volumePointer: { sizeBytes: 512, fields: { sequence: [16, 4], nextBytes: [20, 4], nextBlock: [24, 4] } },
};

test("every field of every structure stands where the format has it", () => {
  const found: Record<string, { readonly sizeBytes: number; readonly fields: Pins }> = {};
  for (const [name, value] of Object.entries<unknown>(records)) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, { readonly sizeBytes: number }]>(value.fields);
    found[name] = {
      sizeBytes: value.sizeBytes,
      fields: Object.fromEntries(fields.map(([field, [offset, type]]) => [field, [offset, type.sizeBytes] as const])),
    };
  }
  assert.deepEqual(found, pinned);
});

test("a tag proves a descriptor", () => {
  const bytes = new Uint8Array(64).fill(7, 16);
  const { descriptorTag } = records;
  const crc = crc16Itut(bytes.subarray(16, 48));
  descriptorTag.patch(bytes, { id: 257, location: 9, crc, crcBytes: 32 });
  descriptorTag.patch(bytes, { checksum: tagChecksum(bytes) });
  const expected = { ids: [257], location: 9 };
  assert.equal(tagProblem(bytes, expected), undefined);
  assert.match(tagProblem(bytes, { ids: [261], location: 9 })!, /id is 257/);
  assert.match(tagProblem(bytes, { ids: [257], location: 8 })!, /block 9, not 8/);
  assert.match(tagProblem(bytes.subarray(0, 47), expected)!, /more than there are/);
  assert.match(tagProblem(bytes.with(20, 8), expected)!, /CRC is wrong/);
  assert.match(tagProblem(bytes.with(13, 8), expected)!, /checksum/);
});

test("the CRC is that of ECMA-167", () => {
  assert.equal(crc16Itut(Uint8Array.of(0x70, 0x6a, 0x77)), 0x3299); // the example of 1/7.2.6
});

test("text is in bytes of Latin-1 or in UTF-16", () => {
  assert.equal(decodeText(Uint8Array.of(8, 0x41, 0xe9)), "Aé");
  assert.equal(decodeText(Uint8Array.of(16, 0x26, 0x03, 0xd8, 0x3d, 0xdc, 0x1a)), "☃🐚");
  assert.equal(decodeText(Uint8Array.of(16, 0xd8, 0x3d)), "\ufffd");
  assert.equal(decodeText(Uint8Array.of(254, 0)), undefined);
  assert.equal(decodeField(Uint8Array.of(8, 0x41, 0x42, 0, 0, 3)), "AB");
  assert.equal(decodeField(Uint8Array.of(8, 0x41, 0x42, 0, 0, 200)), "AB");
});

test("a volume set id becomes the UUID that blkid shows", () => {
  const field = (text: string): Uint8Array =>
    Buffer.concat([Buffer.of(8), Buffer.from(text), Buffer.of(text.length + 1)]);
  assert.equal(uuidOf(field("6B05882800000FD8 and more")), "6b05882800000fd8");
  assert.equal(uuidOf(field("6B058828-volume-set")), "6b0588282d766f6c");
  assert.equal(uuidOf(field("LinuxUDF and more")), "4c696e7578554446");
  assert.equal(uuidOf(field("short")), undefined);
});

test("a timestamp has its zone", () => {
  const time = { year: 2024, month: 2, day: 29, hour: 12, minute: 30, second: 15, centiseconds: 25, microseconds: 7 };
  const seconds = Date.UTC(2024, 1, 29, 12, 30, 15) / 1000;
  const at = (typeAndZone: number) => decodeTimestamp(records.timestamp.encode({ ...time, typeAndZone }));
  assert.deepEqual(at(0x1000), { seconds, nanoseconds: 250_007_000 });
  assert.equal(at(0x1000 + 60).seconds, seconds - 3600);
  assert.equal(at(0x1000 + 0x1000 - 60).seconds, seconds + 3600);
  assert.equal(at(0x1000 + 0x801).seconds, seconds); // no zone given
});
