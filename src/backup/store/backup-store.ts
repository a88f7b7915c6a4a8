import type { BlockReader } from "../../device/index.ts";

/** A file or a folder in a store. */
export interface StoredItem {
  readonly name: string;
  readonly kind: "file" | "folder";
  /** 0 of a folder. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * A folder somewhere with what is below it: on this machine, on another one, in an image. Paths are names joined by `/`,
 * and the empty one is the folder itself. Failures name what they are about as a user would: `not-found`, `exists`,
 * `no-space`, and `failed` for the rest. Behaviour is added by wrapping.
 */
export interface BackupStore extends AsyncDisposable {
  /** How messages call it: the word that a user gave for it. */
  readonly name: string;
  /** What is in a folder, by name. Throws `not-found` where it is none. */
  list(folder: string): Promise<readonly StoredItem[]>;
  /** A file or folder; undefined where there is none. */
  find(path: string): Promise<StoredItem | undefined>;
  /** Opens a file to be read anywhere, several reads at a time. Throws `not-found`. */
  open(path: string): Promise<BlockReader>;
  /** Makes a folder and those above it. Throws `exists` where the last one is there. */
  makeFolder(path: string): Promise<void>;
  /** Begins a file in a folder that is there. Throws `exists`. */
  create(path: string): Promise<StoreWriter>;
  /**
   * Goes on with a file that was begun and not committed, behind its first bytes; until then it is listed with the ending
   * `.part`. Throws `refused` where another program is writing it. Absent where nothing is left of such a file.
   */
  readonly reopen?: ((path: string, keptBytes: number) => Promise<StoreWriter>) | undefined;
  /** Writes a small file in one go, durably after the next `flush` of its folder. Throws `exists`. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Returns once the files in a folder are durable. */
  flush(folder: string): Promise<void>;
  /**
   * Gives a folder another name, durably, and all of it at once. Throws `exists`. Where a store cannot do that, a folder
   * whose name ends in `.part` can lose that ending: it is not listed without it before.
   */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all in it. What is not there is no failure. */
  remove(path: string): Promise<void>;
  /** How much can be written; undefined where that is not known. */
  freeBytes(): Promise<number | undefined>;
  /** How large a file can be, where a user may well want a larger one. */
  largestFileBytes(): Promise<number | undefined>;
}

/** A file while it is written from its beginning to its end. Disposed without a commit, it is removed. */
export interface StoreWriter extends AsyncDisposable {
  /** One write at a time; the buffer may be used again once the promise is settled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file appear under its name, durably. */
  commit(): Promise<void>;
  /** Disposed, what was written stays for `reopen`, where the store has that. */
  keep?(): void;
}

/** As long as a backup is being written its folder is called so. */
export const unfinishedEnding = ".part";

/** The path of something in a folder of a store. */
export function pathIn(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** How messages call something in a store. */
export function nameIn(store: Pick<BackupStore, "name">, path: string): string {
  if (path === "") return store.name;
  return store.name.endsWith("/") ? store.name + path : `${store.name}/${path}`;
}

/** The folder of a path, and the name in it. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const at = path.lastIndexOf("/");
  return { folder: path.slice(0, Math.max(0, at)), name: path.slice(at + 1) };
}
