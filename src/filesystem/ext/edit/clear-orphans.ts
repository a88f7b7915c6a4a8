import { readBytes, type BlockDevice } from "../../../device/index.ts";
import type { Timestamp } from "../../../tree/index.ts";
import { Committer } from "../commit.ts";
import { damaged } from "../../damaged.ts";
import { hasFeature } from "../features.ts";
import { inodeBase } from "../inode.ts";
import { hasFlag, inodeBytes, readInode, seedOfInode } from "../inode-reader.ts";
import { openJournal } from "../journal-log.ts";
import { JournalWriter } from "../journal-writer.ts";
import { layoutOf, type ExtLayout } from "../layout.ts";
import { dropOrphans, orphanBlocks, orphansIn } from "../orphan-file.ts";
import { ExtSource } from "../source.ts";
import { superblock, superblockAt } from "../superblock.ts";
import { SuperblockWriter } from "../superblock-writer.ts";
import { AttributeStore } from "./attribute-store.ts";
import { EditVolume } from "./edit-volume.ts";
import { FileRemover } from "./file-remover.ts";
import { FileStore } from "./file-store.ts";
import { InodeStore } from "./inode-store.ts";

/** As many orphans go in one transaction at most. */
const orphansAtOnce = 1000;

/**
 * Deletes the files that lost their last name while they were open, and finishes the cuts that the machine did not
 * come to the end of when it stopped, as mounting would. Gives the layout that holds then. Each transaction takes some
 * of them off the list, so that it can be cut off anywhere. Throws `damaged` where the list is not sound, before
 * anything is written.
 */
export async function clearOrphans(device: BlockDevice, layout: ExtLayout, now: Timestamp): Promise<ExtLayout> {
  const hasOrphanFile = hasFeature(layout.features, "orphan_file") && hasFeature(layout.features, "orphan_present");
  if (layout.record.lastOrphan === 0 && !hasOrphanFile) return layout;
  const volume = await EditVolume.open(device, layout, now);
  const listed = await listedOrphans(volume);
  const filed = hasOrphanFile ? await filedOrphans(volume, new Set(listed)) : [];
  const journal = hasFeature(layout.features, "has_journal")
    ? new JournalWriter(device, await openJournal(new ExtSource(device, layout)))
    : undefined;
  const committer = new Committer(volume.transaction, await SuperblockWriter.open(device), journal);
  await new OrphanClearing(volume, committer).run({ listed, filed, hasOrphanFile });
  return layoutOf(await readBytes(device, superblockAt, superblock.sizeBytes));
}

/** The list that leads from the superblock through the inodes themselves. */
async function listedOrphans(volume: EditVolume): Promise<number[]> {
  const orphans = new Set<number>();
  for (let id = volume.layout.record.lastOrphan; id !== 0;) {
    await refuseImpossible(volume, id);
    if (orphans.has(id)) throw damaged(listName, `inode ${id} is on it twice`);
    orphans.add(id);
    id = inodeBase.get(await inodeBytes(volume.source, id), "deletionTime"); // holds the next one meanwhile
  }
  return [...orphans];
}

async function filedOrphans(volume: EditVolume, listed: ReadonlySet<number>): Promise<number[]> {
  const orphans = new Set<number>();
  for await (const { bytes } of orphanBlocks(volume.source)) {
    for (const id of orphansIn(bytes)) {
      await refuseImpossible(volume, id);
      if (orphans.has(id) || listed.has(id)) throw damaged(listName, `inode ${id} is on it twice`);
      orphans.add(id);
    }
  }
  return [...orphans];
}

const listName = "the list of files that wait to be deleted";

async function refuseImpossible(volume: EditVolume, id: number): Promise<void> {
  const { firstInode, inodeCount, features, record } = volume.layout;
  if (id < firstInode || id > inodeCount) throw damaged(listName, `inode ${id} is on it, which no file can have`);
  const isOrphanFile = hasFeature(features, "orphan_file") && id === record.orphanFileInode;
  if (isOrphanFile) throw damaged(listName, `inode ${id} is on it, which is the orphan file`);
  if (!(await volume.isInodeInUse(id))) throw damaged(listName, `inode ${id} is on it, which is not in use`);
}

interface OrphanLists {
  readonly listed: readonly number[];
  readonly filed: readonly number[];
  readonly hasOrphanFile: boolean;
}

class OrphanClearing {
  readonly #volume: EditVolume;
  readonly #committer: Committer;
  readonly #inodes: InodeStore;
  readonly #files: FileStore;
  readonly #remover: FileRemover;

  constructor(volume: EditVolume, committer: Committer) {
    this.#volume = volume;
    this.#committer = committer;
    this.#inodes = new InodeStore(volume);
    const attributes = new AttributeStore(volume, this.#inodes);
    this.#files = new FileStore(volume, this.#inodes, attributes);
    this.#remover = new FileRemover(volume, this.#inodes, attributes);
  }

  async run({ listed, filed, hasOrphanFile }: OrphanLists): Promise<void> {
    const { superblockChange } = this.#volume;
    for (let first = 0; first < listed.length; first += orphansAtOnce) {
      for (const id of listed.slice(first, first + orphansAtOnce)) await this.#clear(id);
      superblockChange.setFirstOrphan(listed[first + orphansAtOnce] ?? 0);
      if (first + orphansAtOnce < listed.length) await this.#commit();
    }
    for (let first = 0; first < filed.length; first += orphansAtOnce) {
      const ids = new Set(filed.slice(first, first + orphansAtOnce));
      for (const id of ids) await this.#clear(id);
      await this.#takeOutOfFile(ids);
      if (first + orphansAtOnce < filed.length) await this.#commit();
    }
    if (hasOrphanFile) superblockChange.removeFeature("orphan_present");
    await this.#commit();
  }

  async #commit(): Promise<void> {
    await this.#volume.prepare();
    await this.#committer.commit(this.#volume.now);
  }

  /** One that still has names was to be cut to its size. */
  async #clear(id: number): Promise<void> {
    const inode = await this.#inodes.read(id);
    if (inode.links === 0) {
      await this.#remover.remove(inode);
      return;
    }
    if (inode.kind === "file") {
      if (hasFlag(inode, "verity")) throw damaged(listName, `inode ${id} is on it, which is sealed (verity)`);
      await this.#files.finishCut(inode);
    }
    await this.#inodes.change(id, (bytes) => inodeBase.patch(bytes, { deletionTime: 0 }));
  }

  async #takeOutOfFile(ids: ReadonlySet<number>): Promise<void> {
    const { layout, source, transaction } = this.#volume;
    const seed = layout.hasChecksums
      ? seedOfInode(layout, await readInode(source, layout.record.orphanFileInode))
      : undefined;
    const places: number[] = [];
    for await (const { physical, bytes } of orphanBlocks(source)) {
      if (orphansIn(bytes).some((id) => ids.has(id))) places.push(physical);
    }
    for (const physical of places) dropOrphans(await transaction.change(physical), ids, { physical, seed });
  }
}
