/**
 * A tree of files outside any file system: what a folder, a tar and a file system hold in common, and the one
 * form in which they pass it to each other.
 */

export type EntryKind = "file" | "directory" | "symlink" | "character" | "block" | "fifo" | "socket";

/** Time since 1970 in UTC; `seconds` may be negative, `nanoseconds` is 0 … 999,999,999. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** What every kind of file has. */
export interface Metadata {
  /** Permission, set-id and sticky bits: the low 12 bits of `st_mode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Timestamp;
  /** Absent where the source keeps none (tar); `modified` then stands for it. */
  readonly accessed?: Timestamp;
  readonly changed?: Timestamp;
  readonly created?: Timestamp;
  /**
   * Extended attributes by full name (`user.note`, `security.capability`, `system.posix_acl_access`); POSIX
   * ACLs in the form of the kernel's xattr interface (version 2). Absent: none.
   */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** A stretch of a file's content that is there; what no piece covers is a hole and reads as zeros. */
export interface DataPiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Part of a file, in bytes. */
export interface FileStretch {
  readonly at: number;
  readonly lengthBytes: number;
}

/**
 * The content of a file: pieces in ascending order that do not overlap nor pass its size. An array where it is
 * already in memory. A piece's buffer may be used again by its maker once the next piece is asked for.
 */
export type Content = readonly DataPiece[] | AsyncIterable<DataPiece>;

/** One file of a tree. Paths are names joined by `/`, without one in front; the root is `""`. */
export interface FileEntry extends Metadata {
  readonly path: string;
  readonly kind: EntryKind;
  /** Of a regular file; 0 for the others. */
  readonly sizeBytes: number;
  /** Of a regular file that has any data. */
  readonly content?: Content;
  /** Where the data of a streamed content is, in ascending order, if that is known before it is read. */
  readonly stretches?: readonly FileStretch[];
  /** Of a symbolic link: what it says, never empty. */
  readonly linkTarget?: string;
  /** Of a character or block device. */
  readonly device?: DeviceNumber;
}

/** A further name of a file that came earlier. */
export interface HardLinkEntry {
  readonly path: string;
  readonly kind: "hardlink";
  /** The path of the earlier entry, in the same form as `path`. */
  readonly linkTarget: string;
}

export type TreeEntry = FileEntry | HardLinkEntry;

/**
 * A tree that can be read once, from its root on. Entries come in batches, each folder before what it holds
 * (a tar may leave folders out). An entry whose content is not an array is the last of its batch, and its
 * content is consumed, or given up, before the next batch is asked for.
 */
export interface TreeSource extends AsyncDisposable {
  /** For messages: the path or name that the user gave. */
  readonly name: string;
  /** How much there will be to read, for progress, where that is known. */
  readonly totalBytes?: number;
  entries(): AsyncIterable<readonly TreeEntry[]>;
}

/** Whatever takes a tree in: a folder, a tar. */
export interface TreeTarget extends AsyncDisposable {
  add(entry: TreeEntry): Promise<void>;
  /** Completes the tree: times of folders, end marks. Without it the tree is not whole. */
  finish(): Promise<void>;
}
