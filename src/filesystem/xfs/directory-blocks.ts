import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import type { DataBlock } from "./directory-data.ts";
import { forkRuns, type ForkRun } from "./fork-runs.ts";
import { forkFormats, type XfsInode } from "./inode.ts";
import type { XfsSource } from "./xfs-source.ts";

/** Places in a directory: what has names, the index to them, and what of the first is unused. */
const spaceBytes = 2 ** 35;
/** More pieces of a directory, or of an inode's attributes, are not held. */
const runLimit = 1_000_000;

const magics = {
  block: [0x58443242, 0x58444233], // "XD2B", "XDB3"
  data: [0x58443244, 0x58444433], // "XD2D", "XDD3"
  free: [0x58443246, 0x58444633], // "XD2F", "XDF3"
} as const;
/** Of data blocks, and of blocks of the index. */
const checks = {
  data: { checksumAt: 4, placeAt: 8, ownerAt: 40 },
  index: { checksumAt: 12, placeAt: 16, ownerAt: 48 },
} as const;

/** A block of an index, of directories or of attributes, by its magic number. */
export interface IndexBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly magic: number;
}

/** The blocks of a fork that is not read as a whole: of a directory, or of attributes. */
export class ForkBlocks {
  readonly #source: XfsSource;
  readonly #id: number;
  readonly #what: string;
  readonly runs: readonly ForkRun[];

  private constructor(source: XfsSource, id: number, runs: readonly ForkRun[], what: string) {
    this.#source = source;
    this.#id = id;
    this.runs = runs;
    this.#what = what;
  }

  static async ofDirectory(source: XfsSource, inode: XfsInode): Promise<ForkBlocks> {
    return ForkBlocks.#of(source, inode.id, inode.data, `the directory in inode ${inode.id}`);
  }

  static async ofAttributes(source: XfsSource, inode: XfsInode): Promise<ForkBlocks> {
    const fork = inode.attributes ?? { format: forkFormats.extents, bytes: new Uint8Array(0), extentCount: 0 };
    return ForkBlocks.#of(source, inode.id, fork, `the attributes of inode ${inode.id}`);
  }

  static async #of(source: XfsSource, id: number, fork: XfsInode["data"], what: string): Promise<ForkBlocks> {
    const runs: ForkRun[] = [];
    for await (const run of forkRuns(source, fork, { id, what })) {
      runs.push(run);
      if (runs.length > runLimit) throw damaged(what, `it is in more than ${runLimit} pieces`);
    }
    return new ForkBlocks(source, id, runs, what);
  }

  /** How many blocks there are. */
  get blockCount(): number {
    return this.runs.reduce((sum, { count }) => sum + count, 0);
  }

  get what(): string {
    return this.#what;
  }

  /** The numbers of the directory's blocks that hold names, in order. */
  dataBlockNumbers(): Generator<number> {
    return this.#blockNumbers(0, spaceBytes);
  }

  *#blockNumbers(from: number, to: number): Generator<number> {
    const { blockBytes, directoryBlockBytes } = this.#source.layout;
    let next = from / directoryBlockBytes;
    for (const { logical, count } of this.runs) {
      if (logical * blockBytes >= to) return;
      const first = Math.max(next, Math.floor((logical * blockBytes) / directoryBlockBytes));
      const end = Math.ceil(((logical + count) * blockBytes) / directoryBlockBytes);
      for (next = first; next < end; next++) yield next;
    }
  }

  /** A block of a directory that holds names. */
  async dataBlock(number: number): Promise<DataBlock> {
    const { directoryBlockBytes } = this.#source.layout;
    const at = number * directoryBlockBytes;
    const { bytes, view, deviceAt } = await this.#bytes(at, directoryBlockBytes);
    const magic = view.getUint32(0);
    const kind = this.#source.layout.hasChecksums ? 1 : 0;
    if (magic !== magics.block[kind] && magic !== magics.data[kind]) {
      throw damaged(this.#what, `there is no block of a directory at byte ${at}`);
    }
    this.#refuseUnproven(bytes, view, { at, deviceAt, ...checks.data });
    return { bytes, view, hasIndex: magic === magics.block[kind] };
  }

  /** Looks at the blocks that tell how much is free in those with names. */
  async checkFreeBlocks(): Promise<void> {
    const { directoryBlockBytes, hasChecksums } = this.#source.layout;
    for (const number of this.#blockNumbers(2 * spaceBytes, 3 * spaceBytes)) {
      const at = number * directoryBlockBytes;
      const { bytes, view, deviceAt } = await this.#bytes(at, directoryBlockBytes);
      if (view.getUint32(0) !== magics.free[hasChecksums ? 1 : 0]) {
        throw damaged(this.#what, `there is no list of free room at byte ${at}`);
      }
      this.#refuseUnproven(bytes, view, { at, deviceAt, ...checks.data });
    }
  }

  /** The block of the index at a block of the fork. */
  async indexBlock(block: number, lengthBytes: number): Promise<IndexBlock> {
    const at = block * this.#source.layout.blockBytes;
    const { bytes, view, deviceAt } = await this.#bytes(at, lengthBytes);
    this.#refuseUnproven(bytes, view, { at, deviceAt, ...checks.index });
    return { bytes, view, magic: view.getUint16(8) };
  }

  /** Bytes of the fork that need not stand together. */
  async bytes(at: number, lengthBytes: number): Promise<Uint8Array> {
    return (await this.#bytes(at, lengthBytes)).bytes;
  }

  /** Where on the device a block of the fork stands. */
  deviceAt(block: number): number {
    const { blockBytes } = this.#source.layout;
    const [part] = this.#parts(block * blockBytes, blockBytes);
    if (part === undefined) throw damaged(this.#what, `nothing is at block ${block}`);
    return part.deviceAt;
  }

  async #bytes(at: number, lengthBytes: number): Promise<{ bytes: Uint8Array; view: DataView; deviceAt: number }> {
    const parts = this.#parts(at, lengthBytes);
    const [first] = parts;
    if (first === undefined) throw damaged(this.#what, `nothing is at byte ${at}`);
    const { structures } = this.#source;
    if (parts.length === 1) {
      const bytes = await structures.bytes(first.deviceAt, lengthBytes);
      return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), deviceAt: first.deviceAt };
    }
    const bytes = new Uint8Array(lengthBytes);
    let done = 0;
    for (const part of parts) {
      bytes.set(await structures.bytes(part.deviceAt, part.lengthBytes), done);
      done += part.lengthBytes;
    }
    return { bytes, view: new DataView(bytes.buffer), deviceAt: first.deviceAt };
  }

  #parts(at: number, lengthBytes: number): { readonly deviceAt: number; readonly lengthBytes: number }[] {
    const { blockBytes } = this.#source.layout;
    const parts: { readonly deviceAt: number; readonly lengthBytes: number }[] = [];
    for (let done = 0; done < lengthBytes;) {
      const run = this.#runAt(Math.floor((at + done) / blockBytes));
      if (run === undefined || run.isUnwritten) throw damaged(this.#what, `nothing is at byte ${at + done}`);
      const inRun = at + done - run.logical * blockBytes;
      const partBytes = Math.min(lengthBytes - done, run.count * blockBytes - inRun);
      parts.push({ deviceAt: this.#source.deviceAt(run.block, this.#what) + inRun, lengthBytes: partBytes });
      done += partBytes;
    }
    return parts;
  }

  #runAt(logical: number): ForkRun | undefined {
    let [low, high] = [0, this.runs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.runs[middle];
      if (run !== undefined && run.logical + run.count <= logical) low = middle + 1;
      else high = middle;
    }
    const run = this.runs[low];
    return run !== undefined && run.logical <= logical ? run : undefined;
  }

  #refuseUnproven(
    bytes: Uint8Array,
    view: DataView,
    place: {
      readonly at: number;
      readonly deviceAt: number;
      readonly checksumAt: number;
      readonly placeAt: number;
      readonly ownerAt: number;
    },
  ): void {
    if (!this.#source.layout.hasChecksums) return;
    const where = `${this.#what}, block at byte ${place.at}`;
    if (!isSealed(bytes, place.checksumAt)) throw damaged(where, "its checksum does not match");
    const wide = (at: number): number => view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
    if (wide(place.ownerAt) !== this.#id || wide(place.placeAt) * 512 !== place.deviceAt) {
      throw damaged(where, "it is a block of something else");
    }
  }
}

/** Where the index of a directory begins, in blocks. */
export function indexStart({ layout }: Pick<XfsSource, "layout">): number {
  return spaceBytes / layout.blockBytes;
}
