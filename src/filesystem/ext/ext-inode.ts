import type { EntryKind, Timestamp } from "../../tree/index.ts";

/** An inode in use, decoded. */
export interface ExtInode {
  readonly id: number;
  readonly kind: EntryKind;
  /** The low 12 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly links: number;
  readonly flags: number;
  readonly generation: number;
  readonly modified: Timestamp;
  readonly accessed: Timestamp;
  readonly changed: Timestamp;
  readonly created: Timestamp | undefined;
  /** The 60 bytes that hold the map of blocks, a short link target, a device number or the first data. */
  readonly block: Uint8Array;
  readonly xattrBlock: number;
  /** What follows the fields in the inode: room for attributes, often empty. */
  readonly tail: Uint8Array;
}
