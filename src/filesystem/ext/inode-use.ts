import type { ExtLayout } from "./layout.ts";

/** What the check remembers of the inodes of one group. Positions count from 0. */
interface GroupOfInodes {
  /** The file type as directory entries have it, 0 for an inode that is not in use. */
  readonly types: Uint8Array;
  readonly links: Uint16Array;
  /** How many names were found; of a directory `.` and the `..` of those in it too. */
  readonly names: Uint32Array;
  /** Only where the group has directories. */
  parents: Uint32Array | undefined;
}

/** What the check remembers of every inode in use. Groups without any take no memory. */
export class InodeUse {
  readonly #layout: ExtLayout;
  readonly #groups = new Map<number, GroupOfInodes>();
  /** Inodes that are in use without a name: quotas, the orphan file, values of attributes, orphans. */
  readonly nameless = new Set<number>();
  #count = 0;

  constructor(layout: ExtLayout) {
    this.#layout = layout;
  }

  get count(): number {
    return this.#count;
  }

  add(id: number, type: number, links: number): void {
    const { group, n } = this.#place(id);
    let one = this.#groups.get(group);
    if (one === undefined) {
      const length = this.#layout.inodesPerGroup;
      one = {
        types: new Uint8Array(length),
        links: new Uint16Array(length),
        names: new Uint32Array(length),
        parents: undefined,
      };
      this.#groups.set(group, one);
    }
    one.types[n] = type;
    one.links[n] = links;
    this.#count++;
  }

  typeOf(id: number): number {
    const { group, n } = this.#place(id);
    return this.#groups.get(group)?.types[n] ?? 0;
  }

  linksOf(id: number): number {
    const { group, n } = this.#place(id);
    return this.#groups.get(group)?.links[n] ?? 0;
  }

  namesOf(id: number): number {
    const { group, n } = this.#place(id);
    return this.#groups.get(group)?.names[n] ?? 0;
  }

  addName(id: number): void {
    const { group, n } = this.#place(id);
    const names = this.#groups.get(group)?.names;
    if (names !== undefined) names[n] = (names[n] ?? 0) + 1;
  }

  /** The directory in which a directory was found; 0 where none was. */
  parentOf(id: number): number {
    const { group, n } = this.#place(id);
    return this.#groups.get(group)?.parents?.[n] ?? 0;
  }

  setParent(id: number, parent: number): void {
    const { group, n } = this.#place(id);
    const one = this.#groups.get(group);
    if (one === undefined) return;
    one.parents ??= new Uint32Array(this.#layout.inodesPerGroup);
    one.parents[n] = parent;
  }

  /** The inodes in use, in order. */
  *ids(): Generator<number> {
    for (const [group, { types }] of this.#groups) {
      for (const [n, type] of types.entries()) {
        if (type !== 0) yield group * this.#layout.inodesPerGroup + n + 1;
      }
    }
  }

  #place(id: number): { readonly group: number; readonly n: number } {
    const group = Math.floor((id - 1) / this.#layout.inodesPerGroup);
    return { group, n: id - 1 - group * this.#layout.inodesPerGroup };
  }
}
