import type { Problem } from "../partition/index.ts";
import type { DataPiece, DeviceNumber, EntryKind, FileStretch, Metadata } from "../tree/index.ts";

export type { Problem };

/** What a file system says of itself. */
export interface FileSystemInfo {
  /** `ext2`, `ext3`, `ext4`, `fat32`, `exfat`, … */
  readonly kind: string;
  readonly label: string;
  readonly uuid: string | undefined;
  /** All bytes that the file system takes; what lies after them on its device is not its own. */
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  /** In what units images of it are made, where others do not count it in its blocks. */
  readonly imageBlockBytes?: number;
  readonly freeBytes: number;
  /** Names of optional features, in the words of the file system's own tools. */
  readonly features: readonly string[];
  /** What a reader should know: "the journal was replayed in memory". */
  readonly notes: readonly string[];
  /** Names that differ only in upper and lower case are the same name. */
  readonly foldsCase?: true;
}

/** One file as `stat` shows it. `id` is the inode number or what stands for it. */
export interface FileStat extends Metadata {
  readonly id: number;
  readonly kind: EntryKind;
  /** As the file system keeps it: of a link the length of its target, of a directory what its names take. */
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly links: number;
  readonly device?: DeviceNumber;
}

/** A name in a directory, without `.` and `..`. */
export interface DirectoryItem {
  readonly name: string;
  readonly id: number;
}

/** A stretch of a file's data, and where it stands on the device. */
export interface FilePlace extends FileStretch {
  readonly deviceAt: number;
}

/** A stretch of a device, in bytes. */
export interface Extent {
  readonly startBytes: number;
  readonly lengthBytes: number;
}

/**
 * A file system on a device, to be looked into. Every method throws a `damaged` failure where the structures
 * on disk contradict themselves; none runs or allocates without bound on such input.
 */
export interface FileSystem extends AsyncDisposable {
  readonly info: FileSystemInfo;
  readonly rootId: number;
  stat(id: number): Promise<FileStat>;
  /** The names in a directory, in the order of the disk, in batches. */
  list(id: number): AsyncIterable<readonly DirectoryItem[]>;
  /** The id of one name in a directory, or undefined. */
  find(id: number, name: string): Promise<number | undefined>;
  readLink(id: number): Promise<string>;
  /** The data of a regular file, as `Content` describes it. */
  content(id: number): AsyncIterable<DataPiece>;
  /** Where the data of a regular file is: what `content` will give, without reading it. */
  stretches(id: number): Promise<readonly FileStretch[]>;
  /**
   * The same with the places on the device, in the file's order. Undefined where the data does not stand there as it
   * reads; the method is absent where the file system cannot tell.
   */
  places?(id: number): Promise<readonly FilePlace[] | undefined>;
  /** Which parts of the device hold data or structures. In ascending order. */
  usedExtents(): AsyncIterable<Extent>;
  /** Everything that is wrong with the structures. */
  check(): AsyncIterable<Problem>;
}
