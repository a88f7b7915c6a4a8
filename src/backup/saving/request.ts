import type { JobOptions } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import type { SavedVolume } from "../clonezilla/index.ts";
import type { Content } from "../content.ts";
import type { PackedAs } from "../packed/index.ts";
import type { StoreAccess } from "../store/index.ts";

export interface SaveRequest extends StoreAccess {
  /** A disk image, a disk, or one partition of a disk. */
  readonly source: string;
  /** Of a disk only these, by number; all of it unless told. */
  readonly partitions?: readonly number[];
  /** The place in which the backup's own folder is made. */
  readonly into: string;
  /** Of the backup's folder; by the time and the disk unless told. */
  readonly name?: string;
  /** What the disk is called in the backup: by its device, or `sda` of a file. */
  readonly disk?: string;
  readonly packedAs: PackedAs;
  readonly level?: number;
  readonly volumeBytes: number;
  /** Save file systems without looking for damage first; what of them cannot be understood is saved whole. */
  readonly isUnchecked: boolean;
  /** Let the system's own programs look at file systems too. */
  readonly isCheckedBySystem?: boolean;
  /** Save a device that is mounted, and let its file systems stand still meanwhile. */
  readonly isFrozen?: boolean;
  /** Save a logical volume of LVM from a snapshot, which is taken for that and then removed. */
  readonly snapshot?: SnapshotOptions;
  /** How often a sector that cannot be read is read again before zeros take its place. */
  readonly retries: number;
  /** Begin also where the target seems to have too little room. */
  readonly isRoomIgnored?: boolean;
  /** Go on with a backup of this source that was broken off, where there is one. */
  readonly isResumed?: boolean;
  /** Who goes on with what is broken off; the same command with --resume unless told. */
  readonly goneOnWithBy?: string;
  readonly nowMs: number;
  /** The command as it was typed, for the backup's own notes. */
  readonly command: string;
}

export interface SnapshotOptions {
  /** The room for what is overwritten meanwhile; by what is free in the volume's group unless told. */
  readonly sizeBytes?: number;
}

export interface SaveOptions extends JobOptions {
  /** Where `sys` and `dev` are that tell of logical volumes; `/` unless told. */
  readonly systemRoot?: string;
  /** Called when a read of the source has failed, before less of it is tried; what it throws ends the saving. */
  readonly onFailedRead?: () => Promise<unknown>;
  /** Stands between a device, or a partition that begins so far into it, and what reads it. */
  readonly throughDevice?: (device: BlockReader, startBytes: number) => BlockReader;
}

/** A partition of the disk that is saved, or a whole disk without a table, and where its bytes are. */
export interface Volume extends SavedVolume {
  readonly reader: BlockReader;
}

export interface SavedPart {
  /** `sda1` */
  readonly name: string;
  /** As blkid calls it; empty where nothing is known. */
  readonly type: string;
  readonly saved: Content["saved"];
  /** What of the disk was read for it. */
  readonly usedBytes: number;
  /** What it takes in the backup. */
  readonly packedBytes: number;
}

export interface UnreadableReport {
  /** Of 512 bytes. */
  readonly sectors: number;
  /** `sda2: /home/anna/letter`: files that had data there, as far as their file system tells. */
  readonly files: readonly string[];
  /** The file in the backup that has all of it. */
  readonly list: string;
}

export interface SavedBackup {
  readonly path: string;
  readonly disk: string;
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly parts: readonly SavedPart[];
  /** What could not be read, and which files have zeros now; absent where all could be. */
  readonly unreadable?: UnreadableReport;
  /** What a user should know although all went well. */
  readonly warnings: readonly string[];
}
