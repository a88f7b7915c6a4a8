import { inodeChecksumSeed } from "../checksum.ts";
import { damaged } from "../../damaged.ts";
import type { ExtInode } from "../ext-inode.ts";
import { inodeBase } from "../inode.ts";
import { hasFlag } from "../inode-reader.ts";
import type { ChangeStage } from "../transaction.ts";
import { DirectoryBlockEditor, type FoundRecord } from "./directory-block-editor.ts";
import { IndexNode } from "./directory-index.ts";
import type { EditVolume } from "./edit-volume.ts";
import type { FileMap } from "./file-map.ts";
import { setSize, type InodeStore } from "./inode-store.ts";

/** Where a name was found. */
export interface FoundName extends FoundRecord {
  readonly logical: number;
}

/** A directory whose names are being changed: its blocks, by their number in it. */
export class OpenDirectory {
  readonly id: number;
  readonly map: FileMap;
  blockCount: number;
  isIndexed: boolean;
  /** Without an index: the blocks before this one are full. */
  firstRoomy = 0;
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;
  readonly #seed: number;

  constructor(volume: EditVolume, inodes: InodeStore, inode: ExtInode, map: FileMap) {
    const { layout } = volume;
    this.id = inode.id;
    this.map = map;
    this.blockCount = Math.ceil(inode.sizeBytes / layout.blockSizeBytes);
    this.isIndexed = hasFlag(inode, "indexedDirectory") && volume.has("dir_index");
    this.#volume = volume;
    this.#inodes = inodes;
    this.#seed = inodeChecksumSeed(layout.checksumSeed, inode.id, inode.generation);
  }

  place(logical: number): number {
    const block = this.map.blockAt(logical);
    if (block === undefined) throw damaged(`directory ${this.id}`, `its block ${logical} is missing`);
    if (block >= this.#volume.layout.blockCount) throw damaged(`directory ${this.id}`, "a block is outside");
    return block;
  }

  editorOf(bytes: Uint8Array): DirectoryBlockEditor {
    const { hasChecksums } = this.#volume.layout;
    return new DirectoryBlockEditor(bytes, { hasTail: hasChecksums, what: `directory ${this.id}` });
  }

  async block(logical: number): Promise<DirectoryBlockEditor> {
    return this.editorOf(await this.#volume.transaction.block(this.place(logical)));
  }

  async changeBlock(logical: number, stage?: ChangeStage): Promise<DirectoryBlockEditor> {
    return this.editorOf(await this.#volume.transaction.change(this.place(logical), stage));
  }

  seal(block: DirectoryBlockEditor): void {
    if (this.#volume.layout.hasChecksums) block.seal(this.#seed);
  }

  sealNode(node: IndexNode): void {
    if (this.#volume.layout.hasChecksums) node.seal(this.#seed);
  }

  nodeOf(bytes: Uint8Array, logical: number): IndexNode {
    return new IndexNode(bytes, { isRoot: logical === 0, what: `directory ${this.id}` });
  }

  async node(logical: number): Promise<IndexNode> {
    const bytes = await this.#volume.transaction.block(this.place(logical));
    return this.nodeOf(bytes, logical);
  }

  async changeNode(logical: number, stage?: ChangeStage): Promise<IndexNode> {
    const bytes = await this.#volume.transaction.change(this.place(logical), stage);
    return this.nodeOf(bytes, logical);
  }

  /** Adds a block of zeros to a this. */
  async append(): Promise<{ readonly logical: number; readonly bytes: Uint8Array }> {
    const { blockSizeBytes } = this.#volume;
    const logical = this.blockCount;
    const block = await this.#volume.takeBlock(this.map.goalFor(logical));
    const bytes = this.#volume.transaction.freshBlock(block);
    this.map.put(logical, { start: block, length: 1 });
    this.blockCount++;
    const attributeBlocks = await this.#inodes.attributeBlocks(await this.#inodes.read(this.id));
    const map = await this.map.store();
    const patchCount = this.#inodes.blockCount(map.blockCount + attributeBlocks);
    await this.#inodes.change(this.id, (inode) => {
      inodeBase.patch(inode, { block: map.block });
      setSize(inode, this.blockCount * blockSizeBytes);
      patchCount(inode);
    });
    return { logical, bytes };
  }
}
