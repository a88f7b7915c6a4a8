import { damaged } from "../../damaged.ts";
import { hasBlocks } from "../block-runs.ts";
import type { ExtInode } from "../ext-inode.ts";
import { inodeBase } from "../inode.ts";
import { hasFlag, inodeBytes } from "../inode-reader.ts";
import type { AttributeStore } from "./attribute-store.ts";
import type { EditVolume } from "./edit-volume.ts";
import { FileMap } from "./file-map.ts";
import type { InodeStore } from "./inode-store.ts";

/** Takes away files that no name leads to any more, with all that is theirs alone. */
export class FileRemover {
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;
  readonly #attributes: AttributeStore;

  constructor(volume: EditVolume, inodes: InodeStore, attributes: AttributeStore) {
    this.#volume = volume;
    this.#inodes = inodes;
    this.#attributes = attributes;
  }

  /** Gives everything back: content, map, attributes with their values, the inode. */
  async remove(inode: ExtInode): Promise<void> {
    await this.#volume.quota?.noteChange(inode.id, await inodeBytes(this.#volume.source, inode.id));
    if (hasBlocks(this.#volume.layout, inode)) (await FileMap.read(this.#volume, inode)).release();
    const values = await this.#attributes.release(inode);
    await this.#inodes.erase(inode.id); // first, so that values which lead back to it find nothing there
    this.#volume.releaseInode(inode.id, inode.kind === "directory");
    for (const value of values) await this.#dropValue(value);
  }

  /** One attribute less has its value in this file, which other files may use too. */
  async #dropValue(id: number): Promise<void> {
    const inode = await this.#inodes.read(id);
    if (!hasFlag(inode, "xattrInode")) throw damaged(`inode ${id}`, "it is not the value of an attribute");
    // The users are counted in two fields that such a file has no other use for: the upper half in one of its times.
    const raw = await inodeBytes(this.#volume.source, id);
    const low = inodeBase.get(raw, "versionLow");
    const high = inodeBase.get(raw, "changeTime");
    if (low === 0 && high === 0) throw damaged(`inode ${id}`, "it is the value of an attribute, and counts no user");
    if (low === 1 && high === 0) {
      await this.remove(inode);
      return;
    }
    const left = { versionLow: low === 0 ? 2 ** 32 - 1 : low - 1, changeTime: low === 0 ? high - 1 : high };
    await this.#inodes.change(id, (bytes) => inodeBase.patch(bytes, left), "deletion");
  }
}
