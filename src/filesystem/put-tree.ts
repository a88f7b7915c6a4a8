import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { FileEntry, HardLinkEntry, Metadata, TreeSource } from "../tree/index.ts";
import type { EditableFileSystem, NamePlace } from "./editable-file-system.ts";
import { resolvePath } from "./path.ts";

export interface PutTreeOptions extends JobOptions {
  /** The time that folders are given which the tree leaves out. */
  readonly now: Metadata["modified"];
  /** What becomes of the owners that the tree has. Default: they are kept. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Puts a tree of files into a directory. A file replaces one of its name; a directory that is there already gets the
 * metadata of the later one and keeps what is in it; a link to a directory on the way is followed inside the file
 * system. Gives how many files came. Throws `exists` where a file would have to replace a directory.
 */
export async function putTree(
  fileSystem: EditableFileSystem,
  directoryPath: string,
  source: TreeSource,
  options: PutTreeOptions,
): Promise<number> {
  const putter = new TreePutter(fileSystem, directoryPath, options);
  let count = 0;
  let doneBytes = 0;
  for await (const batch of source.entries()) {
    stopIfAborted(options.signal);
    for (const entry of batch) {
      await putter.put(entry);
      count++;
      if (entry.kind === "file") doneBytes += entry.sizeBytes;
    }
    options.onProgress?.({
      phase: "putting",
      doneBytes,
      ...(source.totalBytes === undefined ? {} : { totalBytes: source.totalBytes }),
    });
  }
  await putter.finish();
  return count;
}

class TreePutter {
  readonly #fileSystem: EditableFileSystem;
  readonly #root: string;
  readonly #options: PutTreeOptions;
  /** Directories by their path in the tree. */
  readonly #directories = new Map<string, number>();
  /** What directories are to look like once nothing more comes into them. */
  readonly #metadata = new Map<number, Metadata>();

  constructor(fileSystem: EditableFileSystem, root: string, options: PutTreeOptions) {
    this.#fileSystem = fileSystem;
    this.#root = root;
    this.#options = options;
  }

  async put(entry: FileEntry | HardLinkEntry): Promise<void> {
    if (entry.path === "") {
      if (entry.kind === "directory") this.#metadata.set(await this.#directory(""), this.#owned(entry));
      return;
    }
    const cut = entry.path.lastIndexOf("/");
    const name = entry.path.slice(cut + 1);
    const directory = await this.#directory(entry.path.slice(0, Math.max(0, cut)));
    const place = { directory, name };
    if (entry.kind === "hardlink") return this.#link(place, entry);
    const file = this.#owned(entry);
    if (entry.kind === "directory") return this.#putDirectory(place, file);
    await this.#clear(place, entry.path);
    await this.#fileSystem.create(place, file);
  }

  /** Sets what directories look like, which putting something into them would have changed. */
  async finish(): Promise<void> {
    for (const [id, { mode, uid, gid, modified, xattrs }] of this.#metadata) {
      await this.#fileSystem.setMetadata(id, { mode, uid, gid, modified, ...(xattrs === undefined ? {} : { xattrs }) });
    }
  }

  #owned(entry: FileEntry): FileEntry {
    return { ...entry, ...this.#options.owner };
  }

  async #putDirectory(place: NamePlace, file: FileEntry): Promise<void> {
    const existing = await this.#fileSystem.find(place.directory, place.name);
    if (existing === undefined) {
      const id = await this.#fileSystem.create(place, file);
      this.#directories.set(file.path, id);
      this.#metadata.set(id, file);
      return;
    }
    this.#metadata.set(await this.#directory(file.path), file);
  }

  async #link(place: NamePlace, { path, linkTarget }: HardLinkEntry): Promise<void> {
    const id = await resolvePath(this.#fileSystem, `${this.#root}/${linkTarget}`, { followLast: false });
    if ((await this.#fileSystem.find(place.directory, place.name)) === id) return;
    await this.#clear(place, path);
    await this.#fileSystem.link(place, id);
  }

  /** Makes a name free for a file. */
  async #clear(place: NamePlace, path: string): Promise<void> {
    const existing = await this.#fileSystem.find(place.directory, place.name);
    if (existing === undefined) return;
    if ((await this.#fileSystem.stat(existing)).kind === "directory") {
      throw new Failure("exists", `cannot put "${printableName(path)}": there is a directory of that name`);
    }
    await this.#fileSystem.remove(place);
  }

  /** The directory at a path of the tree; what is missing of the way is made. */
  async #directory(path: string): Promise<number> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const id = await this.#found(path);
    this.#directories.set(path, id);
    return id;
  }

  async #found(path: string): Promise<number> {
    if (path === "") return resolvePath(this.#fileSystem, this.#root);
    const cut = path.lastIndexOf("/");
    const place = {
      directory: await this.#directory(path.slice(0, Math.max(0, cut))),
      name: path.slice(cut + 1),
    };
    if ((await this.#fileSystem.find(place.directory, place.name)) !== undefined) {
      return resolvePath(this.#fileSystem, `${this.#root}/${path}/.`);
    }
    const { now, owner = { uid: 0, gid: 0 } } = this.#options;
    return this.#fileSystem.create(place, { kind: "directory", mode: 0o755, ...owner, modified: now, sizeBytes: 0 });
  }
}
