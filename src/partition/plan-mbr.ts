import { Failure } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import { cylindersOf, cylinderSectors, defaultGeometry, lastCylinder, type Geometry } from "./chs.ts";
import { gptProtectiveCode, primaryLimit } from "./mbr-records.ts";
import { isExtendedCode, mbrTypeCode } from "./partition-type.ts";
import { placeSlots, type Placement, type Room, type Slot } from "./place-slots.ts";
import {
  alignedGrainSectors,
  type MbrPlan,
  type PartitionRequest,
  type PlannedMbrPartition,
  type TableRequest,
} from "./plan.ts";

/** sfdisk reads no more than this, the extended partition included. */
const mbrNumberLimit = 60;
/** LBA and length are 32-bit fields. */
const mbrEndLbaLimit = 2 ** 32;

export function planMbr(request: TableRequest, randomUuid: () => string): MbrPlan {
  checkMbrWords(request);
  const geometry = request.geometry ?? defaultGeometry;
  const hasLogical = request.partitions.length > primaryLimit;
  const typeCodes = request.partitions.map((partition, index) => mbrTypeOf(partition, index + 1));
  const room = request.layout === "aligned" ? alignedRoom(request.sizeBytes) : classicRoom(request.sizeBytes, geometry);
  const track = request.layout === "aligned" ? alignedGrainSectors : geometry.sectors;
  const isLogical = (index: number): boolean => hasLogical && index >= primaryLimit - 1;
  const slots = request.partitions.map(({ sizeBytes }, index): Slot => {
    const followsTable = index === 0 && request.layout === "classic";
    return {
      leadSectors: isLogical(index) || followsTable ? track : 0,
      sectorCount: sizeBytes === "rest" ? "rest" : Math.ceil(sizeBytes / 512),
    };
  });
  const placements = placeSlots(slots, room);
  refuseBeyondMbr(placements);
  const partitions = request.partitions.map(({ active }, index): PlannedMbrPartition => {
    const { startLba, sectorCount } = placements[index] ?? { startLba: 0, sectorCount: 0 };
    const typeCode = typeCodes[index] ?? 0;
    const planned = { startLba, sectorCount, typeCode, active: active === true };
    if (!isLogical(index)) return { number: index + 1, ...planned };
    return { number: index + 2, ...planned, recordLba: startLba - track }; // number 4 is the extended one
  });
  const firstRecordLba = partitions.find((partition) => partition.recordLba !== undefined)?.recordLba;
  return {
    kind: "mbr",
    sizeBytes: request.sizeBytes,
    geometry,
    diskSignature: request.diskSignature ?? randomSignature(randomUuid),
    partitions,
    ...(firstRecordLba === undefined ? {} : { extended: extendedFrom(firstRecordLba, room, geometry) }),
  };
}

/** The start of cylinder 0 belongs to the table; so does the first MiB, which also holds a boot loader. */
function alignedRoom(diskBytes: number): Room {
  const endLba = Math.floor(diskBytes / 512);
  const grainSectors = alignedGrainSectors;
  return { grainSectors, startLba: grainSectors, endLba, fillsToEnd: true, tailSectors: 0, diskBytes };
}

function classicRoom(diskBytes: number, geometry: Geometry): Room {
  const grainSectors = cylinderSectors(geometry);
  const endLba = cylindersOf(diskBytes, geometry) * grainSectors;
  return { grainSectors, startLba: 0, endLba, fillsToEnd: false, tailSectors: 0, diskBytes };
}

/**
 * All the room that is left goes to the extended partition: the four primary entries are taken, so only a
 * further logical partition could ever use it.
 */
function extendedFrom(startLba: number, room: Room, geometry: Geometry): PlannedMbrPartition {
  const endLba = Math.min(room.endLba, mbrEndLbaLimit);
  const reachesBeyondChs = endLba > (lastCylinder + 1) * cylinderSectors(geometry);
  const typeCode = reachesBeyondChs ? 0x0f : 0x05;
  return { number: primaryLimit, startLba, sectorCount: endLba - startLba, typeCode, active: false };
}

function checkMbrWords({ partitions, diskGuid, diskSignature, entryCount }: TableRequest): void {
  if (partitions.length >= mbrNumberLimit) {
    throw tooMany(partitions.length);
  }
  if (diskGuid !== undefined || entryCount !== undefined) {
    throw new Failure("usage", "cannot give an MBR a disk GUID or a number of entries: only GPT has them");
  }
  if (diskSignature !== undefined && diskSignature >>> 0 !== diskSignature) {
    throw new Failure("usage", `cannot use the disk signature ${diskSignature}: it has 32 bits`);
  }
  if (partitions.filter(({ active }) => active === true).length > 1) {
    throw new Failure("usage", "cannot make more than one partition active: the boot code starts one");
  }
  const firstLogical = partitions.length > primaryLimit ? primaryLimit - 1 : partitions.length;
  if (partitions.slice(firstLogical).some(({ active }) => active === true)) {
    throw new Failure("usage", "cannot make a logical partition active: boot code looks at primary ones only", {
      hint: `put the active partition among the first ${primaryLimit - 1}`,
    });
  }
}

function mbrTypeOf({ type, label, guid, attributes }: PartitionRequest, ordinal: number): number {
  if (label !== undefined || guid !== undefined || attributes !== undefined) {
    throw new Failure(
      "usage",
      `cannot give partition ${ordinal} a name, GUID or attributes: an MBR has no place for them`,
      {
        hint: "use a gpt table",
      },
    );
  }
  const code = mbrTypeCode(type);
  if (code !== 0 && code !== gptProtectiveCode && !isExtendedCode(code)) return code;
  throw new Failure("usage", `cannot make partition ${ordinal} of type "${type}": it is no partition that holds data`, {
    hint: "an extended partition is made where there are more than four",
  });
}

function refuseBeyondMbr(placements: readonly Placement[]): void {
  for (const { startLba, sectorCount } of placements) {
    if (startLba + sectorCount <= mbrEndLbaLimit) continue;
    throw new Failure(
      "unsupported",
      `cannot end a partition at ${formatSize((startLba + sectorCount) * 512)} in an mbr table: it ends at 2 TiB`,
      { hint: "use a gpt table" },
    );
  }
}

function tooMany(count: number): Failure {
  return new Failure(
    "unsupported",
    `cannot put ${count} partitions in an mbr table: ${mbrNumberLimit - 1} is as many as other programs read`,
    { hint: "use a gpt table" },
  );
}

function randomSignature(randomUuid: () => string): number {
  return Number.parseInt(randomUuid().slice(0, 8), 16);
}
