import assert from "node:assert/strict";
import { test } from "node:test";
import { Struct } from "../../../src/bytes/index.ts";
import * as records from "../../../src/filesystem/xfs/records.ts";

test("fields are where the format has them", () => {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries<unknown>(records)) {
    if (!(value instanceof Struct)) continue;
    const fields = Object.entries<readonly [number, { readonly sizeBytes: number }]>(value.fields);
    found[name] = [...fields.map(([field, [at, type]]) => `${field} ${at}+${type.sizeBytes}`), value.sizeBytes].join(
      " ",
    );
  }
  assert.deepEqual(found, {
    xfsFreeListHeader: ["magic 0+4 number 4+4 uuid 8+16 checksum 32+4 36"].join(" "),
    xfsFreeSpaceHeader: [
      "magic 0+4 version 4+4 number 8+4 blockCount 12+4 roots 16+12 levels 28+12 listFirst 40+4",
      "listLast 44+4 listCount 48+4 freeBlocks 52+4 longest 56+4 treeBlocks 60+4 uuid 64+16",
      "referenceRoot 88+4 referenceLevels 92+4 checksum 216+4 224",
    ].join(" "),
    xfsInode: [
      "magic 0+2 mode 2+2 version 4+1 format 5+1 oldLinks 6+2 uid 8+4 gid 12+4 links 16+4",
      "manyDataExtents 24+8 accessed 32+8 modified 40+8 changed 48+8 sizeBytes 56+8",
      "blockCount 64+8 dataExtents 76+4 attributeExtents 80+2 attributeOffset 82+1",
      "attributeFormat 83+1 flags 90+2 nextUnlinked 96+4 checksum 100+4 moreFlags 124+4",
      "created 144+8 number 152+8 uuid 160+16 176",
    ].join(" "),
    xfsInodeHeader: [
      "magic 0+4 version 4+4 number 8+4 blockCount 12+4 inodeCount 16+4 root 20+4 levels 24+4",
      "freeInodes 28+4 unlinked 40+256 uuid 296+16 checksum 312+4 freeRoot 328+4 freeLevels 332+4",
      "344",
    ].join(" "),
    xfsLogRecord: [
      "magic 0+4 cycle 4+4 version 8+4 lengthBytes 12+4 tailCycle 24+4 tailBlock 28+4",
      "operationCount 40+4 format 300+4 bufferBytes 320+4 328",
    ].join(" "),
    xfsRemoteHeader: ["magic 0+4 offset 4+4 lengthBytes 8+4 checksum 12+4 uuid 16+16 owner 32+8 place 40+8 56"].join(
      " ",
    ),
    xfsSuperblock: [
      "magic 0+4 blockSizeBytes 4+4 dataBlocks 8+8 realtimeBlocks 16+8 realtimeExtents 24+8",
      "uuid 32+16 logStart 48+8 rootInode 56+8 realtimeBitmapInode 64+8 realtimeSummaryInode 72+8",
      "groupBlocks 84+4 groupCount 88+4 logBlocks 96+4 version 100+2 sectorBytes 102+2",
      "inodeBytes 104+2 inodesPerBlock 106+2 label 108+12 inodesPerBlockLog2 123+1",
      "groupBlocksLog2 124+1 inProgress 126+1 inodeCount 128+8 freeInodes 136+8 freeBlocks 144+8",
      "userQuotaInode 160+8 groupQuotaInode 168+8 inodeAlignment 180+4 directoryBlocksLog2 192+1",
      "features2 200+4 readOnlyCompatible 212+4 incompatible 216+4 checksum 224+4",
      "projectQuotaInode 232+8 metadataUuid 248+16 264",
    ].join(" "),
  });
});
