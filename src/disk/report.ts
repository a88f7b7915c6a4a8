import type { Extent, Problem } from "../filesystem/index.ts";

/** What a disk is, in plain values: `--json` prints it as it stands. Field names are kept from version to version. */
export interface DiskReport {
  /** As the user gave it. */
  readonly path: string;
  readonly sizeBytes: number;
  /** What the file takes on the machine's own disk; less than its size where it is sparse. */
  readonly allocatedBytes?: number;
  readonly sectorSizeBytes: number;
  readonly geometry?: GeometryReport;
  /** Name of the boot code in sector 0, as `identifyBootSector` gives it. */
  readonly bootCode: string;
  /** Absent where the disk has none, as where a file system takes the whole disk. */
  readonly table?: TableReport;
  /** By number. */
  readonly partitions: readonly PartitionReport[];
  /** A file system that takes the whole disk: there is no table, or it is a disc that boots from a stick too. */
  readonly fileSystem?: FileSystemReport;
  /** Stretches that are in no partition, in ascending order. */
  readonly unpartitioned: readonly Extent[];
}

export interface GeometryReport {
  readonly cylinders: number;
  readonly heads: number;
  /** Sectors of a track. */
  readonly sectors: number;
  /** The bytes in whole cylinders. */
  readonly usableBytes: number;
}

export interface TableReport {
  readonly kind: "mbr" | "gpt";
  /** MBR: the disk signature as `0x1234abcd`. GPT: the disk GUID. */
  readonly diskId: string;
  readonly problems: readonly Problem[];
}

export interface PartitionReport {
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** `0x83`, or a GUID. */
  readonly typeCode: string;
  readonly typeName: string;
  /** True for the MBR partition that only holds logical partitions. */
  readonly extended: boolean;
  readonly active: boolean;
  /** GPT: the partition's own name, if it has one. */
  readonly name?: string;
  /** GPT: the partition's own GUID. */
  readonly guid?: string;
  readonly fileSystem?: FileSystemReport;
  /** Why there is no more to say: "the partition ends past the end of the disk". */
  readonly problem?: string;
}

export interface FileSystemReport {
  readonly kind: string;
  readonly label: string;
  readonly uuid?: string;
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  /** Absent, both, where a damaged file system does not tell. */
  readonly usedBytes?: number;
  readonly freeBytes?: number;
  readonly features: readonly string[];
  readonly notes: readonly string[];
  /** What is wrong with it, as far as looking at it comes upon it. Absent where nothing is. */
  readonly problems?: readonly Problem[];
  /** True of kinds that are told of here but not looked into: `ntfs`, `btrfs`, `luks`, … */
  readonly isOnlyRecognised?: true;
}
