export { identifyBootSector, isVolumeBootSector, type BootCode } from "./boot-sector.ts";
export { cylindersOf, defaultGeometry, type Geometry } from "./chs.ts";
export { openPartitionDevice, openPartitionReader } from "./open-partition.ts";
export { gptTypeGuid, mbrTypeCode, partitionTypeName, partitionTypeNames } from "./partition-type.ts";
export { planTable } from "./plan-table.ts";
export type {
  GptPlan,
  MbrPlan,
  PartitionRequest,
  PlannedGptPartition,
  PlannedMbrPartition,
  PlannedPartition,
  TablePlan,
  TableRequest,
} from "./plan.ts";
export { readTable } from "./read-table.ts";
export { repairGpt } from "./repair-gpt.ts";
export { diskBytesFor, endFor, resizePartition, roomOf } from "./resize-partition.ts";
export type { Partition, PartitionTable, Problem, TableOptions } from "./table.ts";
export { writeTable } from "./write-table.ts";
