import type { JobOptions } from "../base/index.ts";
import type { Content, FileEntry, Metadata, Timestamp } from "../tree/index.ts";
import type { FileSystem } from "./file-system.ts";

/** A file that is to come: an entry of a tree without its path. */
export type NewFile = Omit<FileEntry, "path">;

/** What becomes of a file's metadata; what is absent stays. `xattrs` replaces all that there are. */
export type MetadataChange = Partial<
  Pick<Metadata, "mode" | "uid" | "gid" | "modified" | "accessed" | "created" | "xattrs">
>;

/** What becomes of a file's data. */
export interface NewContent {
  readonly sizeBytes: number;
  /** Absent: a hole over the whole size. */
  readonly content?: Content;
}

/** A name in a directory, which need not be there. */
export interface NamePlace {
  readonly directory: number;
  readonly name: string;
}

export interface EditOptions {
  /** The time that changed and new files are given. */
  readonly now: Timestamp;
  /** Told of what the file system could not keep: an owner, an attribute. */
  readonly onWarning?: (message: string) => void;
}

/**
 * A file system open for changes. Reading shows the changes at once; on the device they take effect with
 * `commit`, all or none: what a device that loses power leaves is the file system before or after, once its
 * journal is replayed. Where there is no journal nothing that was there before is lost. Disposing without a
 * commit leaves everything as it was.
 *
 * Names are single path components. Every method refuses what `rename(2)` and its kin refuse: `exists` for a
 * name that is taken, `not-found` for one that is missing, `no-space`, `failed` with the reason for the rest. A
 * method that has thrown has changed nothing, but for `no-space` and errors of the device, after which `commit`
 * throws too.
 */
export interface EditableFileSystem extends FileSystem {
  /** Makes a file or an empty directory under a name that is free; gives its id. */
  create(place: NamePlace, file: NewFile): Promise<number>;
  /** Gives a file that is not a directory a further name. */
  link(place: NamePlace, id: number): Promise<void>;
  /** Takes a name away, and with its last name the file. A directory has to be empty. */
  remove(place: NamePlace): Promise<void>;
  /** Moves a name, replacing a file, or an empty directory by a directory, that has the new one. */
  rename(from: NamePlace, to: NamePlace): Promise<void>;
  /** Gives a regular file other data, whatever it had. Streamed: it may be larger than memory. */
  replaceContent(id: number, content: NewContent): Promise<void>;
  /** Overwrites a part of a regular file, which grows where the part passes its end. */
  write(id: number, at: number, bytes: Uint8Array): Promise<void>;
  /** Cuts a regular file off, or lets it end in a hole. */
  truncate(id: number, sizeBytes: number): Promise<void>;
  /** Throws `unsupported` naming what the file system cannot keep. */
  setMetadata(id: number, change: MetadataChange): Promise<void>;
  /** What of a change the file system can keep: FAT has no owners, for one. */
  keepable(change: MetadataChange): MetadataChange;
  /** Makes all changes since the last commit durable as one. More may follow. */
  commit(job?: JobOptions): Promise<void>;
}
