import { Failure } from "../base/index.ts";

/** A file's place in its directory. */
export interface FileNode {
  readonly id: number;
  readonly directory: number;
  readonly slot: number;
}

/**
 * Where the files are of a file system that is being changed, and their ids: numbers given in the order in which files
 * are met, that stay with a file when its name moves.
 */
export class FilePlaces {
  readonly #rootId: number;
  readonly #slotsPerDirectory: number;
  readonly #nodes = new Map<number, FileNode>();
  /** Ids by the directory's id and the slot. */
  readonly #ids = new Map<number, number>();
  #nextId: number;

  constructor(shape: { readonly rootId: number; readonly slotsPerDirectory: number }) {
    this.#rootId = shape.rootId;
    this.#slotsPerDirectory = shape.slotsPerDirectory;
    this.#nextId = shape.rootId + 1;
  }

  /** The id of the file at a slot of a directory. */
  idAt(directory: number, slot: number): number {
    const known = this.#ids.get(this.#key(directory, slot));
    return known ?? this.place(this.#nextId++, directory, slot);
  }

  /** Says where a file is now; gives its id. */
  place(id: number, directory: number, slot: number): number {
    const before = this.#nodes.get(id);
    if (before !== undefined) this.#ids.delete(this.#key(before.directory, before.slot));
    this.#nodes.set(id, { id, directory, slot });
    this.#ids.set(this.#key(directory, slot), id);
    return id;
  }

  /** Where a file other than the root directory is. */
  node(id: number): FileNode {
    const node = this.#nodes.get(id);
    if (node !== undefined) return node;
    throw new Failure("not-found", `cannot find file ${id}: it is not there, or not any more`);
  }

  has(id: number): boolean {
    return this.#nodes.has(id);
  }

  /** The directories that a directory is in, itself first, without the root. */
  *above(directory: number): Generator<number> {
    for (let id = directory; id !== this.#rootId; id = this.node(id).directory) yield id;
  }

  /** Forgets a file that is gone. */
  forget(id: number): void {
    const { directory, slot } = this.node(id);
    this.#ids.delete(this.#key(directory, slot));
    this.#nodes.delete(id);
  }

  #key(directory: number, slot: number): number {
    return directory * this.#slotsPerDirectory + slot;
  }
}
