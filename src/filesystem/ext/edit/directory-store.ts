import { Failure } from "../../../base/index.ts";
import { encodeName, printableName } from "../../../bytes/index.ts";
import { inodeChecksumSeed } from "../checksum.ts";
import { readAttributes } from "../attribute-reader.ts";
import { damaged } from "../../damaged.ts";
import { directoryRecords, inlineStretches } from "../directory-reader.ts";
import { directoryRecordLength, directoryTailBytes } from "../directory-entry.ts";
import type { ExtInode } from "../ext-inode.ts";
import { inodeBase, inodeFlag } from "../inode.ts";
import type { AttributeStore } from "./attribute-store.ts";
import {
  DirectoryBlockEditor,
  endsWithTail,
  isDot,
  type FoundRecord,
  type NewRecord,
} from "./directory-block-editor.ts";
import { DirectoryIndexEditor } from "./directory-index-editor.ts";
import type { EditVolume } from "./edit-volume.ts";
import { FileMap } from "./file-map.ts";
import { setSize, type InodeStore } from "./inode-store.ts";
import { OpenDirectory, type FoundName } from "./open-directory.ts";

/** So many directories are kept open for the next change. */
const openLimit = 256;

/** The names in directories, added, taken away and redirected in place. */
export class DirectoryStore {
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;
  readonly #attributes: AttributeStore;
  readonly #index: DirectoryIndexEditor;
  readonly #open = new Map<number, OpenDirectory>();

  constructor(volume: EditVolume, inodes: InodeStore, attributes: AttributeStore) {
    this.#volume = volume;
    this.#inodes = inodes;
    this.#attributes = attributes;
    this.#index = new DirectoryIndexEditor(volume, inodes);
  }

  async find(id: number, name: Uint8Array): Promise<FoundName | undefined> {
    const directory = await this.#directory(id);
    return directory.isIndexed ? this.#index.find(directory, name) : this.#findLinearly(directory, name);
  }

  /** Adds a name that is not there. Throws `failed` where the index can hold no more. */
  async add(id: number, record: NewRecord): Promise<void> {
    const directory = await this.#directory(id);
    if (!directory.isIndexed && (await this.#addLinearly(directory, record))) return;
    if (!directory.isIndexed) await this.#index.make(directory);
    await this.#index.add(directory, record);
  }

  async remove(id: number, found: FoundName): Promise<void> {
    const directory = await this.#directory(id);
    const block = await directory.changeBlock(found.logical, "unlinking");
    block.remove(found);
    directory.seal(block);
    directory.firstRoomy = Math.min(directory.firstRoomy, found.logical);
  }

  /** Lets a name stand for another file. */
  async redirect(id: number, found: FoundName, to: Pick<NewRecord, "inode" | "fileType">): Promise<void> {
    const directory = await this.#directory(id);
    const block = await directory.changeBlock(found.logical, "unlinking");
    block.redirect(found.at, to);
    directory.seal(block);
  }

  /** Whether there is nothing in a directory but `.` and `..`. */
  async isEmpty(id: number): Promise<boolean> {
    const directory = await this.#directory(id);
    for (let logical = 0; logical < directory.blockCount; logical++) {
      // The blocks of an index look like blocks with one empty record; they end in another way.
      const bytes = await this.#volume.transaction.block(directory.place(logical));
      const hasTail = this.#volume.layout.hasChecksums && endsWithTail(bytes);
      const block = new DirectoryBlockEditor(bytes, { hasTail, what: `directory ${id}` });
      if (block.records().some(({ name }) => !isDot(name))) return false;
    }
    return true;
  }

  /** What `..` stands for. */
  async parentOf(id: number): Promise<number> {
    const found = await this.#parentRecord(await this.#directory(id));
    return found.inode;
  }

  async setParent(id: number, parent: number): Promise<void> {
    const directory = await this.#directory(id);
    const { at } = await this.#parentRecord(directory);
    const bytes = await this.#volume.transaction.change(directory.place(0));
    const block = directory.editorOf(bytes);
    block.redirect(at, { inode: parent, fileType: this.#volume.has("filetype") ? 2 : 0 });
    if (directory.isIndexed) directory.sealNode(directory.nodeOf(bytes, 0));
    else directory.seal(block);
  }

  /** One block with `.`, `..` and these names. Throws where they do not fit. */
  layOut(inode: Pick<ExtInode, "id" | "generation">, parent: number, records: readonly NewRecord[]): Uint8Array {
    const fileType = this.#volume.has("filetype") ? 2 : 0;
    const all = [
      { name: encodeName("."), inode: inode.id, fileType },
      { name: encodeName(".."), inode: parent, fileType },
      ...records,
    ];
    const { layout } = this.#volume;
    const bytes = new Uint8Array(layout.blockSizeBytes);
    const block = new DirectoryBlockEditor(bytes, { hasTail: layout.hasChecksums, what: `directory ${inode.id}` });
    const needed = all.reduce((sum, { name }) => sum + directoryRecordLength(name.length), 0);
    const room = layout.blockSizeBytes - (layout.hasChecksums ? directoryTailBytes : 0);
    if (needed > room) throw damaged(`directory ${inode.id}`, "its names in the inode do not fit a block");
    block.setRecords(all);
    if (layout.hasChecksums) block.seal(inodeChecksumSeed(layout.checksumSeed, inode.id, inode.generation));
    return bytes;
  }

  /** The names of a directory that stand in its inode move to a block. */
  async expand(inode: ExtInode): Promise<void> {
    await this.#attributes.refuseUntouchable(inode);
    const [first] = inlineStretches(inode);
    const parent =
      first === undefined ? 0 : new DataView(inode.block.buffer, inode.block.byteOffset).getUint32(0, true);
    const records: { name: Uint8Array; inode: number; fileType: number }[] = [];
    for await (const some of directoryRecords(this.#volume.source, inode)) {
      for (const { name, inode: id, fileType } of some)
        records.push({ name: Uint8Array.from(name), inode: id, fileType });
    }
    const xattrs = (await readAttributes(this.#volume.source, inode)) ?? new Map<string, Uint8Array>();
    const map = FileMap.empty(this.#volume, inode);
    const block = await this.#volume.takeBlock(this.#volume.goalOf(inode.id));
    this.#volume.transaction.freshBlock(block).set(this.layOut(inode, parent, records));
    map.put(0, { start: block, length: 1 });
    const stored = await map.store();
    const patchCount = this.#inodes.blockCount(stored.blockCount + (await this.#inodes.attributeBlocks(inode)));
    await this.#inodes.change(inode.id, (bytes) => {
      const flags = inodeBase.get(bytes, "flags") & ~inodeFlag.inlineData;
      inodeBase.patch(bytes, { block: stored.block, flags: (flags | stored.flag) >>> 0 });
      setSize(bytes, this.#volume.blockSizeBytes);
      patchCount(bytes);
    });
    await this.#attributes.replace(await this.#inodes.read(inode.id), xattrs);
  }

  /** A directory has gone, or its map was changed by others. */
  forget(id: number): void {
    this.#open.delete(id);
  }

  async #directory(id: number): Promise<OpenDirectory> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const inode = await this.#inodes.read(id);
    const directory = new OpenDirectory(this.#volume, this.#inodes, inode, await FileMap.read(this.#volume, inode));
    if (this.#open.size >= openLimit) this.#open.clear();
    this.#open.set(id, directory);
    return directory;
  }

  async #parentRecord(directory: OpenDirectory): Promise<FoundRecord> {
    const { transaction, layout } = this.#volume;
    // In the root of an index the record of `..` reaches over the index to the end of the block.
    const bytes = await transaction.block(directory.place(0));
    const block = new DirectoryBlockEditor(bytes, {
      hasTail: layout.hasChecksums && !directory.isIndexed,
      what: `directory ${directory.id}`,
    });
    const found = block.find(encodeName(".."));
    if (found === undefined) throw damaged(`directory ${directory.id}`, "it has no ..");
    return found;
  }

  async #findLinearly(directory: OpenDirectory, name: Uint8Array): Promise<FoundName | undefined> {
    for (let logical = 0; logical < directory.blockCount; logical++) {
      const found = (await directory.block(logical)).find(name);
      if (found !== undefined) return { ...found, logical };
    }
    return undefined;
  }

  /** False where the directory had better become an indexed one first. */
  async #addLinearly(directory: OpenDirectory, record: NewRecord): Promise<boolean> {
    for (let logical = directory.firstRoomy; logical < directory.blockCount; logical++) {
      if ((await directory.block(logical)).hasRoomFor(record.name.length)) {
        const block = await directory.changeBlock(logical);
        block.insert(record);
        directory.seal(block);
        return true;
      }
      if (record.name.length <= usualNameBytes && logical === directory.firstRoomy) directory.firstRoomy++;
    }
    if (directory.blockCount === 1 && this.#index.canIndex) return false;
    const { bytes } = await directory.append();
    const block = directory.editorOf(bytes);
    block.setRecords([record]);
    directory.seal(block);
    return true;
  }
}

/** A block without room for a name of this length is full: what is left of it is not worth the search. */
const usualNameBytes = 48;

/** Refuses what is no name of a file. */
export function refuseBadName(name: string): Uint8Array {
  const bytes = encodeName(name);
  const why =
    bytes.length === 0
      ? "it is empty"
      : bytes.length > 255
        ? `it has ${bytes.length} bytes, 255 are the most`
        : isDot(bytes)
          ? "it is kept for the directory itself"
          : bytes.includes(0x2f) || bytes.includes(0)
            ? "it holds a / or a NUL"
            : undefined;
  if (why !== undefined) throw new Failure("failed", `cannot use the name "${printableName(name)}": ${why}`);
  return bytes;
}
