import { printableName } from "../../bytes/index.ts";
import type { EntryKind } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import type { CheckState } from "./check-state.ts";
import { contentOf } from "./directory.ts";
import { ForkBlocks } from "./directory-blocks.ts";
import { entriesEnd, entriesIn, readShortDirectory, type DirectoryEntry } from "./directory-data.ts";
import { blockIndex, checkDirectoryIndex, entryIn, leafAfter, leafFor, type IndexPart } from "./directory-index.ts";
import type { InodeUse } from "./inode-use.ts";
import { forkFormats, readInode, type XfsInode } from "./inode.ts";
import { hashOfName } from "./name-hash.ts";

/** Kinds as entries have them, from 1 on. */
const kinds: readonly EntryKind[] = ["file", "directory", "character", "block", "fifo", "socket", "symlink"];
const directoryType = 2;
/** What overlay file systems put for a file that they hide: a device of this type in entries. */
const whiteoutType = 8;

export function typeOfKind(kind: EntryKind): number {
  return kinds.indexOf(kind) + 1;
}

/** Looks at the names in a directory: where they lead to, and whether the index has them all. */
export async function checkDirectory(state: CheckState, use: InodeUse, id: number): Promise<void> {
  const inode = await readInode(state.source, id);
  await new DirectoryCheck(state, use, inode).run();
}

class DirectoryCheck {
  readonly #state: CheckState;
  readonly #use: InodeUse;
  readonly #inode: XfsInode;
  readonly #what: string;
  /** Of hashes and places: what the names have less what the index has. */
  #mixed = 0;
  #count = 0;

  constructor(state: CheckState, use: InodeUse, inode: XfsInode) {
    this.#state = state;
    this.#use = use;
    this.#inode = inode;
    this.#what = `the directory in inode ${inode.id}`;
  }

  async run(): Promise<void> {
    const { layout } = this.#state.source;
    this.#use.addName(this.#inode.id); // its "."
    if (this.#inode.data.format === forkFormats.local) {
      const short = readShortDirectory(layout, contentOf(this.#inode, this.#what), this.#what);
      this.#addParent(short.parent);
      for (const entry of short.entries) this.#addEntry(entry);
      return;
    }
    const blocks = await ForkBlocks.ofDirectory(this.#state.source, this.#inode);
    await this.#readNames(blocks);
    if (!this.#use.upward.has(this.#inode.id)) throw damaged(this.#what, "it does not say what it is in");
    await this.#readIndex(blocks);
    await blocks.checkFreeBlocks();
    if (this.#count !== 0 || this.#mixed !== 0)
      throw damaged(this.#what, "its index does not have the names that it has");
  }

  async #readNames(blocks: ForkBlocks): Promise<void> {
    const { layout } = this.#state.source;
    for (const number of blocks.dataBlockNumbers()) {
      const block = await blocks.dataBlock(number);
      for (const entry of entriesIn(layout, block, this.#what)) {
        this.#mix(hashOf(entry, layout.foldsCase), (number * layout.directoryBlockBytes + entry.at) / 8, 1);
        if (entry.name === "..") this.#addParent(entry.id);
        else if (entry.name !== ".") this.#addEntry(entry);
        else if (entry.id !== this.#inode.id) throw damaged(this.#what, `its "." is inode ${entry.id}`);
      }
    }
  }

  async #readIndex(blocks: ForkBlocks): Promise<void> {
    const { source } = this.#state;
    const first = await blocks.dataBlock(0);
    if (!first.hasIndex) await checkDirectoryIndex(source, blocks);
    let part: IndexPart | undefined = first.hasIndex
      ? blockIndex(first, entriesEnd(first, this.#what))
      : await leafFor(source, blocks, 0);
    let last = 0;
    for (let left = blocks.blockCount; part !== undefined; part = await leafAfter(source, blocks, part)) {
      if (left-- < 0) throw damaged(this.#what, "its index leads back into itself");
      for (let n = 0; n < part.count; n++) {
        const { hash, address } = entryIn(part, n);
        if (hash < last) throw damaged(this.#what, "its index is not in order");
        last = hash;
        if (address !== 0) this.#mix(hash, address, -1);
      }
    }
  }

  #mix(hash: number, address: number, sign: 1 | -1): void {
    this.#count += sign;
    this.#mixed =
      (this.#mixed + sign * (Math.imul(hash ^ 0x9e3779b9, Math.imul(address, 0x85ebca6b) | 1) >>> 0)) % 2 ** 32;
  }

  #addParent(id: number): void {
    this.#use.upward.set(this.#inode.id, id);
    this.#use.addName(id);
  }

  #addEntry({ name, id, type }: DirectoryEntry): void {
    const { report } = this.#state;
    const found = this.#use.typeOf(id);
    const shown = `"${printableName(name)}" in ${this.#what}`;
    if (found === 0) return report.error(`${shown} is inode ${id}, which is not in use`, this.#inode.id);
    if (type !== undefined && type !== 0 && type !== found && type !== whiteoutType) {
      report.error(`${shown} is said to be a ${kinds[type - 1] ?? "nothing"}, and is a ${kinds[found - 1] ?? ""}`, id);
    }
    this.#use.addName(id);
    if (found !== directoryType) return;
    if (this.#use.namedIn.has(id)) report.error(`the directory in inode ${id} has two names`, id);
    this.#use.namedIn.set(id, this.#inode.id);
  }
}

/** Where names fold case, their hash is that of the folded name. */
function hashOf({ nameBytes }: DirectoryEntry, foldsCase: boolean): number {
  if (!foldsCase) return hashOfName(nameBytes);
  return hashOfName(nameBytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}

/** Whether every directory is where its own `..` says, and below the root. */
export function checkParents({ source, report, unlinked }: CheckState, use: InodeUse): void {
  const { rootInode } = source.layout;
  const below = new Set<number>([rootInode]);
  for (const [id, up] of use.upward) {
    const named = id === rootInode ? rootInode : use.namedIn.get(id);
    if (named !== undefined && named !== up) {
      report.error(`the directory in inode ${id} is in inode ${named}, and says that it is in ${up}`, id);
    }
    const climbed: number[] = [];
    let at: number | undefined = id;
    for (; at !== undefined && !below.has(at) && climbed.length <= use.upward.size; at = use.namedIn.get(at))
      climbed.push(at);
    if (at !== undefined && below.has(at)) for (const one of climbed) below.add(one);
    else if (at !== undefined && !unlinked.has(id))
      report.error(`the directory in inode ${id} is not below the root`, id);
  }
}

/** Whether each inode has as many names as it says. */
export function checkLinks({ source, report, unlinked }: CheckState, use: InodeUse): void {
  const { realtimeBitmapInode, realtimeSummaryInode, ...superblock } = source.layout.superblock;
  const { userQuotaInode, groupQuotaInode, projectQuotaInode } = superblock;
  const nameless = new Set([
    realtimeBitmapInode,
    realtimeSummaryInode,
    userQuotaInode,
    groupQuotaInode,
    projectQuotaInode,
  ]);
  for (const { id, links, names } of use.counted()) {
    if (links === names || nameless.has(id)) continue;
    if (names === 0) report.error(`inode ${id} is in use and has no name`);
    else report.error(`inode ${id} says that it has ${links} names, and has ${names}`, id);
  }
  if (unlinked.size > 0) {
    report.warning(`${unlinked.size} files were deleted while they were open, and are still there`);
  }
}
