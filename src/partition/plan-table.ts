import { Failure } from "../base/index.ts";
import { headLimit, trackSectorLimit } from "./chs.ts";
import { planGpt } from "./plan-gpt.ts";
import { planMbr } from "./plan-mbr.ts";
import type { PartitionRequest, TablePlan, TableRequest } from "./plan.ts";

/**
 * Where everything goes: nothing is read or written. Wrong words are a `usage` failure, too little room is
 * `no-space`, more than an MBR can say is `unsupported`.
 */
export function planTable(request: TableRequest): TablePlan {
  checkGeometry(request);
  checkSizes(request);
  const randomUuid = request.randomUuid ?? (() => crypto.randomUUID());
  return request.table === "mbr" ? planMbr(request, randomUuid) : planGpt(request, randomUuid);
}

function checkGeometry({ geometry }: TableRequest): void {
  if (geometry === undefined) return;
  const isPossible = (value: number, limit: number): boolean => Number.isInteger(value) && value >= 1 && value <= limit;
  if (isPossible(geometry.heads, headLimit) && isPossible(geometry.sectors, trackSectorLimit)) return;
  throw new Failure(
    "usage",
    `cannot use a geometry of ${geometry.heads} heads and ${geometry.sectors} sectors: ` +
      `1 to ${headLimit} heads and 1 to ${trackSectorLimit} sectors are possible`,
  );
}

function checkSizes({ sizeBytes, partitions }: TableRequest): void {
  if (!isSize(sizeBytes)) throw new Failure("usage", `cannot make a disk of ${sizeBytes} bytes`);
  partitions.forEach((partition, index) => checkPartitionSize(partition, index + 1));
  if (partitions.filter((partition) => partition.sizeBytes === "rest").length > 1) {
    throw new Failure("usage", "cannot give the rest of the disk to more than one partition");
  }
}

function checkPartitionSize({ sizeBytes }: PartitionRequest, ordinal: number): void {
  if (sizeBytes === "rest" || isSize(sizeBytes)) return;
  throw new Failure("usage", `cannot make partition ${ordinal} of ${sizeBytes} bytes`);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
