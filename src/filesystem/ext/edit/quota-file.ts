import { Failure } from "../../../base/index.ts";
import { damaged } from "../../damaged.ts";
import { inodeBase } from "../inode.ts";
import {
  quotaBlockBytes,
  quotaEntriesInLeaf,
  quotaEntry,
  quotaHead,
  quotaLeaf,
  quotaMagic,
  quotaRootBlock,
  quotaTreeLevels,
  quotaVersion,
} from "../quota-format.ts";
import type { EditVolume } from "./edit-volume.ts";
import { FileMap } from "./file-map.ts";
import { setSize, type InodeStore } from "./inode-store.ts";

/** What an owner has more, or less. */
export interface UsageChange {
  readonly spaceBytes: number;
  readonly inodes: number;
}

/** One file of usage by owner, in a file system open for changes. */
export class QuotaFile {
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;
  readonly #id: number;
  readonly #map: FileMap;
  readonly #what: string;
  /** Blocks were added: the inode is to be written. */
  #hasGrown = false;

  private constructor(volume: EditVolume, inodes: InodeStore, id: number, map: FileMap, what: string) {
    this.#volume = volume;
    this.#inodes = inodes;
    this.#id = id;
    this.#map = map;
    this.#what = what;
  }

  static async open(
    volume: EditVolume,
    inodes: InodeStore,
    { id, kind }: { readonly id: number; readonly kind: keyof typeof quotaMagic },
  ): Promise<QuotaFile> {
    const what = `the ${kind} quota`;
    const file = new QuotaFile(volume, inodes, id, await FileMap.read(volume, await inodes.read(id)), what);
    const { magic, version } = quotaHead.decode(await file.#block(0, "to look"));
    if (magic !== quotaMagic[kind]) throw damaged(what, "its signature is missing");
    if (version === quotaVersion) return file;
    throw new Failure("unsupported", `cannot keep ${what}: it is of version ${version}, only ${quotaVersion} is known`);
  }

  /** Adds to what an owner uses. */
  async change(owner: number, { spaceBytes, inodes }: UsageChange): Promise<void> {
    const entry = (await this.#find(owner)) ?? (await this.#insert(owner));
    const before = quotaEntry.decode(entry);
    const after = {
      spaceBytes: Math.max(0, before.spaceBytes + spaceBytes),
      inodes: Math.max(0, before.inodes + inodes),
    };
    quotaEntry.patch(entry, after);
    if (entry.every((byte) => byte === 0)) quotaEntry.patch(entry, { inodeTime: 1 });
  }

  /** Writes size and map where blocks were added. */
  async finish(): Promise<void> {
    if (!this.#hasGrown) return;
    const { blockCount: quotaBlocks } = quotaHead.decode(await this.#block(0, "to look"));
    const { block, blockCount } = await this.#map.store();
    const patchCount = this.#inodes.blockCount(blockCount);
    await this.#inodes.change(this.#id, (bytes) => {
      inodeBase.patch(bytes, { block });
      setSize(bytes, quotaBlocks * quotaBlockBytes);
      patchCount(bytes);
    });
    this.#hasGrown = false;
  }

  async #find(owner: number): Promise<Uint8Array | undefined> {
    let number = quotaRootBlock;
    for (let level = 0; level < quotaTreeLevels; level++) {
      const next = new Reference(await this.#block(number, "to look"), owner, level).get();
      if (next === 0) return undefined;
      number = await this.#known(next);
    }
    const leaf = await this.#block(number, "to change");
    const found = entriesIn(leaf).find((entry) => isUsed(entry) && quotaEntry.get(entry, "id") === owner);
    if (found !== undefined) return found;
    throw damaged(this.#what, `there is no entry of ${owner} where its tree leads to`);
  }

  /** Makes an entry for an owner who has none. */
  async #insert(owner: number): Promise<Uint8Array> {
    const leaf = await this.#leafWithRoom();
    const bytes = await this.#block(leaf, "to change");
    const entry = entriesIn(bytes).find((one) => !isUsed(one));
    if (entry === undefined) throw damaged(this.#what, `its block ${leaf} has no room, though it says so`);
    quotaEntry.patch(entry, { id: owner });
    const entryCount = quotaLeaf.get(bytes, "entryCount") + 1;
    quotaLeaf.patch(bytes, { entryCount });
    if (entryCount >= quotaEntriesInLeaf) await this.#takeOffList(bytes);
    let number = quotaRootBlock;
    for (let level = 0; level < quotaTreeLevels; level++) {
      const reference = new Reference(await this.#block(number, "to change"), owner, level);
      if (level === quotaTreeLevels - 1) {
        reference.set(leaf);
      } else {
        const next = reference.get();
        number = next === 0 ? await this.#newBlock() : await this.#known(next);
        if (next === 0) reference.set(number);
      }
    }
    return entry;
  }

  async #leafWithRoom(): Promise<number> {
    const { freeEntry } = quotaHead.decode(await this.#block(0, "to look"));
    if (freeEntry !== 0) return this.#known(freeEntry);
    const number = await this.#newBlock();
    quotaHead.patch(await this.#block(0, "to change"), { freeEntry: number });
    return number;
  }

  /** A block of entries is full. */
  async #takeOffList(leaf: Uint8Array): Promise<void> {
    const { nextFree, previousFree } = quotaLeaf.decode(leaf);
    if (nextFree !== 0) {
      quotaLeaf.patch(await this.#block(await this.#known(nextFree), "to change"), { previousFree });
    }
    if (previousFree === 0) quotaHead.patch(await this.#block(0, "to change"), { freeEntry: nextFree });
    else quotaLeaf.patch(await this.#block(await this.#known(previousFree), "to change"), { nextFree });
    quotaLeaf.patch(leaf, { nextFree: 0, previousFree: 0 });
  }

  /** A block of zeros: one that is not in use, or one at the end. */
  async #newBlock(): Promise<number> {
    const head = await this.#block(0, "to change");
    const { freeBlock, blockCount } = quotaHead.decode(head);
    if (freeBlock !== 0) {
      const bytes = await this.#block(await this.#known(freeBlock), "to change");
      quotaHead.patch(head, { freeBlock: quotaLeaf.get(bytes, "nextFree") });
      bytes.fill(0);
      return freeBlock;
    }
    quotaHead.patch(head, { blockCount: blockCount + 1 });
    const logical = Math.floor((blockCount * quotaBlockBytes) / this.#volume.blockSizeBytes);
    if (this.#map.blockAt(logical) === undefined) {
      const block = await this.#volume.takeBlock(this.#map.goalFor(logical));
      this.#volume.transaction.freshBlock(block);
      this.#map.put(logical, { start: block, length: 1 });
    }
    this.#hasGrown = true;
    (await this.#block(blockCount, "to change")).fill(0);
    return blockCount;
  }

  /** A number that stands in the file, if there can be such a block. */
  async #known(number: number): Promise<number> {
    const { blockCount } = quotaHead.decode(await this.#block(0, "to look"));
    if (number > quotaRootBlock && number < blockCount) return number;
    throw damaged(this.#what, `it refers to its block ${number} of ${blockCount}`);
  }

  async #block(number: number, use: "to look" | "to change"): Promise<Uint8Array> {
    const { blockSizeBytes, transaction } = this.#volume;
    const at = number * quotaBlockBytes;
    const block = this.#map.blockAt(Math.floor(at / blockSizeBytes));
    if (block === undefined) throw damaged(this.#what, `its block ${number} is not there`);
    const bytes = await (use === "to change" ? transaction.change(block) : transaction.block(block));
    return bytes.subarray(at % blockSizeBytes, (at % blockSizeBytes) + quotaBlockBytes);
  }
}

/** Where a block of the tree leads to for an owner. */
class Reference {
  readonly #view: DataView;
  readonly #at: number;

  constructor(block: Uint8Array, owner: number, level: number) {
    this.#view = new DataView(block.buffer, block.byteOffset, block.length);
    this.#at = ((owner >>> (8 * (quotaTreeLevels - 1 - level))) & 0xff) * 4;
  }

  get(): number {
    return this.#view.getUint32(this.#at, true);
  }

  set(number: number): void {
    this.#view.setUint32(this.#at, number, true);
  }
}

function entriesIn(leaf: Uint8Array): Uint8Array[] {
  return Array.from({ length: quotaEntriesInLeaf }, (_, n) => {
    const at = quotaLeaf.sizeBytes + n * quotaEntry.sizeBytes;
    return leaf.subarray(at, at + quotaEntry.sizeBytes);
  });
}

function isUsed(entry: Uint8Array): boolean {
  return entry.some((byte) => byte !== 0);
}
