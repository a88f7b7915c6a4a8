import { Failure, type JobOptions } from "../base/index.ts";
import type { DeviceNumber, EntryKind, Timestamp } from "../tree/index.ts";
import type { Place } from "./place.ts";

export interface ListItem {
  readonly name: string;
  /** Inode number, or what stands for it. */
  readonly id: number;
  readonly kind: EntryKind;
  /** The low 12 bits of `st_mode`. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly modified: Timestamp;
  readonly device?: DeviceNumber;
  readonly linkTarget?: string;
  readonly hasXattrs: boolean;
}

/** What one folder holds; or one item alone, where the place names a file. */
export interface ListedFolder {
  /** Path in the file system, from `/`. Of a file: its own. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Sorted by the bytes of their names. */
  readonly items: readonly ListItem[];
  /** What of it could not be read, one sentence each. */
  readonly problems: readonly string[];
}

/** Lists a folder, or with `isRecursive` everything below it, each folder before those in it. */
// oxlint-disable-next-line require-yield
export async function* listFiles(
  place: Place,
  _options: JobOptions & { readonly isRecursive: boolean },
): AsyncGenerator<ListedFolder> {
  throw new Failure("unsupported", `cannot list "${place.image}": this is not written yet`);
}
