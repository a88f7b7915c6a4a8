import type { Timestamp } from "../../../tree/index.ts";
import { rawAttributes } from "../attribute-list.ts";
import type { ExtInode } from "../ext-inode.ts";
import { encodeInode, blockCountField, type InodeRecord } from "../inode-encoder.ts";
import { encodeTime, inodeBase, inodeBaseBytes, inodeExtra, inodeFlag, kindOfMode } from "../inode.ts";
import { extraSizeOf, readInode } from "../inode-reader.ts";
import { sealInode } from "../seal-inode.ts";
import type { ChangeStage } from "../transaction.ts";
import type { EditVolume } from "./edit-volume.ts";

/** The bytes of one inode, to be patched. */
export type InodePatch = (bytes: Uint8Array) => void;

export type TimeField = "modified" | "accessed" | "changed" | "created";

const timeFields = {
  modified: ["modifyTime", "modifyTimeExtra"],
  accessed: ["accessTime", "accessTimeExtra"],
  changed: ["changeTime", "changeTimeExtra"],
} as const;

/** The inodes of a file system open for changes. */
export class InodeStore {
  readonly #volume: EditVolume;

  constructor(volume: EditVolume) {
    this.#volume = volume;
  }

  read(id: number): Promise<ExtInode> {
    return readInode(this.#volume.source, id);
  }

  /** Changes an inode; what the patch leaves alone stays. */
  async change(id: number, patch: InodePatch, stage?: ChangeStage): Promise<void> {
    const { inodeSizeBytes } = this.#volume.layout;
    const { block, at } = await this.#volume.inodePlace(id);
    const bytes = (await this.#volume.transaction.change(block, stage)).subarray(at, at + inodeSizeBytes);
    await this.#volume.quota?.noteChange(id, bytes);
    patch(bytes);
    sealInode(this.#volume.layout, id, bytes);
    this.#volume.source.inodes.delete(id);
  }

  /** Fills a new inode. Its generation tells it from the file that had its number before. */
  async fill(id: number, record: InodeRecord): Promise<void> {
    await this.change(id, (bytes) => {
      const generation = (inodeBase.get(bytes, "generation") + 1) >>> 0;
      encodeInode(this.#volume, { bytes, at: 0 }, record);
      inodeBase.patch(bytes, { generation });
    });
  }

  /** Empties an inode that no name leads to any more. */
  async erase(id: number): Promise<void> {
    const deletionTime = this.#volume.now.seconds >>> 0;
    const erase: InodePatch = (bytes) => {
      const generation = inodeBase.get(bytes, "generation");
      bytes.fill(0);
      inodeBase.patch(bytes, { generation, deletionTime });
    };
    await this.change(id, erase, "deletion");
  }

  /** How many blocks an inode counts besides its content and map: those of its attributes and of their values. */
  async attributeBlocks(inode: ExtInode): Promise<number> {
    const ownBlock = inode.xattrBlock === 0 ? 0 : 1;
    if (!this.#volume.has("ea_inode")) return ownBlock;
    const { blockSizeBytes } = this.#volume;
    const values = (await rawAttributes(this.#volume.source, inode)).filter(({ valueInode }) => valueInode !== 0);
    return values.reduce((sum, { valueSize }) => sum + Math.ceil(valueSize / blockSizeBytes), ownBlock);
  }

  /** A patch that sets how many blocks a file has in all, its map and attributes included. */
  blockCount(count: number): InodePatch {
    const field = blockCountField(this.#volume, count);
    return (bytes) => {
      const flags = (inodeBase.get(bytes, "flags") & ~inodeFlag.huge) | field.flag;
      inodeBase.patch(bytes, {
        blockCountLow: field.count % 2 ** 32,
        ...(this.#volume.has("huge_file") ? { blockCountHigh: Math.floor(field.count / 2 ** 32) } : {}),
        flags: flags >>> 0,
      });
    };
  }
}

/** Sets a time as exactly as the inode has room for. */
export function setTime(bytes: Uint8Array, field: TimeField, time: Timestamp): void {
  const extraSize = extraSizeOf(bytes);
  const extraBytes = bytes.subarray(inodeBaseBytes);
  const hasRoom = (name: keyof typeof inodeExtra.fields) => {
    const [at, { sizeBytes }] = inodeExtra.fields[name];
    return extraSize >= at + sizeBytes;
  };
  if (field === "created") {
    if (!hasRoom("creationTimeExtra")) return;
    const { seconds, extra } = encodeTime(time, true);
    inodeExtra.patch(extraBytes, { creationTime: seconds, creationTimeExtra: extra });
    return;
  }
  const [secondsField, extraField] = timeFields[field];
  const hasExtra = hasRoom(extraField);
  const { seconds, extra } = encodeTime(time, hasExtra);
  inodeBase.patch(bytes, { [secondsField]: seconds });
  if (hasExtra) inodeExtra.patch(extraBytes, { [extraField]: extra });
}

/** Sets the size of a file or directory. */
export function setSize(bytes: Uint8Array, sizeBytes: number): void {
  const isDirectory = kindOfMode(inodeBase.get(bytes, "mode")) === "directory";
  inodeBase.patch(bytes, {
    sizeLow: sizeBytes % 2 ** 32,
    ...(isDirectory && sizeBytes < 2 ** 32 ? {} : { sizeHigh: Math.floor(sizeBytes / 2 ** 32) }),
  });
}
