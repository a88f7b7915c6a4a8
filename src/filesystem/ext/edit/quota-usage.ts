import { rawAttributes } from "../attribute-list.ts";
import { inodeBase, rootInode } from "../inode.ts";
import { decodeInode, hasFlag, inodeBytes } from "../inode-reader.ts";
import type { EditVolume } from "./edit-volume.ts";
import { InodeStore } from "./inode-store.ts";
import { QuotaFile, type UsageChange } from "./quota-file.ts";

interface Usage extends UsageChange {
  readonly uid: number;
  readonly gid: number;
}

/** Keeps true what a file system says of the usage of each owner (`quota`), by comparing inodes before and after. */
export class QuotaUsage {
  readonly #volume: EditVolume;
  /** What the inodes that were changed counted for before; undefined where there was no file. */
  readonly #before = new Map<number, Usage | undefined>();
  readonly #released = new Set<number>();

  constructor(volume: EditVolume) {
    this.#volume = volume;
  }

  /** An inode is about to change, or to lose its attributes. */
  async noteChange(id: number, bytes: Uint8Array): Promise<void> {
    if (!this.#before.has(id)) this.#before.set(id, await this.#usageOf(id, bytes));
  }

  /** An inode is in use from now on. */
  noteTaken(id: number): void {
    this.#before.set(id, undefined);
  }

  /** An inode is no longer in use. */
  noteReleased(id: number): void {
    this.#released.add(id);
  }

  /** Brings the changes into the files of usage. */
  async settle(): Promise<void> {
    if (this.#before.size === 0) return;
    const [users, groups] = [new Sums(), new Sums()];
    for (const [id, before] of this.#before) {
      const isGone = this.#released.has(id);
      const after = isGone ? undefined : await this.#usageOf(id, await inodeBytes(this.#volume.source, id));
      for (const [usage, sign] of [[before, -1] as const, [after, 1] as const]) {
        if (usage === undefined) continue;
        const change = { spaceBytes: sign * usage.spaceBytes, inodes: sign * usage.inodes };
        users.add(usage.uid, change);
        groups.add(usage.gid, change);
      }
    }
    const { userQuotaInode, groupQuotaInode } = this.#volume.layout.record;
    await this.#bring(users, { id: userQuotaInode, kind: "user" });
    await this.#bring(groups, { id: groupQuotaInode, kind: "group" });
    this.#before.clear();
    this.#released.clear();
  }

  async #bring(sums: Sums, file: { readonly id: number; readonly kind: "user" | "group" }): Promise<void> {
    const changes = sums.changes();
    if (file.id === 0 || changes.length === 0) return;
    const quota = await QuotaFile.open(this.#volume, new InodeStore(this.#volume), file);
    for (const [owner, change] of changes) await quota.change(owner, change);
    await quota.finish();
  }

  /** What a file counts for: of values that are files of their own each user, as if it had them alone. */
  async #usageOf(id: number, bytes: Uint8Array): Promise<Usage | undefined> {
    if (!this.#isCounted(id) || inodeBase.get(bytes, "mode") === 0) return undefined;
    const inode = decodeInode(this.#volume.layout, id, Uint8Array.from(bytes));
    if (hasFlag(inode, "xattrInode")) return undefined;
    const attributes = this.#volume.has("ea_inode") ? await rawAttributes(this.#volume.source, inode) : [];
    const values = attributes.filter(({ valueInode }) => valueInode !== 0);
    return { uid: inode.uid, gid: inode.gid, spaceBytes: inode.allocatedBytes, inodes: 1 + values.length };
  }

  /** Nobody's are the file system's own files. */
  #isCounted(id: number): boolean {
    const { firstInode, record } = this.#volume.layout;
    const own = [record.userQuotaInode, record.groupQuotaInode, record.orphanFileInode];
    return id === rootInode || (id >= firstInode && !own.includes(id));
  }
}

class Sums {
  readonly #sums = new Map<number, UsageChange>();

  add(owner: number, { spaceBytes, inodes }: UsageChange): void {
    const sum = this.#sums.get(owner) ?? { spaceBytes: 0, inodes: 0 };
    this.#sums.set(owner, { spaceBytes: sum.spaceBytes + spaceBytes, inodes: sum.inodes + inodes });
  }

  changes(): [number, UsageChange][] {
    return [...this.#sums].filter(([, { spaceBytes, inodes }]) => spaceBytes !== 0 || inodes !== 0);
  }
}
