import { Failure } from "../base/index.ts";
import {
  defaultEntryCount,
  entriesLimitBytes,
  entriesSectors,
  gptEntry,
  gptLabelLimit,
  primaryHeaderLba,
  unusedTypeGuid,
} from "./gpt-records.ts";
import { gptTypeGuid } from "./partition-type.ts";
import { placeSlots } from "./place-slots.ts";
import {
  alignedGrainSectors,
  type GptPlan,
  type PartitionRequest,
  type PlannedGptPartition,
  type TableRequest,
} from "./plan.ts";
import { legacyBootableBit } from "./table.ts";

const entryCountLimit = entriesLimitBytes / gptEntry.sizeBytes;

export function planGpt(request: TableRequest, randomUuid: () => string): GptPlan {
  if (request.layout === "classic") {
    throw new Failure("usage", "cannot lay out a gpt table in cylinders: GPT knows none", {
      hint: "use the aligned layout, or an mbr table",
    });
  }
  if (request.diskSignature !== undefined) {
    throw new Failure("usage", "cannot give a gpt table a disk signature: its disk GUID takes that part");
  }
  const entryCount = entryCountOf(request);
  const tableSectors = entriesSectors({ entryCount, entrySizeBytes: gptEntry.sizeBytes }, 512);
  const firstUsableLba = primaryHeaderLba + 1 + tableSectors;
  const tailSectors = tableSectors + 1;
  const endLba = Math.floor(request.sizeBytes / 512) - tailSectors;
  const grainSectors = alignedGrainSectors;
  const placements = placeSlots(
    request.partitions.map(({ sizeBytes }) => ({
      leadSectors: 0,
      sectorCount: sizeBytes === "rest" ? "rest" : Math.ceil(sizeBytes / 512),
    })),
    {
      grainSectors,
      startLba: Math.ceil(firstUsableLba / grainSectors) * grainSectors,
      endLba,
      fillsToEnd: true,
      tailSectors,
      diskBytes: request.sizeBytes,
    },
  );
  return {
    kind: "gpt",
    sizeBytes: request.sizeBytes,
    diskGuid: guidOf(request.diskGuid ?? randomUuid()),
    entryCount,
    firstUsableLba,
    lastUsableLba: endLba - 1,
    partitions: request.partitions.map((partition, index) => {
      const place = placements[index] ?? { startLba: 0, sectorCount: 0 };
      return { number: index + 1, ...place, ...entryOf(partition, index + 1, randomUuid) };
    }),
  };
}

function entryCountOf({ entryCount, partitions }: TableRequest): number {
  const count = entryCount ?? Math.max(defaultEntryCount, Math.ceil(partitions.length / 4) * 4);
  if (!Number.isInteger(count) || count < defaultEntryCount || count > entryCountLimit) {
    throw new Failure(
      "usage",
      `cannot make a gpt table of ${count} entries: ${defaultEntryCount} to ${entryCountLimit} are possible`,
    );
  }
  if (partitions.length > count) {
    throw new Failure("usage", `cannot put ${partitions.length} partitions in a gpt table of ${count} entries`);
  }
  return count;
}

function entryOf(
  { type, label = "", guid, attributes = 0n, active = false }: PartitionRequest,
  ordinal: number,
  randomUuid: () => string,
): Omit<PlannedGptPartition, "number" | "startLba" | "sectorCount"> {
  const typeCode = gptTypeGuid(type);
  if (typeCode === unusedTypeGuid) {
    throw new Failure("usage", `cannot make partition ${ordinal} of type "${type}": that GUID marks an empty entry`);
  }
  if (label.length > gptLabelLimit || label.includes("\0")) {
    throw new Failure(
      "usage",
      `cannot name partition ${ordinal} "${label}": at most ${gptLabelLimit} UTF-16 units without NUL fit`,
    );
  }
  if (BigInt.asUintN(64, attributes) !== attributes) {
    throw new Failure("usage", `cannot use the attributes ${attributes}: they have 64 bits`);
  }
  const bits = active ? attributes | legacyBootableBit : attributes;
  const isActive = (bits & legacyBootableBit) !== 0n;
  return { typeCode, guid: guidOf(guid ?? randomUuid()), label, attributes: bits, active: isActive };
}

function guidOf(text: string): string {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toUpperCase();
  throw new Failure("usage", `cannot use "${text}" as a GUID`, {
    hint: "write 32 hexadecimal digits: 0FC63DAF-8483-4772-8E79-3D69D8477DE4",
  });
}
