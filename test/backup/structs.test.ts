import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipTableFoot, gzipTableHead } from "../../src/backup/packed/gzip-table.ts";
import { ntfscloneHeader } from "../../src/backup/ntfsclone/read-stream.ts";
import { seekTableEntry, seekTableFoot, seekTableHead } from "../../src/backup/packed/seek-table.ts";
import {
  areaPlace,
  headerExtension,
  labelHeader,
  metadataHeader,
  metadataPlace,
  physicalHeader,
} from "../../src/backup/lvm/physical-head.ts";
import { xzFoot, xzStart } from "../../src/backup/packed/xz-table.ts";
import { imageHeader, imageHeaderV1, imageMark } from "../../src/backup/partclone/header.ts";
import type { Struct } from "../../src/bytes/index.ts";

type Pins = Readonly<Record<string, readonly [offset: number, sizeBytes: number]>>;
type AnyStruct = Pick<Struct<Record<string, never>>, "name" | "sizeBytes"> & {
  readonly fields: Readonly<Record<string, readonly [number, { readonly sizeBytes: number }]>>;
};

const pinned: readonly (readonly [AnyStruct, number, Pins])[] = [
  [imageMark, 34, { magic: [0, 15], version: [30, 4] }],
  [
    imageHeader,
    110,
    {
      magic: [0, 16],
      tool: [16, 14],
      version: [30, 4],
      byteOrder: [34, 2],
      fileSystem: [36, 16],
      deviceBytes: [52, 8],
      blockCount: [60, 8],
      superblockUsedBlocks: [68, 8],
      usedBlocks: [76, 8],
      blockBytes: [84, 4],
      optionsBytes: [88, 4],
      optionsVersion: [92, 2],
      cpuBits: [94, 2],
      checksumCode: [96, 2],
      checksumBytes: [98, 2],
      stripBlocks: [100, 4],
      reseed: [104, 1],
      bitmapForm: [105, 1],
      crc: [106, 4],
    },
  ],
  [
    imageHeaderV1,
    4160,
    {
      magic: [0, 15],
      fileSystem: [15, 15],
      version: [30, 4],
      blockBytes: [36, 4],
      deviceBytes: [40, 8],
      blockCount: [48, 8],
      usedBlocks: [56, 8],
    },
  ],
  [
    ntfscloneHeader,
    50,
    {
      magic: [0, 16],
      majorVersion: [16, 1],
      minorVersion: [17, 1],
      clusterBytes: [18, 4],
      deviceBytes: [22, 8],
      clusterCount: [30, 8],
      usedClusters: [38, 8],
      dataAt: [46, 4],
    },
  ],
  [
    gzipTableHead,
    16,
    { magic: [0, 4], time: [4, 4], flags: [8, 2], fieldBytes: [10, 2], tag: [12, 2], tagBytes: [14, 2] },
  ],
  [
    gzipTableFoot,
    18,
    { memberFrames: [0, 4], allFrames: [4, 4], block: [8, 2], checksum: [10, 4], contentBytes: [14, 4] },
  ],
  [labelHeader, 32, { id: [0, 8], sector: [8, 8], crc: [16, 4], contentAt: [20, 4], type: [24, 8] }],
  [physicalHeader, 40, { id: [0, 32], deviceBytes: [32, 8] }],
  [areaPlace, 16, { at: [0, 8], sizeBytes: [8, 8] }],
  [headerExtension, 8, { version: [0, 4], flags: [4, 4] }],
  [metadataHeader, 40, { crc: [0, 4], magic: [4, 16], version: [20, 4], at: [24, 8], sizeBytes: [32, 8] }],
  [metadataPlace, 24, { at: [0, 8], sizeBytes: [8, 8], crc: [16, 4], flags: [20, 4] }],
  [xzStart, 12, { magic: [0, 6], flags: [6, 2], crc: [8, 4] }],
  [xzFoot, 12, { crc: [0, 4], indexWords: [4, 4], flags: [8, 2], magic: [10, 2] }],
  [seekTableHead, 8, { magic: [0, 4], lengthBytes: [4, 4] }],
  [seekTableEntry, 8, { packedBytes: [0, 4], plainBytes: [4, 4] }],
  [seekTableFoot, 9, { frameCount: [0, 4], descriptor: [4, 1], magic: [5, 4] }],
];

for (const [struct, sizeBytes, fields] of pinned) {
  test(`the ${struct.name} has its fields where they belong`, () => {
    assert.equal(struct.sizeBytes, sizeBytes);
    const found = Object.entries(struct.fields).map(([name, [offset, type]]) => [name, [offset, type.sizeBytes]]);
    assert.deepEqual(Object.fromEntries(found), fields);
  });
}
