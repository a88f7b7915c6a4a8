import type { Geometry } from "./chs.ts";

/** One partition wished for. */
export interface PartitionRequest {
  /** The least it must have, rounded up as the layout asks; or what the others leave, for one of them. */
  readonly sizeBytes: number | "rest";
  /** A name such as `linux`, an MBR code such as `0x83`, or a GUID. */
  readonly type: string;
  /** MBR: the active flag, for one primary partition. GPT: attribute bit 2. */
  readonly active?: boolean;
  /** GPT only: at most 36 UTF-16 code units. */
  readonly label?: string;
  /** GPT only: the partition's own GUID. */
  readonly guid?: string;
  /** GPT only: all 64 attribute bits. */
  readonly attributes?: bigint;
}

/** A partition table wished for. */
export interface TableRequest {
  /** Of the whole disk. */
  readonly sizeBytes: number;
  readonly table: "mbr" | "gpt";
  /** `aligned`: in units of 1 MiB. `classic`: cylinders, as disks were divided before 2008; MBR only. */
  readonly layout: "aligned" | "classic";
  /** 255 heads and 63 sectors unless told. */
  readonly geometry?: Geometry;
  /** MBR: 32 bits that tell this disk from others. Random unless told. */
  readonly diskSignature?: number;
  /** GPT: random unless told. */
  readonly diskGuid?: string;
  /** GPT: more entries than needed leave room for partitions to come. 128 unless told, at most 8192. */
  readonly entryCount?: number;
  readonly partitions: readonly PartitionRequest[];
  /** Where all that is random comes from, for output that can be made again. */
  readonly randomUuid?: () => string;
}

/** A partition with its place. */
export interface PlannedPartition {
  readonly number: number;
  readonly startLba: number;
  readonly sectorCount: number;
  readonly active: boolean;
}

export interface PlannedMbrPartition extends PlannedPartition {
  readonly typeCode: number;
  /** Logical partitions: where the boot record goes that describes this one. */
  readonly recordLba?: number;
}

export interface PlannedGptPartition extends PlannedPartition {
  readonly typeCode: string;
  readonly guid: string;
  readonly label: string;
  readonly attributes: bigint;
}

/** An MBR that `writeTable` can write. Sectors are 512 bytes. */
export interface MbrPlan {
  readonly kind: "mbr";
  readonly sizeBytes: number;
  readonly geometry: Geometry;
  readonly diskSignature: number;
  /** In the order of the request. */
  readonly partitions: readonly PlannedMbrPartition[];
  /** The partition that holds the logical ones; it is not among `partitions`. */
  readonly extended?: PlannedMbrPartition;
}

/** A GPT that `writeTable` can write. Sectors are 512 bytes. */
export interface GptPlan {
  readonly kind: "gpt";
  readonly sizeBytes: number;
  readonly diskGuid: string;
  readonly entryCount: number;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  /** In the order of the request. */
  readonly partitions: readonly PlannedGptPartition[];
}

export type TablePlan = MbrPlan | GptPlan;

/** Sectors of 1 MiB. */
export const alignedGrainSectors = 2048;
