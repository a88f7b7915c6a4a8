import type { TreeSource } from "../tree/index.ts";

/** How directories count their entries: those of their own, and those of a name. */
export interface SlotRules {
  readonly slotBytes: number;
  readonly ownSlots: number;
  readonly slotsFor: (name: string) => number;
}

/** What the files of trees take in a file system of clusters. */
export class TreeNeed {
  readonly #rules: SlotRules;
  readonly #sizes = new Map<string, number>();
  /** How many entries each directory has. */
  readonly #slots: Map<string, number>;

  private constructor(rules: SlotRules) {
    this.#rules = rules;
    this.#slots = new Map([["", rules.ownSlots]]);
  }

  static async of(sources: readonly TreeSource[], rules: SlotRules): Promise<TreeNeed> {
    const need = new TreeNeed(rules);
    for (const source of sources) {
      for await (const batch of source.entries()) {
        for (const entry of batch) {
          if (entry.kind === "directory") need.#addDirectory(entry.path);
          else if (entry.kind === "hardlink") need.#addFile(entry.path, need.#sizes.get(entry.linkTarget) ?? 0);
          else need.#addFile(entry.path, entry.sizeBytes);
        }
      }
    }
    return need;
  }

  get rootSlots(): number {
    return this.#slots.get("") ?? this.#rules.ownSlots;
  }

  clusters(clusterBytes: number, hasRootInClusters: boolean): number {
    let clusters = 0;
    for (const sizeBytes of this.#sizes.values()) clusters += Math.ceil(sizeBytes / clusterBytes);
    for (const [path, slots] of this.#slots) {
      if (path !== "" || hasRootInClusters) clusters += Math.ceil((slots * this.#rules.slotBytes) / clusterBytes);
    }
    return clusters;
  }

  #addFile(path: string, sizeBytes: number): void {
    if (!this.#sizes.has(path)) this.#addName(path);
    this.#sizes.set(path, sizeBytes);
  }

  #addDirectory(path: string): void {
    if (this.#slots.has(path)) return;
    this.#slots.set(path, this.#rules.ownSlots);
    this.#addName(path);
  }

  #addName(path: string): void {
    const cut = path.lastIndexOf("/");
    const parent = path.slice(0, Math.max(0, cut));
    this.#addDirectory(parent);
    this.#slots.set(parent, (this.#slots.get(parent) ?? 0) + this.#rules.slotsFor(path.slice(cut + 1)));
  }
}
