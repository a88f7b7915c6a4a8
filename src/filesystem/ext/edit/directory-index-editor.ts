import { Failure } from "../../../base/index.ts";
import { damaged } from "../../damaged.ts";
import { directoryRecordLength, indexLevelLimit, indexRootInfo, indexRootInfoAt } from "../directory-entry.ts";
import { hashName } from "../directory-hash.ts";
import { hashVersionOf } from "../directory-lookup.ts";
import { inodeBase, inodeFlag } from "../inode.ts";
import { DirectoryBlockEditor, isDot, type NewRecord } from "./directory-block-editor.ts";
import { IndexNode } from "./directory-index.ts";
import type { EditVolume } from "./edit-volume.ts";
import type { InodeStore } from "./inode-store.ts";
import type { FoundName, OpenDirectory } from "./open-directory.ts";

interface IndexStep {
  readonly logical: number;
  readonly node: IndexNode;
  position: number;
}

/** Finds and adds names by the hash index of a directory, which grows as it has to. */
export class DirectoryIndexEditor {
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;

  constructor(volume: EditVolume, inodes: InodeStore) {
    this.#volume = volume;
    this.#inodes = inodes;
  }

  /** Whether directories can become indexed here: the file system says so, with a hash that is known. */
  get canIndex(): boolean {
    const { defaultHashVersion, hashSeed } = this.#volume.layout.record;
    const version = hashVersionOf(this.#volume.source, defaultHashVersion);
    return this.#volume.has("dir_index") && hashName(new Uint8Array(1), version, hashSeed) !== undefined;
  }

  /** A directory of one full block becomes one with an index: its names move to a leaf. */
  async make(directory: OpenDirectory): Promise<void> {
    const { layout } = this.#volume;
    const { bytes: leafBytes, logical: leaf } = await directory.append();
    const first = await directory.changeBlock(0, "unlinking");
    const records = first.records();
    const [dot, dotdot] = records;
    if (dot === undefined || dotdot === undefined || !isDot(dot.name) || !isDot(dotdot.name)) {
      throw damaged(`directory ${directory.id}`, "it does not begin with . and ..");
    }
    const leafBlock = directory.editorOf(leafBytes);
    leafBlock.setRecords(records.slice(2));
    directory.seal(leafBlock);
    const what = `directory ${directory.id}`;
    new DirectoryBlockEditor(first.bytes, { hasTail: false, what }).setRecords([dot, dotdot]);
    const root = IndexNode.makeRoot(first.bytes, {
      hasTail: layout.hasChecksums,
      what,
      hashVersion: layout.record.defaultHashVersion,
      leaf,
    });
    directory.sealNode(root);
    directory.isIndexed = true;
    await this.#inodes.change(directory.id, (inode) => {
      inodeBase.patch(inode, { flags: (inodeBase.get(inode, "flags") | inodeFlag.indexedDirectory) >>> 0 });
    });
  }

  /** The way through the index to the leaf for a hash. */
  async #pathTo(directory: OpenDirectory, hash: number): Promise<IndexStep[]> {
    const root = await directory.node(0);
    const levels = this.#levelsOf(directory, root);
    const path: IndexStep[] = [{ logical: 0, node: root, position: root.positionOf(hash) }];
    for (let level = 0; level < levels; level++) {
      const above = path[level];
      if (above === undefined) break;
      const logical = above.node.childAt(above.position);
      const node = await directory.node(logical);
      path.push({ logical, node, position: node.positionOf(hash) });
    }
    return path;
  }

  #levelsOf(directory: OpenDirectory, root: IndexNode): number {
    const info = indexRootInfo.decode(root.bytes, indexRootInfoAt);
    if (info.reserved !== 0 || info.infoLength !== indexRootInfo.sizeBytes || info.indirectLevels > this.#levelLimit) {
      throw damaged(`directory ${directory.id}`, "the root of its index is broken");
    }
    return info.indirectLevels;
  }

  get #levelLimit(): number {
    return this.#volume.has("large_dir") ? indexLevelLimit.largeDirectory : indexLevelLimit.plain;
  }

  async #rootHash(directory: OpenDirectory, name: Uint8Array): Promise<number> {
    const root = await directory.node(0);
    const version = indexRootInfo.get(root.bytes, "hashVersion", indexRootInfoAt);
    const { source, layout } = this.#volume;
    const hash = hashName(name, hashVersionOf(source, version), layout.record.hashSeed)?.major;
    if (hash === undefined) {
      throw new Failure(
        "unsupported",
        `cannot change directory ${directory.id}: its index has hashes of kind ${version}`,
      );
    }
    return hash;
  }

  /** Names of one hash may go on in the next leaf, whose first hash then has its lowest bit set. */
  async find(directory: OpenDirectory, name: Uint8Array): Promise<FoundName | undefined> {
    if (isDot(name)) return undefined;
    const hash = await this.#rootHash(directory, name);
    const path = await this.#pathTo(directory, hash);
    for (let looked = 0; looked < directory.blockCount; looked++) {
      const last = path.at(-1);
      if (last === undefined) return undefined;
      const logical = last.node.childAt(last.position);
      const found = (await directory.block(logical)).find(name);
      if (found !== undefined) return { ...found, logical };
      const next = await this.#stepToNextLeaf(directory, path);
      if (next === undefined || (next & 1) === 0 || (next & ~1) >>> 0 !== hash) return undefined;
    }
    throw damaged(`directory ${directory.id}`, "its index leads in a circle");
  }

  /** Moves the path to the next leaf and gives the hash from which on it holds names; undefined after the last. */
  async #stepToNextLeaf(directory: OpenDirectory, path: IndexStep[]): Promise<number | undefined> {
    let level = path.length - 1;
    let step = path[level];
    while (step !== undefined && step.position + 1 >= step.node.count) step = path[--level];
    if (step === undefined) return undefined;
    step.position++;
    const hash = step.node.hashAt(step.position);
    for (; level + 1 < path.length; level++) {
      const logical: number = step.node.childAt(step.position);
      step = { logical, node: await directory.node(logical), position: 0 };
      path[level + 1] = step;
    }
    return hash;
  }

  /** Adds a name; throws `failed` where the index can hold no more. */
  async add(directory: OpenDirectory, record: NewRecord): Promise<void> {
    const hash = await this.#rootHash(directory, record.name);
    for (let splits = 0; splits <= directory.blockCount; splits++) {
      const path = await this.#pathTo(directory, hash);
      const last = path.at(-1);
      if (last === undefined) break;
      const logical = last.node.childAt(last.position);
      if ((await directory.block(logical)).hasRoomFor(record.name.length)) {
        const block = await directory.changeBlock(logical);
        block.insert(record);
        directory.seal(block);
        return;
      }
      if (last.node.isFull) await this.#makeRoom(directory, path);
      else await this.#splitLeaf(directory, last, logical);
    }
    throw damaged(`directory ${directory.id}`, "its index does not lead to room for a name");
  }

  /** Moves the upper half of a leaf, by hash, to a new one. */
  async #splitLeaf(directory: OpenDirectory, above: IndexStep, logical: number): Promise<void> {
    const old = await directory.block(logical);
    const hashed: { readonly record: NewRecord; readonly hash: number }[] = [];
    for (const record of old.records()) {
      hashed.push({ record, hash: await this.#rootHash(directory, record.name) });
    }
    hashed.sort((a, b) => a.hash - b.hash);
    const middle = middleOf(hashed.map(({ record }) => directoryRecordLength(record.name.length)));
    const first = hashed[middle];
    if (first === undefined || middle === 0) throw damaged(`directory ${directory.id}`, "a full leaf has no two names");
    const continues = hashed[middle - 1]?.hash === first.hash ? 1 : 0;

    const { logical: newLogical, bytes } = await directory.append();
    const fresh = directory.editorOf(bytes);
    fresh.setRecords(hashed.slice(middle).map(({ record }) => record));
    directory.seal(fresh);
    const shrunk = await directory.changeBlock(logical, "unlinking");
    shrunk.setRecords(hashed.slice(0, middle).map(({ record }) => record));
    directory.seal(shrunk);
    const node = await directory.changeNode(above.logical);
    node.insertAfter(above.position, first.hash + continues, newLogical);
    directory.sealNode(node);
  }

  /** Splits the highest full node on the way whose parent has room, or lets the index grow by a level. */
  async #makeRoom(directory: OpenDirectory, path: readonly IndexStep[]): Promise<void> {
    let level = path.length - 1;
    while (level > 0 && path[level - 1]?.node.isFull === true) level--;
    const full = path[level];
    const above = path[level - 1];
    if (full === undefined) return;
    if (above === undefined) return this.#addLevel(directory, path.length - 1);
    const { hasChecksums } = this.#volume.layout;
    const { logical, bytes } = await directory.append();
    const upper = IndexNode.make(bytes, { hasTail: hasChecksums, what: `directory ${directory.id}` });
    const lower = await directory.changeNode(full.logical, "unlinking");
    const hash = lower.moveTo(upper, lower.count >>> 1);
    directory.sealNode(lower);
    directory.sealNode(upper);
    const parent = await directory.changeNode(above.logical);
    parent.insertAfter(above.position, hash, logical);
    directory.sealNode(parent);
  }

  async #addLevel(directory: OpenDirectory, levels: number): Promise<void> {
    if (levels >= this.#levelLimit) {
      throw new Failure("failed", `cannot add a name to directory ${directory.id}: its index is full`, {
        hint: "spread the files over several directories",
      });
    }
    const { hasChecksums } = this.#volume.layout;
    const { logical, bytes } = await directory.append();
    const node = IndexNode.make(bytes, { hasTail: hasChecksums, what: `directory ${directory.id}` });
    const root = await directory.changeNode(0, "unlinking");
    root.moveTo(node, 0);
    root.leadTo(logical);
    indexRootInfo.patch(root.bytes, { indirectLevels: levels + 1 }, indexRootInfoAt);
    directory.sealNode(node);
    directory.sealNode(root);
  }
}

/** The index from which on records take about half of what all take. */
function middleOf(lengths: readonly number[]): number {
  const half = lengths.reduce((sum, length) => sum + length, 0) / 2;
  let sum = 0;
  for (let n = lengths.length - 1; n > 0; n--) {
    sum += lengths[n] ?? 0;
    if (sum >= half) return n;
  }
  return Math.min(1, lengths.length - 1);
}
