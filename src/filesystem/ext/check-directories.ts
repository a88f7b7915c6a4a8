import { Failure } from "../../base/index.ts";
import { inlineStretches, directoryBlocks } from "./directory-reader.ts";
import { IndexCheck } from "./check-index.ts";
import { findDamage, type CheckState } from "./check-state.ts";
import { directoryBlockChecksum } from "./checksum.ts";
import { isDotName, recordsIn, type DirectoryRecord } from "./directory-block.ts";
import { directoryTail, directoryTailBytes, directoryTailFileType } from "./directory-entry.ts";
import { shownName } from "./encrypted-name.ts";
import { hasFeature } from "./features.ts";
import { directoryTypeOfKind, rootInode } from "./inode.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag, readInode, seedOfInode } from "./inode-reader.ts";

/** Names of one directory that are compared with each other; in a larger one those after them are not. */
const comparedNames = 500_000;
const slash = 0x2f;

/** Reads every directory, and counts the names of every inode. */
export async function checkDirectories(state: CheckState): Promise<void> {
  for (const id of state.inodes.ids()) {
    if (state.inodes.typeOf(id) !== directoryTypeOfKind.directory || state.inodes.nameless.has(id)) continue;
    await findDamage(state.report, id, async () => {
      const directory = await readInode(state.source, id);
      await new DirectoryCheck(state, directory).run();
    });
  }
}

class DirectoryCheck {
  readonly #state: CheckState;
  readonly #directory: ExtInode;
  readonly #names = new Set<string>();
  #dots = 0;

  constructor(state: CheckState, directory: ExtInode) {
    this.#state = state;
    this.#directory = directory;
  }

  async run(): Promise<void> {
    const directory = this.#directory;
    if (hasFlag(directory, "inlineData")) this.#checkInline();
    else await this.#checkBlocks();
  }

  #error(why: string): void {
    this.#state.report.error(`directory ${this.#directory.id}: ${why}`, this.#directory.id);
  }

  #checkInline(): void {
    const { id, block } = this.#directory;
    const parent = new DataView(block.buffer, block.byteOffset).getUint32(0, true);
    this.#state.inodes.addName(id);
    this.#noteParent(parent);
    for (const { bytes, start } of inlineStretches(this.#directory)) {
      for (const record of recordsIn(bytes, start, `directory ${id}`)) this.#checkRecord(record);
    }
  }

  async #checkBlocks(): Promise<void> {
    const { source } = this.#state;
    const index = IndexCheck.of(source, this.#directory, (why) => this.#error(why));
    let next = 0;
    for await (const { logical, block } of directoryBlocks(source, this.#directory)) {
      if (logical !== next) this.#error(`its block ${next} is missing`);
      next = logical + 1;
      const isIndexBlock = index?.takeIndexBlock(logical, block) ?? false;
      if (!isIndexBlock) this.#checkTail(logical, block);
      try {
        const records = recordsIn(block, 0, `directory ${this.#directory.id}`);
        if (logical === 0) this.#checkDots(records);
        for (const record of records) this.#checkRecord(record);
        if (!isIndexBlock) index?.takeLeaf(logical, records);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.#error(error.message.replace(/^.*?: /, ""));
      }
    }
    if (next === 0) this.#error("it has no blocks");
    index?.finish(next);
  }

  #checkTail(logical: number, block: Uint8Array): void {
    const { layout } = this.#state.source;
    if (!layout.hasChecksums) return;
    const tail = directoryTail.decode(block, block.length - directoryTailBytes);
    if (tail.inode !== 0 || tail.recordLength !== directoryTailBytes || tail.fileType !== directoryTailFileType) {
      this.#error(`its block ${logical} has no checksum`);
    } else if (directoryBlockChecksum(block, seedOfInode(layout, this.#directory)) !== tail.checksum) {
      this.#error(`the checksum of its block ${logical} is wrong`);
    }
  }

  #checkDots(records: readonly DirectoryRecord[]): void {
    const { id } = this.#directory;
    const [self, parent] = records;
    if (self === undefined || self.at !== 0 || self.name.length !== 1 || !isDotName(self.name)) {
      this.#error('its first entry is not "."');
    } else {
      if (self.inode !== id) this.#error(`its "." names inode ${self.inode}`);
      this.#state.inodes.addName(id);
    }
    if (parent === undefined || parent.name.length !== 2 || !isDotName(parent.name)) {
      this.#error('its second entry is not ".."');
    } else {
      this.#noteParent(parent.inode);
    }
  }

  #noteParent(parent: number): void {
    const { inodes, upward } = this.#state;
    const { id } = this.#directory;
    upward.set(id, parent);
    if (parent >= 1 && parent <= this.#state.source.layout.inodeCount) inodes.addName(parent);
  }

  #checkRecord(record: DirectoryRecord): void {
    if (isDotName(record.name)) return this.#checkStrayDots(record);
    const { source, inodes, report } = this.#state;
    const { inodeCount, firstInode, features } = source.layout;
    const { id } = this.#directory;
    const isEncrypted = hasFlag(this.#directory, "encrypted");
    const name = JSON.stringify(shownName(record.name, isEncrypted));
    if (!isEncrypted && (record.name.includes(slash) || record.name.includes(0))) this.#error(`${name} is no name`);
    this.#checkTwice(record, name);
    if (record.inode > inodeCount || record.inode < firstInode) {
      this.#error(`${name} names inode ${record.inode}, which no file can have`);
      return;
    }
    const type = inodes.typeOf(record.inode);
    if (type === 0 || inodes.nameless.has(record.inode)) {
      this.#error(`${name} names inode ${record.inode}, which is not in use`);
      return;
    }
    if (hasFeature(features, "filetype") && record.fileType !== type) {
      this.#error(`${name} has type ${record.fileType}, its inode ${record.inode} has ${type}`);
    }
    inodes.addName(record.inode);
    if (type !== directoryTypeOfKind.directory) return;
    const before = inodes.parentOf(record.inode);
    if (before !== 0 || record.inode === rootInode) {
      report.error(`directory ${record.inode}: it has a second name ${name} in directory ${id}`, record.inode);
    } else {
      inodes.setParent(record.inode, id);
    }
  }

  /** Dots stand at the start of the first block and nowhere else. */
  #checkStrayDots(record: DirectoryRecord): void {
    this.#dots++;
    const isInline = hasFlag(this.#directory, "inlineData");
    if (isInline || this.#dots > 2) this.#error(`an entry at ${record.at} is another "." or ".."`);
  }

  #checkTwice(record: DirectoryRecord, name: string): void {
    if (this.#names.size >= comparedNames) return;
    const key = Buffer.from(record.name).toString("latin1");
    if (this.#names.has(key)) this.#error(`it has ${name} twice`);
    this.#names.add(key);
  }
}

/** Directories without a name, in circles, or whose ".." does not lead to where they are. */
export function checkParents(state: CheckState): void {
  const { inodes, report, upward } = state;
  const connected = new Set<number>([rootInode]);
  for (const [id, above] of upward) {
    const parent = id === rootInode ? rootInode : inodes.parentOf(id);
    if (parent !== 0 && above !== parent) {
      report.error(`directory ${id}: its ".." names inode ${above}, it stands in ${parent}`, id);
    }
    if (parent !== 0) findWayUp(state, id, connected);
  }
}

/** Notes all on the way up as connected; a way that comes back to itself is a finding. */
function findWayUp({ inodes, report }: CheckState, id: number, connected: Set<number>): void {
  const way = new Set<number>();
  let at = id;
  while (at !== 0 && !connected.has(at)) {
    if (way.has(at)) {
      report.error(`directory ${at}: it stands in itself`, at);
      break;
    }
    way.add(at);
    at = inodes.parentOf(at);
  }
  for (const one of way) connected.add(one);
}

/** Whether every inode has as many names as it says. */
export function checkLinks(state: CheckState): void {
  const { inodes, report, source } = state;
  const { firstInode, features } = source.layout;
  for (const id of inodes.ids()) {
    if (id < firstInode && id !== rootInode) continue;
    const names = inodes.namesOf(id);
    const links = inodes.linksOf(id);
    if (state.valueInodes.has(id)) {
      if (!inodes.nameless.has(id))
        report.error(`inode ${id}: it holds the value of an attribute that no file has`, id);
      continue;
    }
    if (inodes.nameless.has(id)) continue;
    const isDirectory = inodes.typeOf(id) === directoryTypeOfKind.directory;
    const isUnnamed = isDirectory ? id !== rootInode && inodes.parentOf(id) === 0 : names === 0;
    if (isUnnamed) {
      report.error(`inode ${id}: it is in use, and no directory names it`, id);
      continue;
    }
    const isUncounted = isDirectory && links === 1 && hasFeature(features, "dir_nlink"); // more than 65,000
    if (names !== links && !isUncounted) report.error(`inode ${id}: it counts ${links} links, and has ${names}`, id);
  }
}
