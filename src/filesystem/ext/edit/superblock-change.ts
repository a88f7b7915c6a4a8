import { featureWords, type Feature } from "../features.ts";
import { superblock } from "../superblock.ts";

/** What is to change in a superblock with the commit. */
export class SuperblockChange {
  readonly #added = new Set<Feature>();
  readonly #removed = new Set<Feature>();
  #firstOrphan: number | undefined;
  #isPending = false;

  /** Whether there is anything that `apply` has not brought in yet. */
  get isPending(): boolean {
    return this.#isPending;
  }

  adds(feature: Feature): boolean {
    return this.#added.has(feature);
  }

  addFeature(feature: Feature): void {
    this.#added.add(feature);
    this.#isPending = true;
  }

  removeFeature(feature: Feature): void {
    this.#removed.add(feature);
    this.#isPending = true;
  }

  /** Has the list of orphans begin with this inode; 0 where there is none left. */
  setFirstOrphan(id: number): void {
    this.#firstOrphan = id;
    this.#isPending = true;
  }

  apply(bytes: Uint8Array): void {
    const [added, removed] = [featureWords(this.#added), featureWords(this.#removed)];
    const changed = (set: keyof typeof added) => ((superblock.get(bytes, set) | added[set]) & ~removed[set]) >>> 0;
    superblock.patch(bytes, {
      compatible: changed("compatible"),
      readOnlyCompatible: changed("readOnlyCompatible"),
      ...(this.#firstOrphan === undefined ? {} : { lastOrphan: this.#firstOrphan }),
    });
    this.#isPending = false;
  }
}
